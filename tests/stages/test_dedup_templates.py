"""Pages of one template, and what only looks like one: noisy copies, syndicated articles, forms."""

import random
from collections.abc import Sequence

import pytest
from dedup_truth import (
    Document,
    Found,
    brute_force,
    check_evidence,
    dedup,
    documents,
    edited,
    jaccard,
    shingles,
    text_of,
    tokens,
)

from stages.dedup import Dedup


def pages(rng: random.Random, count: int, own: float, language: str = "en", slots: int = 1) -> list[list[str]]:
    """`own` of each page stands in slots of a frame of 300 units."""
    frame = tokens(rng, 300, language)
    size = round(300 * own / (1 - own)) // slots
    cuts = sorted(rng.sample(range(20, 280), slots))
    made = []
    for _ in range(count):
        page: list[str] = []
        for begin, end in zip([0, *cuts], [*cuts, 300], strict=True):
            page += frame[begin:end] + (tokens(rng, size, language) if end < 300 else [])
        made.append(page)
    return made


def judged(docs: Sequence[Document], stage: Dedup | None = None) -> tuple[Found, set[str]]:
    """-> (verdicts, names of those that stay)"""
    found, _ = dedup(docs, stage, rows=17, bundles=3)
    check_evidence(docs, found)
    return found, {doc.name for doc in docs if not found[doc.id]["drop"]}


def alike(docs: Sequence[Document]) -> bool:
    one, other = (shingles(doc.text) for doc in docs[:2])
    return jaccard(one, other) >= 0.8


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("count", [3, 5, 20, 100])
@pytest.mark.parametrize("own", [0.03, 0.08, 0.15])
def test_pages_with_content_of_their_own_stay(count: int, own: float, language: str) -> None:
    rng = random.Random(f"{count} {own} {language}")
    docs = documents([text_of(page, language) for page in pages(rng, count, own, language, rng.choice([1, 2]))])
    found, stay = judged(docs)
    assert len(stay) == count
    relations = [verdict["relation"] for verdict in found.values()]
    assert set(relations) <= {"template", None}
    assert own > 0.03 or relations.count("template") == count - 1


def test_a_thousand_pages() -> None:
    rng = random.Random(1)
    made = pages(rng, 1000, 0.06)
    docs = documents([text_of(page) for page in made])
    docs += documents([text_of(edited(rng, page, 3)) for page in made[:30]], "copy")
    found, stay = judged(docs)
    pairs = [(f"d{n}", f"copy{n}") for n in range(30)]
    assert {f"d{n}" for n in range(30, 1000)} <= stay
    assert all(one in stay or other in stay for one, other in pairs)
    assert sum(one in stay and other in stay for one, other in pairs) <= 1
    assert [v["relation"] for v in found.values()].count("template") >= 900


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("count", [4, 8, 20, 70])
@pytest.mark.parametrize("own", [0.05, 0.08, 0.12])
def test_a_copy_of_a_page_leaves_and_no_other_page_does(count: int, own: float, language: str) -> None:
    rng = random.Random(f"{count} {own} {language} copies")
    made = pages(rng, count, own, language)
    copies = [edited(rng, page, 3, language) for page in made[:3]]
    docs = documents([text_of(page, language) for page in made])
    docs += documents([text_of(page, language) for page in copies], "copy")
    _, stay = judged(docs)
    assert {f"d{n}" for n in range(3, count)} <= stay
    left = [(f"d{n}" in stay) + (f"copy{n}" in stay) for n in range(3)]
    assert min(left) == 1
    assert sum(left) <= 4  # one copy may have all its errors in the content, and be half another page


@pytest.mark.parametrize("changed", [1, 2, 3, 6])
@pytest.mark.parametrize("own", [9, 12, 16, 25])
def test_a_page_with_errors_in_its_frame_takes_no_other_with_it(own: int, changed: int) -> None:
    """The best of 21 pages has words of the frame changed: what the others have and it has not is half frame."""
    rng = random.Random(f"{own} {changed}")
    frame = tokens(rng, 300)
    made = [frame[:150] + tokens(rng, own) + frame[150:] for _ in range(21)]
    for n in range(changed):
        made[0][20 * n + 10] = "typo"
    docs = documents([text_of(page) for page in made])
    docs[0] = docs[0]._replace(priority=0)
    _, stay = judged(docs)
    assert len(stay) == 21


def test_the_bare_frame_takes_no_page_with_it() -> None:
    rng = random.Random(6)
    frame = tokens(rng, 300)
    made = [frame, *(frame[:150] + tokens(rng, 25) + frame[150:] for _ in range(20))]
    docs = documents([text_of(page) for page in made])
    docs[0] = docs[0]._replace(priority=0)
    _, stay = judged(docs)
    assert len(stay) == 21


