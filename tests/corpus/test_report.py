"""The report: every figure in it follows from the build, and nothing in it can do harm."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sealed

from corpus.errors import VerifyError
from corpus.explain import explain
from corpus.local import Local
from corpus.opened import Build, Tables
from corpus.progress import Progress
from corpus.report import clean, render, report
from corpus.store import Blobs
from corpus.tally import SAMPLES, TallyTask, tally

VOID = {"meta", "br", "img", "input", "link", "hr"}


class Page(HTMLParser):
    """Tags in balance, attributes, and the text of the page."""

    def __init__(self, data: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.text = ""
        self.feed(data)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


class Backwards:
    """An executor that finishes last things first."""

    workers = 1

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        done = [(i, function(item)) for i, item in enumerate(items)]
        yield from reversed(done)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return Build(*sealed.build(sealed.prepare(tmp_path_factory.mktemp("build"))))


@pytest.fixture(scope="module")
def page(build: Build) -> str:
    place = report(build.out, build.store)
    assert place == f"{build.out.root}/report.html"
    return Path(place).read_text(encoding="utf-8")


def test_the_page_is_whole_and_needs_nothing_else(page: str) -> None:
    found = Page(page)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(found.tags)
    assert ("meta", "content", "default-src 'none'; style-src 'unsafe-inline'") in found.attributes
    for _, name, value in found.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "srcset", "action", "style")
        assert name != "href" or value.startswith("#")
    assert not re.search(r"url\(|@import|https?://", re.search(r"<style>(.*?)</style>", page, re.S)[1])  # type: ignore[index]
    anchors = {value for _, name, value in found.attributes if name == "id"}
    assert {value[1:] for _, name, value in found.attributes if name == "href"} <= anchors


def test_hostile_text_is_text(page: str) -> None:
    assert "<script>" not in page.lower()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;SCRIPT&gt;ALERT(&#39;X&#39;)&lt;/SCRIPT&gt;" in page
    assert "\x1b" not in page
    assert "\\x1b[31M OF A HOSTILE SITE" in Page(page).text


def test_the_same_page_in_whatever_order_tasks_finish(build: Build, page: str) -> None:
    assert render(build, Backwards(), Progress(quiet=True)) == page
    assert render(build, Local(), Progress(quiet=True)) == page


def test_figures_are_those_of_the_build(build: Build, page: str) -> None:
    text = Page(page).text
    for source in build.manifest["sources"]:
        for flow in source["funnel"]:
            for code, count in flow["dropped"].items():
                assert re.search(rf"{code} {count}\b", text)
    tokens = sum(shard.tokens for shard in build.shards)
    assert f"{tokens:,}tokens in {len(build.shards)} shards" in text.replace("\n", "")
    assert all(
        f"{count:,} {name.replace('_', ' ')}" in text for name, count in build.manifest["exchanges"]["dedup"].items()
    )
    assert "CC-BY-4.0" in text
    assert "The last run took 2.50 s" in text or "The last run took 2.5 s" in text
    assert "largest clusters" in text.lower()
    assert "3 alike" in text


def test_languages_fates_and_samples_against_single_documents(build: Build) -> None:
    """Each document is asked for by itself, by another way, and the answers are counted."""
    for source in build.sources:
        partitions = tuple(p for p in build.partitions() if p.source == source)
        found = tally(TallyTask(build.store, tuple(build.labels(source)), partitions))
        expected: dict[str, list[int]] = {}
        reasons: Counter[tuple[str, str]] = Counter()
        for partition in partitions:
            for identity in Tables(build.store, partition).column(0, "id").to_pylist():
                (life,) = explain(build.out, build.store, id=identity.hex())
                for one in life.parts or [life]:
                    values = {n: v for visit in one.visits for n, v in visit.values.items()}
                    last = one.visits[-1]
                    if last.drop:
                        reasons[last.stage, last.drop] += 1
                    if "lang" in values:
                        counts = expected.setdefault(values["lang"], [0, 0, 0, 0])
                        at = 2 * (one.fate == "dropped")
                        counts[at] += 1
                        counts[at + 1] += len((one.text or "").encode())
        assert found.languages == expected
        assert {key: min(SAMPLES, n) for key, n in reasons.items()} == {
            k: len(v) for k, v in found.samples.items() if k[0]
        }
        assert len(found.samples["", source]) == SAMPLES
        chars = found.histograms["chars"]
        assert chars.octaves.sum() == chars.linear.sum() == sum(c[0] + c[2] for c in expected.values())
        assert chars.octaves.sum(axis=1).tolist() == [
            sum(c[0] for c in expected.values()),
            sum(c[2] for c in expected.values()),
        ]


def test_a_build_without_shards_and_runs(tmp_path: Path) -> None:
    manifest = sealed.prepare(tmp_path)
    text = manifest.read_text()
    manifest.write_text(text[: text.index('[[stage]]\nkind = "script"')])
    out, store = sealed.build(manifest)
    out.remove("runs.jsonl")
    page = Page(Path(report(out, store)).read_text(encoding="utf-8"))
    assert "Where the time went" not in page.text
    assert "Shards" not in page.text
    assert "Funnel" in page.text


def test_no_build(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="no sealed build"):
        report(Blobs(str(tmp_path)), Blobs(str(tmp_path)))


def test_blanks_and_control_characters() -> None:
    assert clean("a\u3000b\tc\n\n\x00d\u202e") == "a b c\n\\x00d\\x202e"
