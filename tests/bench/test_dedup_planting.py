"""Planting: what is made of a few invented documents keeps its promises in both languages."""

import random
from collections import Counter

import pytest

from bench.dedup import edits, templates
from bench.dedup.boilerplate import sites
from bench.dedup.originals import Original, apart, pieces
from bench.dedup.planting import Planted, plant
from bench.dedup.truth import jaccard, shingles, units

HAN = "".join(chr(code) for code in range(0x4E00, 0x4E00 + 400))
LANGUAGES = ("en", "zh")


def invented(language: str, number: int, size: int = 400) -> str:
    """A document of `size` words or of four times as many characters, in lines; its own from the first unit on."""
    rng = random.Random(f"{language}/{number}")
    if language == "en":
        parts = [f"w{rng.randrange(3000)}" for _ in range(size)]
        lines = [" ".join(parts[at : at + 20]) for at in range(0, size, 20)]
    else:
        lines = ["".join(rng.choice(HAN) for _ in range(40)) + "，2021年" for _ in range(size // 10)]
    return "\n".join(lines)


def material(language: str) -> edits.Material:
    passages = [invented(language, 1000 + number) for number in range(8)]
    words = [f"v{number}" for number in range(100)] if language == "en" else list(HAN)
    return edits.Material(language, words, passages)


def planted(language: str) -> list[Planted]:
    found = [Original(f"file:{number}:0", "file", invented(language, number)) for number in range(120)]
    return plant(found, language, scale=0.01).documents


@pytest.fixture(scope="module", params=LANGUAGES)
def documents(request: pytest.FixtureRequest) -> list[Planted]:
    return planted(request.param)


def test_the_same_originals_give_the_same_set(documents: list[Planted]) -> None:
    again = planted(documents[0].id[:2])
    assert again == documents


def test_ids_are_unique_and_sorted_and_say_nothing_of_the_kind(documents: list[Planted]) -> None:
    names = [document.id for document in documents]
    assert len(set(names)) == len(names)
    assert names == sorted(names)


def test_every_kind_is_there_and_every_family_has_one_original(documents: list[Planted]) -> None:
    kinds = {document.kind for document in documents}
    assert {"exact", "edit-1%", "reordered", "renumbered", "template-5", "form-20", "short", "no-words"} <= kinds
    originals = Counter(document.family for document in documents if document.role == "original")
    assert set(originals.values()) == {1}
    assert set(originals) == {document.family for document in documents}


def test_copies_of_a_bin_have_a_similarity_in_it(documents: list[Planted]) -> None:
    sets = {document.id: shingles(units(document.text)) for document in documents}
    first = {document.family: document for document in documents if document.role == "original"}
    copies = [d for d in documents if d.role == "copy" and d.kind.startswith(("scattered", "blocks"))]
    assert len(copies) >= 6
    for copy in copies:
        low = float(copy.kind.split("-")[1])
        assert low <= jaccard(sets[copy.id], sets[first[copy.family].id]) < low + 0.05


def test_documents_of_different_families_are_no_copies_but_for_templates(documents: list[Planted]) -> None:
    unlike = [d for d in documents if not d.kind.startswith(("template", "form", "family"))]
    sets = [(d, shingles(units(d.text))) for d in unlike]
    for at, (one, mine) in enumerate(sets):
        for other, theirs in sets[at + 1 :]:
            assert one.family == other.family or jaccard(mine, theirs) < 0.5


def test_documents_without_words_have_none_and_differ(documents: list[Planted]) -> None:
    empty = [document.text for document in documents if document.kind == "no-words"]
    assert empty
    assert len(set(empty)) == len(empty)
    assert not any(units(text) for text in empty)


@pytest.mark.parametrize("language", LANGUAGES)
def test_scattered_edits_touch_as_many_units_as_asked(language: str) -> None:
    text = invented(language, 1)
    edited = edits.scattered(text, 3, material(language), random.Random(1))
    assert edited != text
    assert abs(len(units(edited)) - len(units(text))) <= 3
    width = 5 if language == "en" else 8
    assert len(shingles(units(text)) - shingles(units(edited))) <= 3 * (width + 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_a_template_share_all_but_their_content(language: str) -> None:
    source = material(language)
    fresh = templates.snippets(source.passages, language)
    made = templates.pages(invented(language, 5, 1000), 4, fresh, random.Random(2), language)
    sets = [shingles(units(page)) for page in made]
    assert len({frozenset(own) for own in sets}) == 4
    for at, one in enumerate(sets):
        for other in sets[at + 1 :]:
            assert 0.6 < jaccard(one, other) < 0.97


@pytest.mark.parametrize("language", LANGUAGES)
def test_forms_are_filled_in_differently_in_the_same_places(language: str) -> None:
    made = templates.forms(invented(language, 6, 800), 4, material(language), random.Random(3))
    sets = [shingles(units(page)) for page in made]
    assert all(0.6 < jaccard(sets[0], other) < 0.98 for other in sets[1:])


def test_case_white_space_and_width_leave_the_shingles() -> None:
    text = invented("en", 7)
    for way in (edits.recased, edits.respaced, edits.widened):
        changed = way(text, random.Random(4))
        assert changed != text
        assert shingles(units(changed)) == shingles(units(text))


def test_a_number_is_changed_and_nothing_else() -> None:
    assert len(edits.renumbered("on 12 May 2021", random.Random(5))) == len("on 12 May 2021")
    assert edits.renumbered("no number", random.Random(5)) == "no number"


def test_paragraphs_change_places_or_else_sentences() -> None:
    moved = edits.reordered("one\ntwo\nthree", random.Random(6))
    assert sorted(moved.split("\n")) == ["one", "three", "two"]
    assert moved != "one\ntwo\nthree"
    assert sorted(edits.reordered("一。二。三。", random.Random(6))) == sorted("一。二。三。")
    assert edits.reordered("one line", random.Random(6)) == "one line"


@pytest.mark.parametrize("language", LANGUAGES)
def test_boilerplate_is_as_long_as_asked_and_a_site_repeats_it(language: str) -> None:
    text = invented(language, 8)
    site, other = sites(language, [invented(language, 2000 + n)[:30] for n in range(20)])[:2]
    once, again = (site.around(text, 0.1, random.Random(n)) for n in (1, 2))
    assert 0.08 < (len(once) - len(text)) / len(text) < 0.12
    assert text in once
    assert once[: once.index(text)] == again[: again.index(text)] != other.around(text, 0.1, random.Random(1))[:50]


def test_of_two_that_are_alike_one_is_taken() -> None:
    text = invented("en", 9)
    found = [Original(str(n), "f", t) for n, t in enumerate([text, invented("en", 10), text.upper(), text[:900]])]
    assert [original.id for original in apart(found, str)] == ["0", "1"]


def test_long_documents_are_cut_on_line_ends() -> None:
    text = "\n".join("x" * 999 for _ in range(30))
    cut = pieces(text)
    assert "".join(cut) == text
    assert all(piece.endswith("\n") for piece in cut[:-1])
    assert max(map(len, cut)) <= 6_999