@pytest.mark.parametrize("size", [3, 10, 64, 65, 200])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_noisy_copies_of_one_original_collapse_as_by_brute_force(size: int, language: str) -> None:
    """With up to 2% of their units replaced: no template is seen in them."""
    rng = random.Random(f"{size} {language}")
    base = tokens(rng, 300, language)
    most = 3 if language == "zh" else 6
    made = [base, *(edited(rng, base, rng.randint(1, most), language) for _ in range(size - 1))]
    docs = documents([text_of(one, language) for one in made])
    found, stay = judged(docs)
    want = [verdict["drop"] for verdict in brute_force(docs).values()].count(None) if size <= 65 else len(stay)
    assert want <= len(stay) <= want + 2  # errors of two copies at one place look like the fields of a form
    assert [v["relation"] for v in found.values()].count("template") <= 2
    assert [v["relation"] for v in found.values()].count("near") >= size // 4


@pytest.mark.parametrize("count", [5, 20, 100])
@pytest.mark.parametrize("fields", [3, 4])
def test_filled_forms_stay(count: int, fields: int) -> None:
    rng = random.Random(f"{count} {fields}")
    frame = tokens(rng, 300)
    places = [300 // fields * n + 7 for n in range(fields)]
    made = []
    for _ in range(count):
        form = list(frame)
        for at in places:
            form[at : at + 1] = [
                str(rng.randrange(10**6)),
                rng.choice(["main", "old", "new"]) + str(rng.randrange(999)),
            ]
        made.append(form)
    docs = documents([text_of(form) for form in made])
    assert alike(docs)
    _, stay = judged(docs)
    assert len(stay) == count


@pytest.mark.parametrize("sites", [2, 5, 20])
def test_an_article_in_the_frames_of_several_sites(sites: int) -> None:
    """From three sites on it looks like a template with each site's navigation as content, and stays: the error that
    keeps text. `repeats` and `cut` take navigation out before."""
    rng = random.Random(sites)
    article = tokens(rng, 600)
    docs = [Document(text_of(tokens(rng, 40) + article), f"copy {site}") for site in range(sites)]
    assert len(judged(docs)[1]) == (1 if sites < 3 else sites)
    bare = [Document(text_of(article), f"copy {site}") for site in range(sites)]
    assert len(judged(bare)[1]) == 1


def test_pages_of_content_that_others_quote_stay() -> None:
    """Twenty pages of one frame, each around a text that stands in twenty more documents."""
    rng = random.Random(7)
    frame = tokens(rng, 600)
    docs: list[Document] = []
    for page in range(20):
        quoted = tokens(rng, 60)
        docs.append(Document(text_of(frame + quoted), f"page {page}"))
        docs += documents([text_of(quoted + tokens(rng, 400)) for _ in range(20)], f"quoting {page}-")
    _, stay = judged(docs)
    assert len(stay) == len(docs)


def test_two_pages_alone_are_duplicates() -> None:
    """With two documents nothing tells a frame from what two copies share: the rules need three pages."""
    docs = documents([text_of(page) for page in pages(random.Random(2), 2, 0.05)])
    assert alike(docs)
    _, stay = judged(docs)
    assert len(stay) == 1
    third = documents([text_of(page) for page in pages(random.Random(2), 3, 0.05)])
    assert len(judged(third)[1]) == 3


@pytest.mark.parametrize("count", [3, 100])
def test_without_templates_the_pages_leave(count: int) -> None:
    docs = documents([text_of(page) for page in pages(random.Random(count), count, 0.05)])
    found, stay = judged(docs, Dedup(templates=False))
    assert len(stay) == 1
    assert {v["relation"] for v in found.values()} == {"near", None}


def test_other_scopes_do_not_decide_what_is_a_template() -> None:
    """The same ten pages in thirty snapshots, each time with one more word: within each nothing is a duplicate."""
    made = pages(random.Random(3), 10, 0.08)
    one = [Document(text_of([*page, f"seen0{n}"]), f"0-{n}", "crawl", snapshot="0") for n, page in enumerate(made)]
    all_ = [
        Document(text_of([*page, f"seen{week}x{n}"]), f"{week}-{n}", f"crawl {week}", snapshot=str(week))
        for week in range(30)
        for n, page in enumerate(made)
    ]
    stage = Dedup(scope="snapshot")
    assert len(judged(one, stage)[1]) == 10
    assert len(judged(all_, stage)[1]) == 300
