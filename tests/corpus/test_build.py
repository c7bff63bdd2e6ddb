"""The spine without real stages: laws, identity, early cutoff, resume, quarantine."""

import hashlib
from pathlib import Path

import pytest
import toys

from corpus import recipe
from corpus.build import Builder
from corpus.errors import InputError, LawError
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.seal import funnel
from corpus.store import Blobs

STAGES = '[[stage]]\nkind = "upper"\n[[stage]]\nkind = "size"\n[[stage]]\nkind = "at-least"\nchars = {chars}\n'
LINES = ["alpha", "be", "gamma", "!", "delta", "epsilon", "x", "zeta"]


def write(folder: Path, stages: str = STAGES, chars: int = 3, extra: str = "") -> Path:
    path = folder / "m.toml"
    path.write_text(
        'name = "m"\n[[source]]\nname = "s"\nformat = "lines"\nfiles = ["*.txt"]\nroot = "data"\nmax_lost_share = 0.5\n'
        f"{extra}read = {{ partition_rows = 3 }}\n" + stages.format(chars=chars)
    )
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.txt").write_text("\n".join(LINES) + "\n")
    return tmp_path


def build(path: Path, store: Path, roots: dict[str, str] | None = None) -> Builder:
    toys.applied.clear()
    graph = Graph(recipe.load(path, toys.Stages, toys.Readers, roots), Blobs(str(store)))
    builder = Builder(graph, Local(), Progress(quiet=True))
    unread = builder.discover()
    for segment in builder.segments():
        builder.walk(segment.until, unread)
    builder.check_losses()
    return builder


def flows(builder: Builder) -> dict[str, tuple[int, int, dict[str, int]]]:
    found = funnel(builder.graph.chains["s"], builder.partitions["s"])
    return {flow.stage: (flow.rows, flow.made or flow.kept, flow.dropped) for flow in found}


