"""Guard rails: what stops a build, what it says, how it goes on."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import likes
import pytest
import toys

import stages
from corpus import guard_rails, recipe
from corpus.build import Builder
from corpus.drive import compile_corpus
from corpus.errors import GuardError, RecipeError
from corpus.graph import Graph
from corpus.identity import define
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs
from stages.dedup import Dedup

SHARE = "max_dropped_share = 0.4\n"


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard_rails, "LEAST_DROPPED", 20)


def run(path: Path, executor: Any = None) -> Builder:
    builder = likes.builder(path)
    builder.executor = executor or builder.executor
    compile_corpus(builder, Blobs(str(path.parent / "out")))
    return builder


def stopped(path: Path, executor: Any = None) -> str:
    with pytest.raises(GuardError) as caught:
        run(path, executor)
    return str(caught.value)


def test_a_source_that_loses_too_much_stops_the_build_until_it_is_accepted(tmp_path: Path) -> None:
    texts = likes.documents()
    path = likes.write(tmp_path, "m", texts, SHARE)
    first = stopped(path)
    assert "`dedup` drops 35 of 45 documents of source `web`: 77.8%, above max_dropped_share = 0.4." in first
    assert "books`:" not in first
    assert f'with kind = "dedup" of {path}:\n    accept = ["web"]\n' in first
    assert not (tmp_path / "out/manifest.json").exists()
    assert stopped(path) == first  # adopted this time
    likes.write(tmp_path, "m", texts, SHARE + 'accept = ["web"]\n')
    builder = run(path)
    assert (tmp_path / "out/manifest.json").exists()
    assert builder.costs.steps == 0  # nothing was made again
    likes.write(tmp_path, "m", texts, "max_dropped_share = 0.8\n")
    assert run(path).costs.steps == 0


def test_pairs_stand_side_by_side(tmp_path: Path) -> None:
    text = stopped(likes.write(tmp_path, "m", likes.documents(), SHARE))
    assert text.count("dropped: web, http://web.example/") == text.count("stays: ") == 3
    assert text.count("exact duplicate\n") == 3
    assert max(map(len, text.splitlines())) <= 120


def test_a_cluster_above_its_limit(tmp_path: Path) -> None:
    texts = likes.documents()
    texts = {"books": texts["books"][:1], "web": texts["web"][8:11], "late": [texts["books"][0]] * 3}
    path = likes.write(tmp_path, "m", texts, "max_cluster = 2\n")
    data = tmp_path / "data/late/a.jsonl"
    data.write_text(data.read_text().replace("late.example/", "late.example/\\u001b[31m"))
    hostile = data.read_text()
    text = stopped(path)
    copies, noisy = (line for line in text.splitlines() if line.startswith("`dedup` puts"))
    assert "puts 4 documents in cluster " in copies
    assert copies.endswith(", above max_cluster = 2. For it leave 3 of `late`.")
    assert noisy.endswith("For it leave 2 of `web`.")
    ids = [line.split(" in cluster ")[1][:32] for line in (copies, noisy)]
    assert f'accept = ["{ids[0]}", "{ids[1]}"]' in text
    assert "near duplicate: similarity 0.907 on all shingles, 0.000 on rare ones" in text
    assert "[[0]]" in text or "[[1]]" in text or "[[2]]" in text  # where they differ
    assert "\x1b" not in text  # what a page says does not drive a terminal
    assert "dropped: late, http://late.example/\\x1b[31m" in text
    likes.write(tmp_path, "m", texts, f'max_cluster = 2\naccept = ["{ids[0]}"]\n')
    data.write_text(hostile)
    rest = stopped(path)
    assert ids[0] not in rest.split("accept")[0]
    assert f'accept = ["{ids[0]}", "{ids[1]}"]' in rest
    likes.write(tmp_path, "m", texts, f'max_cluster = 2\naccept = ["{ids[0]}", "{ids[1]}"]\n')
    data.write_text(hostile)
    assert run(path).costs.steps == 0
    likes.write(tmp_path, "m", texts, "max_cluster = 4\n")
    run(path)


class Backwards:
    workers = 1

    def map(self, function: Any, items: Sequence[Any]) -> Any:
        yield from reversed([(i, function(item)) for i, item in enumerate(items)])


def test_the_same_message_in_whatever_order_tasks_finish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpus.pairs._BATCH", 1)
    monkeypatch.setattr(likes, "_SOURCE", likes._SOURCE.replace("= 40", "= 7"))
    path = likes.write(tmp_path, "m", likes.documents(), SHARE + "max_cluster = 1\n")
    text = stopped(path)
    assert text.count("`dedup` puts") == 19
    assert "\nAnd 13 more.\n" in text  # 32 clusters and a source, 20 are named
    assert stopped(path, Backwards()) == text


def test_few_documents_do_not_stop_a_build(tmp_path: Path) -> None:
    book = likes.documents()["books"][0]
    run(likes.write(tmp_path, "m", {"books": [book] * 20}, "max_dropped_share = 0.0\n"))  # 19 of 20 leave
    assert "95.2%" in stopped(likes.write(tmp_path, "m", {"books": [book] * 21}, "max_dropped_share = 0.5\n"))


def test_against_an_earlier_build(tmp_path: Path) -> None:
    texts = {"books": likes.documents()["books"]}
    likes.build(likes.write(tmp_path, "old", texts))
    rng = random.Random(3)
    texts["books"] = [" ".join([f"note{rng.random()}", *text.split()]) for text in texts["books"]]
    text = stopped(likes.write(tmp_path, "new", texts, 'against = ["old.out"]\n'))
    assert "drops 61 of 61 documents of source `books`: 100.0%" in text
    assert text.count("stays: old.out, books, http://books.example/") == 3
    assert text.count("dropped: books, http://books.example/") == 3
    assert text.count("[[note") == 3


def test_a_stage_that_drops_by_url_can_be_held_to_it(tmp_path: Path) -> None:
    """It has the fields, and no similarity."""

    class Urls(stages.DedupUrls, frozen=True, kw_only=True, tag="dedup-by-url"):
        guards = ("max_dropped_share", "accept")
        max_dropped_share: float = 0.5
        accept: tuple[str, ...] = ()

    path = likes.write(tmp_path, "m", {"books": likes.documents()["books"]})
    lines = (tmp_path / "data/books/a.jsonl").read_text()
    (tmp_path / "data/books/b.jsonl").write_text(lines)
    (tmp_path / "data/books/c.jsonl").write_text(lines)
    text = path.read_text().replace('kind = "normalise"', 'kind = "dedup-by-url"')
    path.write_text(text[: text.index('[[stage]]\nkind = "sign"')])

    def built() -> None:
        plan = recipe.load(path, stages.Stage | Urls, stages.Reader)
        builder = Builder(Graph(plan, Blobs(str(tmp_path / "store"))), Local(), Progress(quiet=True))
        compile_corpus(builder, Blobs(str(tmp_path / "out")))

    with pytest.raises(GuardError, match=r"66\.7%, above max_dropped_share = 0.5") as caught:
        built()
    assert "same url\n  dropped: books, http://books.example/" in str(caught.value)
    path.write_text(path.read_text().replace('kind = "dedup-by-url"', 'kind = "dedup-by-url"\naccept = ["books"]'))
    built()


def test_an_exchange_without_limits_is_held_to_none(tmp_path: Path) -> None:
    assert stages.DedupUrls.guards == () or "accept" in stages.DedupUrls.guards
    assert toys.Upper.guards == ()


def test_limits_are_no_part_of_identity() -> None:
    plain = define(Dedup(), {})
    assert define(Dedup(max_dropped_share=0.1, max_cluster=3, accept=("web",)), {}) == plain
    assert define(Dedup(threshold=0.7), {}) != plain


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('accept = ["wbe"]', r"\$\.stage\[2\]\.accept: got 'wbe': neither a source nor .* Did you mean `web`\?"),
        ("max_dropped_share = 1.5", r"max_dropped_share: got 1.5. Expected 0 to 1"),
        ("max_cluster = 0", r"max_cluster: got 0. Expected 1 or more"),
    ],
)
def test_wrong_limits(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        likes.builder(likes.write(tmp_path, "m", likes.documents(), line + "\n"))
