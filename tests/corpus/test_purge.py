"""The purge after a takedown: text, URL, id and tokens are gone from every file, whatever was killed or shared."""

import pytest
from takedown import GONE, MANIFEST, World, entries, page

from corpus.record import fold
from corpus.report import report
from corpus.store import Blobs
from corpus.verify import verify


def test_what_is_named_is_gone_from_everywhere(world: World) -> None:
    assert all(len(world.holds(*one)) >= 6 for one in GONE)
    (world.folder / "store" / "tables" / "upper" / ".tmp-of-a-killed-writer").write_text(page(*GONE[0])[1])
    report(world.out(), world.store)
    fold(world.store, "web", "upper", at_least=1)
    world.write(*entries(world))
    outcome = world.build()
    assert (world.dropped(outcome, "web"), world.dropped(outcome, "books")) == ({"removed": 2}, {"removed": 1})
    assert world.clean()
    assert [world.holds(*one) for one in GONE] == [[], [], []]
    assert not world.out().exists("report.html")
    report(world.out(), world.store)
    assert world.clean()
    assert all(len(world.holds(source, file, row + 1)) >= 6 for source, file, row in GONE)


@pytest.mark.parametrize("moment", [0, 1, 2, 5, 12, 20, 27])
def test_a_purge_that_is_killed_is_finished_by_the_next_build(
    world: World, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    world.write(*entries(world))
    world.build(until="encode")
    calls = 0
    remove = Blobs.remove

    def dying(store: Blobs, name: str) -> None:
        nonlocal calls
        calls += store == world.store
        if calls > moment:
            raise KeyboardInterrupt
        remove(store, name)

    monkeypatch.setattr(Blobs, "remove", dying)
    with pytest.raises(KeyboardInterrupt):
        world.build()
    monkeypatch.undo()
    assert not world.checked().ok
    assert verify(world.out(), world.store).ok
    world.build()
    assert world.clean()
    assert [world.holds(*one) for one in GONE] == [[], [], []]


def test_killed_between_seal_and_purge(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.write(*entries(world))
    with monkeypatch.context() as patch:
        patch.setattr("corpus.drive.purge", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            world.build()
    assert {place.what for place in world.checked().places if place.found} == {
        "tables", "records", "runs of pack", "runs of index"
    }  # fmt: skip
    world.build()
    assert world.clean()
    assert [world.holds(*one) for one in GONE] == [[], [], []]


def test_other_builds_of_the_store(world: World) -> None:
    """Another manifest reads in other partitions. What it made of removed rows goes; what it makes with the list stays."""
    other = MANIFEST.replace('"upper"\n', '"upper"\nsuffix = "x"\n').replace("partition_rows = 6", "partition_rows = 4")
    world.write(text=other, name="n")
    world.build("n")
    world.write(*entries(world))
    world.build()
    assert world.clean()
    found = world.checked("n")
    assert {(p.root, p.what) for p in found.places if p.found} == {
        (world.out("n").root, "shards"), (world.out("n").root, "index")
    }  # fmt: skip
    assert {name.split("/")[0] for name in world.holds(*GONE[0])} == {"out-n"}
    world.write(*entries(world), text=other, name="n")
    world.build("n")
    assert world.clean("n")
    assert world.clean()
    assert world.checked("n").ok
    assert [world.holds(*one) for one in GONE] == [[], [], []]
