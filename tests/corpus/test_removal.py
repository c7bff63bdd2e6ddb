"""A removal list: what it names leaves tombstones, and nothing else is made again."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import toys
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from takedown import GONE, MANIFEST, REMOVE, World, entries, page

from corpus import work
from corpus.drive import compile_corpus
from corpus.errors import RecipeError, VerifyError
from corpus.explain import explain
from corpus.opened import Build, Tables
from corpus.status import survey
from corpus.verify import verify


def test_a_tombstone_keeps_its_span_alone(world: World) -> None:
    world.write(*entries(world))
    world.build()
    build = Build(world.out(), world.store)
    rows = {}
    for partition in build.partitions():
        seen = Tables(world.store, partition)
        for row in np.flatnonzero(np.array(seen.column(0, "drop").to_pylist()) == "removed").tolist():
            rows[partition.path, partition.records[0].inputs["first_record"] + row] = seen.values(0, row) or {}
    assert set(rows) == {(f"{file}.txt", row) for _, file, row in GONE}
    for (path, row), values in rows.items():
        there = {name for name, value in values.items() if value is not None}
        assert there == {"row", "drop", "id", "span_start", "span_bytes"}
        assert values["id"] != world.id("web", path[0], row)
        assert values["span_bytes"] > 90


def test_only_the_shards_that_held_it_are_written_again(world: World) -> None:
    build = Build(world.out(), world.store)
    assert {name: len(build.splits(name)["train"]) for name in ("web", "books")} == {"web": 4, "books": 2}
    hit = {build.place("web", world.id(*one)).shard for one in GONE[:2]}  # type: ignore[union-attr]
    before = world.tokens()
    (life,) = explain(world.out(), world.store, url=page(*GONE[2])[0])
    hit |= {part.place.shard for part in life.parts if part.place}
    assert len(life.parts) == 2
    assert len(hit) < 6
    world.write(*entries(world))
    world.build()
    after = world.tokens()
    assert set(after) == set(before)
    changed = {name for name in after if after[name] != before[name]}
    assert {f"tokens/{name.partition('.')[0]}" for name in changed} == hit


def test_nothing_else_is_made_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.build()  # files are hashed at their new place
    opened: list[str] = []
    open_input = work.open_input
    monkeypatch.setattr(work, "open_input", lambda url: (opened.append(url.rsplit("/", 1)[-1]), open_input(url))[1])
    world.write(page(*GONE[0])[0])
    world.build()
    assert opened == ["b.txt"]
    assert toys.applied == ["parse", "upper", "size", "at-least", "encode"]  # of one partition in fourteen
    before = {path: path.read_bytes() for path in world.files() if path.name not in ("manifest.json",)}
    world.build()
    assert (opened, toys.applied) == (["b.txt"], [])
    assert {path: path.read_bytes() for path in before} == before
    world.write(page(*GONE[0])[0], page("web", "a", 1)[0])
    world.build()
    assert opened == ["b.txt", "a.txt"]  # what was removed stays so without its file
    assert toys.applied.count("parse") == 1
    world.write(page("web", "a", 1)[0], "http://nowhere.example/", page(*GONE[0])[0])
    world.build()
    assert toys.applied == []
    assert survey(world.builder(), world.out()).fresh
    assert world.clean()


def test_a_host_and_a_removal_are_no_loss(world: World) -> None:
    world.write("host:EXAMPLE")
    world.write("host:b.example")
    outcome = world.build()
    assert world.dropped(outcome, "web") == {"removed": 14}
    assert world.clean()
    assert not any(world.holds("web", "b", row) for row in range(14) if row % 7)


def test_a_document_whose_entry_is_deleted_returns(world: World) -> None:
    before = world.texts()
    shards = {name: value[:64] for name, value in world.tokens().items()}
    world.write(*entries(world))
    world.build()
    assert sum((before - world.texts()).values()) == 4  # one of them in two parts
    world.write(entries(world)[1])
    world.build()
    assert world.dropped(world.build(), "web") == {"removed": 1}
    assert world.clean()
    assert world.holds(*GONE[0]) == []
    assert world.holds(*GONE[1])
    world.write()
    world.build()
    assert world.texts() == before
    assert {name: value[:64] for name, value in world.tokens().items()} == shards
    assert verify(world.out(), world.store).ok


def test_a_shard_of_the_same_length_is_not_taken_for_another(world: World) -> None:
    """One document goes, then another of the same shard and length instead, and back."""
    build = Build(world.out(), world.store)
    places: dict[str, list[int]] = {}
    for row in (r for r in range(14) if r % 7):
        place = build.place("web", world.id("web", "b", row))
        assert place is not None
        places.setdefault(place.shard, []).append(row)
    one, other = next(rows for rows in places.values() if len(rows) > 1)[:2]
    for row in (one, other, one):
        world.write(page("web", "b", row)[0])
        world.build()
        assert world.clean()
        assert world.holds("web", "b", row) == []


def test_a_fresh_store_gives_the_same_build(world: World) -> None:
    world.write(*entries(world))
    world.build()
    sealed_here = world.out().get("manifest.json")
    tables = {name for name in world.store.walk("tables") if not name.startswith("tables/scope")}
    shutil.rmtree(world.folder / "store")
    shutil.rmtree(world.folder / "out-m")
    world.build()
    assert world.out().get("manifest.json") == sealed_here
    assert set(world.store.walk("tables")) == tables
    shutil.rmtree(world.folder / "store" / "removals")  # hints, all of it
    world.build()
    assert world.out().get("manifest.json") == sealed_here
    assert world.clean()


def test_removed_before_quarantined_and_unreadable(world: World) -> None:
    path = world.folder / "data" / "web" / "c.txt"
    lines = path.read_text().split("\n")
    path.write_text("\n".join([*lines[:2], "!", *lines[3:]]))
    quarantine = '[[quarantine]]\nsource = "web"\npath = "c.txt"\nrecord = {}\n'
    text = MANIFEST + quarantine.format(4) + quarantine.format(5)
    world.write(*(world.id("web", "c", row).hex() for row in (2, 4)), text=text)
    assert world.dropped(world.build(), "web") == {"removed": 2, "quarantined": 1}
    assert verify(world.out(), world.store).ok


def test_a_salt_of_its_own(world: World) -> None:
    world.write(*entries(world))
    world.build()
    before = world.texts()
    lists = set(world.store.walk("removals/lists"))
    world.write(*entries(world), remove=REMOVE + 'salt = "grain"\n')
    world.build()
    assert world.texts() == before
    assert len(set(world.store.walk("removals/lists")) - lists) == 1
    assert world.clean()


def test_a_list_is_answered_without_being_repeated(world: World) -> None:
    for wrong in ("example.org/page", "0" * 31, "host:bücher.example", "http:// x"):
        world.write("# one", page(*GONE[0])[0], wrong)
        with pytest.raises(RecipeError, match=r"taken.txt, line 3: neither an id") as error:
            world.builder()
        assert wrong not in str(error.value)
    world.write("x", remove='[remove]\nlist = "none.txt"\n')
    with pytest.raises(RecipeError, match=r"none.txt: there is no such list. \$.remove.list names it"):
        world.builder()
    world.write("x", remove='[remove]\nlost = "none.txt"\n')
    with pytest.raises(RecipeError, match=r"\$.remove.lost: no such field. Did you mean `list`?"):
        world.builder()
    world.write()
    world.build()
    with pytest.raises(VerifyError, match="was sealed without"):
        world.checked()


def test_lines_that_name_nothing_are_told(world: World) -> None:
    world.write("", "http://nowhere.example/", page(*GONE[0])[0], "f" * 32)
    builder = world.builder()
    compile_corpus(builder, world.out())
    assert builder.unused_lines() == [2, 4]


@settings(max_examples=5, deadline=None, phases=[Phase.generate])  # to shrink would take minutes
@given(st.data())
def test_what_is_packed_is_all_but_what_is_named(
    whole_world: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever is named, one list after another, and however files are cut into partitions."""
    world = World(tmp_path_factory.mktemp("law"))
    shutil.copytree(whole_world, world.folder, dirs_exist_ok=True)
    every = [("web", f, r) for f in "abc" for r in range(14)] + [("books", f, r) for f in "de" for r in range(10)]
    for _ in range(3):
        gone = data.draw(st.lists(st.sampled_from(every), unique=True, min_size=1, max_size=12))
        rows = data.draw(st.sampled_from([6, 6, 3, 20]))
        named = [page(*one)[0] if data.draw(st.booleans()) else world.id(*one).hex() for one in gone]
        world.write(*named, text=MANIFEST.replace("partition_rows = 6", f"partition_rows = {rows}"))
        outcome = world.build()
        assert world.clean()
        assert sum(world.dropped(outcome, s).get("removed", 0) for s in ("web", "books")) == len(gone)
        kept = [part for one in every if one not in gone for part in parts(one[0], page(*one)[1].upper())]
        assert world.texts() == Counter(part for part in kept if len(part) >= 9)


def parts(source: str, text: str) -> list[str]:
    """What becomes of a text; short ones stay whole."""
    half = len(text) // 2
    return [text[:half], text[half:]] if source == "books" and half >= 4 else [text]
