"""Explain: the life of a document, told from what the stages wrote."""

import re
from pathlib import Path

import likes
import numpy as np
import pytest
import sealed
from rich.console import Console

from corpus.errors import InputError
from corpus.explain import Life, Twin, brief, explain, show
from corpus.kin import Kin
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
    stages = ["read", "upper", "size", "script", "at-least", "sign", "dedup", "heldout", "encode"]
    assert [v.stage for v in life.visits] == stages
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


def twin_of(life: Life) -> Twin:
    (twin,) = [visit.twin for visit in life.visits if visit.twin]
    return twin


def test_a_duplicate_names_its_twin(places: tuple[Blobs, Blobs]) -> None:
    kept, dropped = of(places, "http://a.example/1"), of(places, "http://a.example/3")
    first = Kin(kept.id, "web", "a.txt", "http://a.example/1")
    assert twin_of(dropped) == Twin("exact", False, first, 1.0, 1.0, first, 2)
    assert dropped.visits[-1].drop == "exact_duplicate"
    text = shown([dropped])
    assert f"exact copy of {kept.id} (web, a.txt, http://a.example/1)" in text
    assert "cluster of 2; that one is the best of them" in text
    assert twin_of(kept) == Twin(None, True, best=Kin(kept.id), cluster_size=2, left=1)
    assert "cluster of 2; it is the best of them, 1 left for it" in shown([kept])
    assert "rare_similarity" not in shown([dropped])


def test_a_triplet_has_one_survivor(places: tuple[Blobs, Blobs]) -> None:
    lives = [of(places, f"http://b.example/{n}") for n in (2, 4, 5)]
    assert sorted(life.fate for life in lives) == ["dropped", "dropped", "packed"]
    (best,) = (life.id for life in lives if life.fate == "packed")
    twins = {life.id: twin_of(life) for life in lives}
    assert {twin.best and twin.best.id for twin in twins.values()} == {best}
    assert {twin.cluster_size for twin in twins.values()} == {3}
    assert {twin.left for twin in twins.values()} == {2, None}


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> tuple[Blobs, Blobs]:
    return likes.build(likes.write(tmp_path_factory.mktemp("likes"), "likes", likes.documents()))


def test_a_near_duplicate_names_both_similarities(alike: tuple[Blobs, Blobs]) -> None:
    lives = [of(alike, f"http://web.example/{n}") for n in (8, 9, 10)]
    (kept,) = [life for life in lives if life.fate == "kept"]
    for life in lives:
        twin = twin_of(life)
        assert twin.cluster_size == 3
        if life is kept:
            assert (twin.relation, twin.partner, twin.best) == (None, None, Kin(kept.id))
            assert "the best of them, 2 left for it, or were told apart from it" in shown([life])  # it says no more
        else:
            assert twin.relation == "near"
            assert twin.partner == twin.best == Kin(kept.id, "web", "a.jsonl", kept.url)
            told = f"near duplicate of {kept.id} (web, a.jsonl, {kept.url}): similarity {twin.similarity:.3f} on all "
            assert f"{told}shingles, {twin.rare_similarity:.3f} on rare ones" in shown([life])
            assert "errors" in shown([life])


def test_a_page_of_a_template_stays_and_says_why(alike: tuple[Blobs, Blobs]) -> None:
    lives = [of(alike, f"http://web.example/{n}") for n in range(8)]
    assert {life.fate for life in lives} == {"kept"}
    twins = [visit.twin for life in lives for visit in life.visits if visit.twin]
    assert [twin.relation for twin in twins] == ["template"] * 7
    assert all(twin.similarity and twin.similarity > 0.8 and twin.rare_similarity == 0 for twin in twins)
    text = shown(lives)
    assert text.count("one of a template: kept although it is 0.830 like ") == 7
    assert text.count(", since it is 0.000 on rare shingles") == 7


def test_like_one_that_left_but_not_like_the_one_that_stays(alike: tuple[Blobs, Blobs]) -> None:
    first, second = of(alike, "http://books.example/60"), of(alike, "http://web.example/11")
    third = of(alike, "http://late.example/0")
    assert [life.fate for life in (first, second, third)] == ["kept", "dropped", "kept"]
    twin = twin_of(third)
    assert (twin.relation, twin.partner and twin.partner.id, twin.best and twin.best.id) == (
        "apart",
        second.id,
        first.id,
    )
    told = (
        f"kept although it is 0.842 like {second.id} (web, a.jsonl, {second.url}), which left: it is not like the one"
    )
    assert told in shown([third])
    assert f"cluster of 3; {first.id} (books, a.jsonl, {first.url}) is the best of them" in shown([third])


def test_a_document_of_an_earlier_build(tmp_path: Path) -> None:
    """Of the same source, file and record, so of the same id."""
    texts = {"books": likes.documents()["books"][:3]}
    likes.build(likes.write(tmp_path, "old", texts))
    places = likes.build(likes.write(tmp_path, "new", texts, 'against = ["old.out"]\n'))
    life = of(places, "http://books.example/1")
    old = Kin(life.id, "books", "a.jsonl", "http://books.example/1", "old.out")
    assert twin_of(life) == Twin("exact", False, old, 1.0, 1.0, old, 2)
    assert f"exact copy of {life.id} (build old.out, books, a.jsonl, http://books.example/1)" in shown([life])
    assert "cluster of 2; that one is the best of them" in shown([life])
    places[0].remove("runs.jsonl")  # nobody knows where the manifest was
    assert twin_of(of(places, "http://books.example/1")).partner == Kin(life.id)


def test_one_url(tmp_path: Path) -> None:
    texts = {"books": likes.documents()["books"][:4]}
    path = likes.write(tmp_path, "urls", texts)
    lines = (tmp_path / "data/books/a.jsonl").read_text().splitlines(keepends=True)
    (tmp_path / "data/books/b.jsonl").write_text(lines[1].replace(texts["books"][1], "another text"))
    path.write_text(path.read_text().replace('kind = "normalise"', 'kind = "dedup-urls"'))
    text = path.read_text()
    path.write_text(text[: text.index('[[stage]]\nkind = "sign"')])
    lives = explain(*likes.build(path), url="http://books.example/1")
    assert sorted(life.fate for life in lives) == ["dropped", "kept"]
    kept, dropped = sorted(lives, key=lambda life: life.fate != "kept")
    assert twin_of(dropped) == Twin("url", False, Kin(kept.id, "books", kept.path, kept.url))
    assert f"has the URL of {kept.id}" in shown([dropped])


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
