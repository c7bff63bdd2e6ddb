"""Nodes that die: the same tables, records and runs, in every round; and what is said when too many do."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from nodes import Nodes, Striking
from settling import ROUNDS, build, make, round_of, small, tree

from corpus import cluster as executor
from corpus.cluster import Cluster
from corpus.errors import TaskError
from corpus.local import Local

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"),
]

POINTS = ["begin", "torn", "half", "end"]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        made = Nodes(2, cores=1, modules=Path(__file__).parent)
        try:
            yield made
        finally:
            made.close()


@pytest.fixture(scope="module")
def cluster(nodes: Nodes) -> Iterator[Cluster]:
    joined = Cluster(address=nodes.address, workers=2)
    try:
        nodes.complete()
        yield joined
    finally:
        joined.close()


def test_a_node_dies_in_each_round(
    cluster: Cluster, nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path)
    signed, whole, here, there = (tmp_path / name for name in ("signed", "whole", "here", "there"))
    build(tmp_path, signed, Local(), signed=True)
    for store in (whole, here, there):
        shutil.copytree(signed, store)
    _, counts = build(tmp_path, whole, Local())  # one bundle, one range
    striking = Striking(cluster, nodes, tmp_path, small(monkeypatch))
    tasks: dict[str, int] = {}

    def doom(items: list[Any]) -> tuple[str, str, int] | None:
        """A node for each round, and one for the first runs that are merged in levels."""
        name = round_of(items[0])
        if not name or name in tasks:
            return None
        tasks[name] = len(items)
        return name, "half" if name == ROUNDS[-1] else POINTS[len(tasks) % len(POINTS)], 1

    striking.doom = doom
    _, small_counts = build(tmp_path, there, striking)
    assert striking.killed == list(tasks)
    assert set(tasks) == {*ROUNDS, "merge"}
    assert sum(count > 1 for count in tasks.values()) >= 10, tasks
    assert small_counts == build(tmp_path, here, Local())[1]
    assert tree(there, "tables", "records", "runs") == tree(here, "tables", "records", "runs")
    sources = ("tables", "records/one", "records/two")
    assert tree(there, *sources) == tree(whole, *sources)
    assert counts["dropped"] == small_counts["dropped"] > 20


def test_one_task_loses_its_node_again_and_again(cluster: Cluster, nodes: Nodes, tmp_path: Path) -> None:
    """More often than Ray tries a task."""
    striking = Striking(cluster, nodes, tmp_path)
    striking.doom = lambda items: ("double", "begin", 3)
    assert sorted(striking.map(_double, range(6))) == [(i, 2 * i) for i in range(6)]
    assert striking.killed == 3 * ["double"]


def test_nodes_that_die_of_a_task(
    cluster: Cluster, nodes: Nodes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "MOST_LOST", 0)
    striking = Striking(cluster, nodes, tmp_path)
    striking.doom = lambda items: ("double", "begin", 2)
    with pytest.raises(
        TaskError, match=r"lost its node after each of 1 starts: a step over many files\. Look at the nodes"
    ):
        list(striking.map(_double, [1]))
    assert striking.killed == 2 * ["double"]


def _double(x: int) -> int:
    return 2 * x


def _large(item: tuple[int, Path]) -> tuple[int, bytes]:
    number, folder = item
    tempfile.mkstemp(prefix=f"made-{number}-", dir=folder)
    return os.getpid(), bytes([number]) * (1 << 20)


def test_results_lie_on_a_node_that_dies(cluster: Cluster, nodes: Nodes, tmp_path: Path) -> None:
    nodes.complete()
    # of 1 MB: they stay with the node that made them until they are asked for
    results = cluster.map(_large, [(n, tmp_path) for n in range(8)])
    found = [next(results)]
    while len(list(tmp_path.iterdir())) < 8:
        time.sleep(0.1)
    nodes.kill(found[0][1][0])
    found += results
    assert sorted((index, data) for index, (_, data) in found) == [(i, bytes([i]) * (1 << 20)) for i in range(8)]
    assert len(list(tmp_path.iterdir())) > 8  # some were made again


def test_a_record_that_kills_is_still_found_out(
    cluster: Cluster, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "NOTICE_S", 5.0)  # these nodes are given up after one second
    nodes.complete()
    with pytest.raises(TaskError, match="a worker died twice"):
        list(cluster.map(_die, [1]))


def _die(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return x
