"""Ray: same bytes as in one process, and errors that say what to do."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import toys

from corpus import recipe
from corpus.build import Builder
from corpus.cluster import Cluster
from corpus.errors import InputError, TaskError
from corpus.graph import Graph
from corpus.local import Local
from corpus.probe import find_killer
from corpus.progress import Progress
from corpus.store import Blobs

pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning"
)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as patch:  # workers import this file and the toys by name
        here = Path(__file__).parent
        patch.setenv("PYTHONPATH", os.pathsep.join(map(str, (here, here.parent, here.parent.parent))))
        made = Cluster(workers=2)
        yield made
        made.close()


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(folder)): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and "inputs" not in p.parts
    }


def build(path: Path, store: Path, executor: Any) -> Builder:
    builder = Builder(
        Graph(recipe.load(path, toys.Stages, toys.Readers), Blobs(str(store))), executor, Progress(quiet=True)
    )
    unread = builder.discover()
    for segment in builder.segments():
        builder.walk(segment.until, unread)
    return builder


def test_the_same_bytes(tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "data").mkdir()
    for number in range(5):
        lines = [f"document {number} {line} " * (line % 4 + 1) for line in range(50)]
        (tmp_path / "data" / f"{number}.txt").write_text("\n".join(lines) + "\n")
    path = tmp_path / "m.toml"
    path.write_text(
        'name = "m"\n[[source]]\nname = "s"\nformat = "lines"\nfiles = ["*.txt"]\nroot = "data"\n'
        'read = { partition_rows = 7 }\n[[stage]]\nkind = "upper"\n[[stage]]\nkind = "halves"\n'
        '[[stage]]\nkind = "size"\n[[stage]]\nkind = "at-least"\nchars = 20\n'
    )
    build(path, tmp_path / "one", Local())
    build(path, tmp_path / "two", cluster)
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def _double(x: int) -> int:
    return 2 * x


def _lose(x: int) -> int:
    raise InputError(f"no file {x}")


def _bug(x: int) -> int:
    return x // 0


def _die(x: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return x


def test_every_result_with_its_position(cluster: Cluster) -> None:
    assert sorted(cluster.map(_double, range(40))) == [(i, 2 * i) for i in range(40)]


def test_our_errors_come_back_as_they_are(cluster: Cluster) -> None:
    with pytest.raises(InputError, match="no file 3"):
        list(cluster.map(_lose, [3]))


def test_other_errors_name_the_place(cluster: Cluster) -> None:
    with pytest.raises(TaskError, match="ZeroDivisionError"):
        list(cluster.map(_bug, [1]))


def test_a_worker_that_dies_twice(cluster: Cluster) -> None:
    with pytest.raises(TaskError, match="a worker died twice"):
        list(cluster.map(_die, [1]))


def test_the_record_that_kills_is_found_and_left_out(tmp_path: Path, cluster: Cluster) -> None:
    (tmp_path / "data").mkdir()
    lines = [f"document {n}" for n in range(40)]
    lines[23] = "this is poison"
    (tmp_path / "data" / "a.txt").write_text("\n".join(lines) + "\n")
    path = tmp_path / "m.toml"
    text = (
        'name = "m"\n[[source]]\nname = "s"\nformat = "lines"\nfiles = ["*.txt"]\nroot = "data"\n'
        'read = { partition_rows = 7 }\n[[stage]]\nkind = "upper"\n[[stage]]\nkind = "fragile"\n'
    )
    path.write_text(text)
    with pytest.raises(TaskError, match=r"died twice(?s:.)*corpus probe MANIFEST --source s --path a\.txt"):
        build(path, tmp_path / "store", cluster)
    plan = recipe.load(path, toys.Stages, toys.Readers)
    builder = Builder(Graph(plan, Blobs(str(tmp_path / "store"))), Local(), Progress(quiet=True))
    assert find_killer(builder.read_task("s", "a.txt")) == 23
    path.write_text(text + '[[quarantine]]\nsource = "s"\npath = "a.txt"\nrecord = 23\n')
    whole = build(path, tmp_path / "store", cluster)
    assert sum(p.records[0].dropped.get("quarantined", 0) for p in whole.partitions["s"]) == 1


def test_a_store_is_seen_from_the_nodes(cluster: Cluster, tmp_path: Path) -> None:
    cluster.check_visible(Blobs(str(tmp_path)))
