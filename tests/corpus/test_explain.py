"""Explain: the life of a document, told from what the stages wrote."""

import re
from pathlib import Path

import numpy as np
import pytest
import sealed
from rich.console import Console

from corpus.errors import InputError
from corpus.explain import Life, brief, explain, show
from corpus.opened import Build, Tables
from corpus.store import Blobs
from corpus.tokens import ShardReader


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> tuple[Blobs, Blobs]:
    return sealed.build(sealed.prepare(tmp_path_factory.mktemp("build")))


def of(places: tuple[Blobs, Blobs], url: str) -> Life:
    (life,) = explain(*places, url=url)
    return life


def shown(lives: list[Life]) -> str:
    console = Console(width=400)
    with console.capture() as captured:
        console.print(show(lives))
    return captured.get()


def test_a_survivor_is_where_the_shard_has_it(places: tuple[Blobs, Blobs]) -> None:
    life = of(places, "http://a.example/1")
    assert [v.stage for v in life.visits] == ["read", "upper", "size", "script", "at-least", "sign", "dedup", "encode"]
    assert (life.source, life.path, life.record, life.fate) == ("web", "a.txt", 0, "packed")
    assert life.text == "THE FIRST PAGE OF THE FIRST SITE"
    assert life.place is not None
    reader = ShardReader(Path(places[0].root) / life.place.shard)
    tokens = reader.tokens(life.place.start, life.place.stop)
    assert "".join(sealed.LETTERS[t] for t in tokens[:-1]) == life.text
    assert int(tokens[-1]) == 105
    assert life.visits[2].values == {"chars": "32"}


def test_a_dropped_document_says_where_and_why(places: tuple[Blobs, Blobs]) -> None:
    life = of(places, "http://a.example/2")
    assert (life.fate, life.place, life.text) == ("dropped", None, "SHORT")
    assert (life.visits[-1].stage, life.visits[-1].drop) == ("at-least", "short")
    assert re.search(r"at-least +dropped: short", shown([life]))


def test_a_duplicate_names_its_twin(places: tuple[Blobs, Blobs]) -> None:
    kept, dropped = of(places, "http://a.example/1"), of(places, "http://a.example/3")
    twin = dropped.visits[-1].twin
    assert twin is not None
    assert (twin.survivor, twin.kept, twin.partner, twin.similarity, twin.cluster_size) == (
        kept.id,
        False,
        kept.id,
        1.0,
        2,
    )
    assert (twin.source, twin.path, twin.url) == ("web", "a.txt", "http://a.example/1")
    assert dropped.visits[-1].drop == "exact_duplicate"
    said = f"duplicate of {kept.id} (web, a.txt, http://a.example/1), of 2 alike; similarity 1.000 to it"
    assert said in shown([dropped])
    own = kept.visits[-2].twin
    assert own is not None
    assert (own.kept, own.survivor, own.partner, own.source) == (True, kept.id, dropped.id, None)
    assert f"kept, of 2 alike; similarity 1.000 to {dropped.id}" in shown([kept])


def test_a_triplet_has_one_survivor(places: tuple[Blobs, Blobs]) -> None:
    lives = [of(places, f"http://b.example/{n}") for n in (2, 4, 5)]
    assert sorted(life.fate for life in lives) == ["dropped", "dropped", "packed"]
    twins = [next(v.twin for v in life.visits if v.twin) for life in lives]
    assert {twin.survivor for twin in twins} == {life.id for life in lives if life.fate == "packed"}
    assert {twin.cluster_size for twin in twins} == {3}


def test_by_id_as_by_url(places: tuple[Blobs, Blobs]) -> None:
    life = of(places, "http://b.example/1")
    assert explain(*places, id=life.id) == [life]
    assert life.visits[3].values == {"lang": "zh", "han_share": "1"}


def test_a_book_and_its_parts(places: tuple[Blobs, Blobs]) -> None:
    build = Build(*places)
    partition = next(p for p in build.partitions() if p.source == "books" and p.chunk == 0)
    seen = Tables(places[1], partition)
    (book,) = explain(*places, id=seen.column(0, "id")[0].as_py().hex())
    assert [v.stage for v in book.visits] == ["read", "upper", "halves"]
    assert book.visits[-1].values == {"made": "2 parts"}
    assert [part.text for part in book.parts] == ["A LONG BOOK THAT I", "S CUT IN TWO PARTS"]
    assert [part.bytes for part in book.parts] == [(0, 18), (18, 36)]
    assert all(part.fate == "packed" and part.record == 0 for part in book.parts)
    (again,) = explain(*places, id=book.parts[1].id)
    assert again.id == book.id
    assert again.parts == [book.parts[1]]
    assert again.unshown_parts == 1
    text = shown([again])
    assert f"part {book.parts[1].id}, bytes 18 to 36" in text
    assert "and 1 other part\n" in text


def test_a_book_that_stays_whole(places: tuple[Blobs, Blobs]) -> None:
    build = Build(*places)
    partition = next(p for p in build.partitions() if p.source == "books" and p.chunk == 0)
    row = Tables(places[1], partition).column(0, "id")[1].as_py()
    (book,) = explain(*places, id=row.hex())
    assert [part.id for part in book.parts] == [book.id]
    assert (book.parts[0].fate, book.parts[0].visits[-1].drop) == ("dropped", "short")
    assert "whole, goes on under its id" in shown([book])


def test_an_unreadable_record(places: tuple[Blobs, Blobs]) -> None:
    build = Build(*places)
    partition = next(p for p in build.partitions() if p.source == "web" and p.path == "a.txt" and p.chunk == 0)
    seen = Tables(places[1], partition)
    lost = int(np.flatnonzero(np.asarray(seen.column(0, "drop").is_valid()))[0])
    (life,) = explain(*places, id=seen.column(0, "id")[lost].as_py().hex())
    assert (life.fate, life.text, life.url, life.record) == ("dropped", None, None, 3)
    assert [v.drop for v in life.visits] == ["damaged"]


def test_hostile_text_does_not_drive_a_terminal(places: tuple[Blobs, Blobs]) -> None:
    text = shown([of(places, "http://a.example/<script>alert(1)</script>")])
    assert "\x1b" not in text
    assert "\\x1b[31M OF A HOSTILE" in text


@pytest.mark.parametrize(
    "query", [{"id": "0" * 32}, {"id": "xyz"}, {"url": "http://nowhere"}, {}, {"id": "0", "url": "u"}]
)
def test_what_is_not_there(places: tuple[Blobs, Blobs], query: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"no document has|Expected 32 hexadecimal|no record has the URL|Give one of"):
        explain(*places, **query)


def test_values_are_brief() -> None:
    assert brief(b"\x01" * 16) == "01" * 16
    assert brief(b"\x01" * 17) == f"{'01' * 12}… (17 bytes)"
    assert brief("x" * 81) == f"{'x' * 80}… (81 characters)"
    assert brief(list(range(10))) == "[0, 1, 2, 3, 4, 5, 6, 7, …] (10 items)"
    assert brief([{"row": 1, "start": 0.12345}]) == "[row 1, start 0.1235]"
    assert brief(None) == "null"
