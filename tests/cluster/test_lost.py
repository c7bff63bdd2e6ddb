"""Whose fault it is that a task died: a record's, or a node's."""

from collections.abc import Sequence
from typing import Any

import pytest
from ray.exceptions import NodeDiedError, WorkerCrashedError

from corpus import cluster
from corpus.cluster import _again, _Running
from corpus.errors import TaskError


class Known:
    """What a cluster of two nodes says when it is asked for its nodes: those of `dead` are, from one answer to the
    next; the last answer stays."""

    def __init__(self, *dead: Sequence[str]) -> None:
        self.dead = list(dead)

    def __call__(self) -> list[dict[str, Any]]:
        dead = self.dead.pop(0) if len(self.dead) > 1 else self.dead[0]
        return [{"NodeID": node, "Alive": node not in dead} for node in ("a", "b", "c")]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes as one sleeps."""
    now = [0.0]
    monkeypatch.setattr(cluster.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(cluster.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))


TASK = _Running(7, "item", frozenset("a"))


@pytest.mark.usefixtures("at_once")
def test_a_worker_died_and_its_node_is_missed_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.ray, "nodes", Known("a", "a", "a", "a", "ab"))
    assert _again(TASK, WorkerCrashedError()) == _Running(7, "item", frozenset("ab"), 1)


@pytest.mark.usefixtures("at_once")
def test_a_worker_died_and_all_nodes_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.ray, "nodes", Known("a"))
    with pytest.raises(TaskError, match="a worker died twice"):
        _again(TASK, WorkerCrashedError())


def test_nodes_are_lost_a_number_of_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster.ray, "nodes", Known("a"))  # Ray may not have missed it yet
    task = TASK
    for _ in range(cluster.MOST_LOST):
        task = _again(task, NodeDiedError("gone"))
    assert task == _Running(7, "item", frozenset("a"), cluster.MOST_LOST)
    with pytest.raises(TaskError, match=r"after each of 6 starts: a step over many files(?s:.)*NodeDiedError: gone"):
        _again(task, NodeDiedError("gone"))