def tree(store: Path) -> dict[str, str]:
    return {
        str(p.relative_to(store)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in store.rglob("*")
        if p.is_file() and "inputs" not in p.parts
    }


def test_every_row_is_kept_or_dropped_with_a_reason(folder: Path) -> None:
    builder = build(write(folder), folder / "store")
    assert len(builder.partitions["s"]) == 3
    assert flows(builder) == {
        "read": (8, 7, {"damaged": 1}),
        "upper": (7, 7, {}),
        "size": (7, 7, {}),
        "at-least": (7, 5, {"short": 2}),
    }


def test_nothing_stale_nothing_done(folder: Path) -> None:
    build(write(folder), folder / "store")
    before = tree(folder / "store")
    build(write(folder), folder / "store")
    assert toys.applied == []
    assert tree(folder / "store") == before


def test_a_threshold_reads_no_text(folder: Path) -> None:
    build(write(folder), folder / "store")
    (folder / "data" / "a.txt").rename(folder / "gone.txt")
    (folder / "data" / "a.txt").symlink_to(folder / "gone.txt")  # same file; and the text is not needed anyway
    for table in (folder / "store" / "tables" / "upper").iterdir():
        table.unlink()
    builder = build(write(folder, chars=6), folder / "store")
    assert set(toys.applied) == {"at-least"}
    assert flows(builder)["at-least"] == (7, 1, {"short": 6})


def test_early_cutoff(folder: Path) -> None:
    stages = STAGES + '[[stage]]\nkind = "size"\nname = "again"\n'
    build(write(folder, stages), folder / "store")
    build(write(folder, stages, chars=5), folder / "store")  # `zeta` leaves: one partition changes
    assert toys.applied.count("at-least") == 3
    assert toys.applied.count("again") == 1


def test_moving_the_data_changes_nothing(folder: Path) -> None:
    build(write(folder), folder / "store")
    (folder / "data").rename(folder / "elsewhere")
    build(write(folder), folder / "store", {"s": str(folder / "elsewhere")})
    assert toys.applied == []


def test_new_content_under_an_old_name(folder: Path) -> None:
    path = write(folder)
    build(path, folder / "store")
    (folder / "data" / "a.txt").write_text("\n".join([*LINES[:6], "other", "words"]) + "\n")
    builder = build(path, folder / "store")
    assert toys.applied.count("upper") == 1  # the first two partitions hold what they held
    assert flows(builder)["at-least"][1] == 6


def test_a_new_file_disturbs_no_other(folder: Path) -> None:
    path = write(folder)
    build(path, folder / "store")
    (folder / "data" / "0.txt").write_text("new line\n")
    builder = build(path, folder / "store")
    assert toys.applied == ["parse", "upper", "size", "at-least"]
    assert flows(builder)["read"][0] == 9


def test_a_row_that_raises_is_quarantined(folder: Path) -> None:
    (folder / "data" / "a.txt").write_text("\n".join([*LINES, "a bomb"]) + "\n")
    builder = build(write(folder), folder / "store")
    assert flows(builder)["size"] == (8, 7, {"failed": 1})


def test_a_quarantine_entry_leaves_a_record_out(folder: Path) -> None:
    path = write(folder)
    path.write_text(path.read_text() + '[[quarantine]]\nsource = "s"\npath = "a.txt"\nrecord = 4\nreason = "crash"\n')
    assert flows(build(path, folder / "store"))["read"] == (8, 6, {"damaged": 1, "quarantined": 1})


def test_losses_stop_the_build(folder: Path) -> None:
    (folder / "data" / "a.txt").write_text("!\n!\n!\ngood\n")
    with pytest.raises(LawError, match=r"source `s` lost 3 of 4 records \(75.0%\).*damaged 3.*max_lost_share"):
        build(write(folder), folder / "store")


def test_no_file_matches(folder: Path) -> None:
    (folder / "data" / "a.txt").unlink()
    with pytest.raises(InputError, match=r"source `s`: no file matches '\*.txt' under .*data"):
        build(write(folder), folder / "store")


def test_regroup_keeps_every_byte(folder: Path) -> None:
    stages = '[[stage]]\nkind = "upper"\n[[stage]]\nkind = "halves"\n[[stage]]\nkind = "size"\n'
    (folder / "data" / "a.txt").write_text("short\nlong enough to part\nmid\n")
    builder = build(write(folder, stages), folder / "store")
    assert flows(builder) == {
        "read": (3, 3, {}),
        "upper": (3, 3, {}),
        "halves": (3, 4, {}),
        "size": (4, 4, {}),
    }
    record = builder.partitions["s"][0].records[2]
    assert record.sums == {"text_bytes": 27, "cut_bytes": 0, "parent_bytes": 27}
    from corpus.chain import Walk
    from corpus.steps import Origin

    partition = builder.partitions["s"][0]
    walk = Walk(
        Origin("s", "a.txt", partition.key),
        builder.graph.chains["s"],
        builder.store,
        {},
        lambda s: None,
        partition.records,
    )
    assert walk.column("text", 4).to_pylist() == ["SHORT", "LONG ENOU", "GH TO PART", "MID"]
    ids = walk.column("id", 4).to_pylist()
    root = walk.column("id", 2).to_pylist()
    assert ids[0] == root[0]
    assert ids[3] == root[2]
    assert root[1] not in ids
    assert len(set(ids)) == 4
    assert walk.column("span_bytes", 4).to_pylist() == [6, 20, 20, 4]


def test_a_killed_build_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = build(write(folder), folder / "whole")
    calls = 0

    def dying(store: Blobs, name: str, data: bytes) -> bool:
        nonlocal calls
        calls += 1
        if calls == 6:
            raise KeyboardInterrupt
        return create(store, name, data)

    create = Blobs.create
    monkeypatch.setattr(Blobs, "create", dying)
    with pytest.raises(KeyboardInterrupt):
        build(write(folder), folder / "store")
    monkeypatch.undo()
    again = build(write(folder), folder / "store")
    assert toys.applied.count("upper") == 2  # the first partition was done
    assert tree(folder / "store") == tree(folder / "whole")
    assert flows(again) == flows(whole)
