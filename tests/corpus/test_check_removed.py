"""What is left is found and named; what was taken down is told."""

import io

import pytest
import sealed
from rich.console import Console
from takedown import GONE, MANIFEST, Stages, World, entries, page

from corpus import left, recipe
from corpus.check_removed import check_removed
from corpus.errors import InputError
from corpus.explain import explain, show
from corpus.graph import Graph
from corpus.opened import Build
from corpus.report import report
from corpus.trace import trace
from corpus.verify import verify


def test_a_build_without_the_list_brings_it_back(world: World) -> None:
    world.write(*entries(world))
    world.build()
    world.write(name="n", text=MANIFEST)  # also empties the list
    world.build("n")
    world.write(*entries(world))
    world.build()
    found = check_removed([(world.out(), world.store)], repair=True)
    assert not found.ok
    assert len(found.repaired) == 1
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(left.show(found))
    said = console.export_text()
    assert "3 entries of the list, 3 records taken down" in said
    assert "`url` holds 1 removed URLs" in said
    world.build()
    assert world.clean()


def test_where_something_is_left_is_said(world: World) -> None:
    report(world.out(), world.store)
    page_before = world.out().get("report.html")
    old = {name: world.out().get(name) for name in world.out().walk("tokens")}
    world.write(*entries(world))
    world.build()
    (world.folder / "store" / "tables" / ".tmp-x").write_text("?")
    world.out().put("tokens/older.bin", next(iter(old.values())))
    world.out().put("report.html", page_before)
    world.out().put("runs.jsonl", f'{{"command": ["--x", "{page(*GONE[0])[0]}"]}}'.encode())
    found = {place.what: place.found for place in world.checked().places if place.found}
    assert set(found) == {"temporary files", "shards", "report", "other files"}
    assert list(found["shards"]) == ["tokens/older.bin"]
    assert found["report"]["report.html"][-1].startswith("shows texts of an earlier build")
    assert found["other files"] == {"runs.jsonl": ["names 1 removed URLs"]}


def test_one_flipped_byte_of_the_list_is_found(world: World) -> None:
    world.write(*entries(world))
    world.build()
    data = world.out().get("index/removed.hashes")
    assert len(data) == 3 * 16
    world.out().put("index/removed.hashes", data[:-1] + bytes([data[-1] ^ 1]))
    assert [f.file for f in verify(world.out(), world.store).wrong] == ["index/removed.hashes"]


def test_explain_and_trace(world: World) -> None:
    world.write(*entries(world), "http://nowhere.example/")
    world.build()
    console = Console(width=200, record=True, file=io.StringIO())
    (life,) = explain(world.out(), world.store, id=world.id(*GONE[0]).hex())
    assert (life.fate, life.path, life.record, life.url, life.text) == ("dropped", "b.txt", 3, None, None)
    console.print(show([life]))
    assert "taken down: its text and URL are kept nowhere" in console.export_text()
    for url in (page(*GONE[0])[0].replace("http", "https"), "http://nowhere.example/"):
        with pytest.raises(InputError, match="taken down: the removal list of this build names this URL"):
            explain(world.out(), world.store, url=url)
    with pytest.raises(InputError, match="no document has the id"):
        explain(world.out(), world.store, id="0" * 32)
    graph = Graph(recipe.load(world.folder / "m.toml", Stages, sealed.Readers), world.store)
    build = Build(world.out(), world.store)
    for shard in build.shards:
        assert trace(world.out(), world.store, 0, shard.path, graph).replayed > 8
