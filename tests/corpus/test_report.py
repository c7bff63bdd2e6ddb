"""The report: every figure in it follows from the build, and nothing in it can do harm."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import likes
import pytest
import sealed

from corpus.alike import CLUSTERS, RELATIONS, SMALLEST, STAYED, Alike
from corpus.duplicates import meeting
from corpus.errors import VerifyError
from corpus.explain import explain
from corpus.local import Local
from corpus.opened import Build, Tables
from corpus.progress import Progress
from corpus.report import render, report
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
    assert "CC-BY-4.0" in text
    assert "The last run took 2.50 s" in text or "The last run took 2.5 s" in text
    assert "largest clusters" in text.lower()
    assert "3 alike; exact copy" in text


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


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return Build(*likes.build(likes.write(tmp_path_factory.mktemp("likes"), "likes", likes.documents())))


@pytest.fixture(scope="module")
def alike_page(alike: Build) -> str:
    return Path(report(alike.out, alike.store)).read_text(encoding="utf-8")


def rows_of(build: Build) -> list[dict[str, Any]]:
    """Ids, and what dedup wrote, of all documents."""
    found = []
    for partition in build.partitions():
        seen = Tables(build.store, partition)
        k = build.labels(partition.source).index("dedup")
        ids = seen.column(seen.level(k), "id").to_pylist()
        for row in seen.file(k).read().to_pylist():
            found.append(row | {"id": ids[row["row"]]})
    return found


def test_likeness_against_single_documents(alike: Build) -> None:
    whole: Alike | None = None
    for partition in alike.partitions():
        one = tally(TallyTask(alike.store, tuple(alike.labels(partition.source)), (partition,))).alike["dedup"]
        if whole is None:
            whole = one
        else:
            whole.add(one)
    assert whole is not None
    rows = rows_of(alike)
    for relation, counts in zip(RELATIONS, whole.similarities, strict=True):
        values = [row["similarity"] for row in rows if row["relation"] == relation]
        assert counts.sum() == len(values) > 0
        assert all(counts[int(value * 100)] for value in values)
    sizes = Counter(row["cluster_size"] for row in rows if row["cluster"] == row["id"])
    assert {int(n): int(c) for n, c in zip(SMALLEST, whole.sizes[0], strict=True) if c} == sizes == {2: 28, 3: 4}
    assert whole.sizes[1].sum() == alike.manifest["exchanges"]["dedup"]["clustered_documents"]
    least: dict[bytes, list[float]] = {}
    for row in rows:
        if row["drop"]:
            least.setdefault(row["cluster"], []).append(row["similarity"])
    largest = sorted(least, key=lambda cluster: (-len(least[cluster]), cluster))
    found = {bytes.fromhex(one.id): one.least.similarity for one in whole.clusters}
    three = {row["cluster"] for row in rows if row["cluster_size"] == 3}
    assert three <= set(found)
    assert len(found) == CLUSTERS
    assert all(value == min(least[cluster]) for cluster, value in found.items())
    assert set(largest[:3]) <= three
    assert {relation: len(own) for relation, own in whole.stayed.items()} == {"template": STAYED, "apart": 1}


def test_duplicates_stand_side_by_side(alike: Build, alike_page: str) -> None:
    section = alike_page[alike_page.index('<h2 id="duplicates"') : alike_page.index('<h2 id="kept"')]
    text = Page(section).text
    assert "0.842 on all shingles, 0.000 on rare ones" in text
    assert text.count("page of a template · 0.830 on all shingles, 0.000 on rare ones") == STAYED
    assert "32left as exact copies of one that stays" in text
    assert "3left as near duplicates of one that stays" in text
    assert "7stay as pages of templates" in text
    assert "0places in groups too large" in text
    pairs = re.findall(r'<article class="pair">(.*?)</article>', section, re.S)
    assert len(pairs) == CLUSTERS + STAYED + 1
    (near,) = [pair for pair in pairs if "3 alike; near duplicate" in pair and "0.907" in pair]
    marked = [re.findall(r"<mark>(.*?)</mark>", side) for side in near.split("<b>left</b>")]
    assert len({number for (number,) in marked}) == 2  # each has another one
    assert {number for (number,) in marked} <= {"0", "1", "2"}
    assert all(len(re.findall(r"<mark>", pair)) >= 2 for pair in pairs if "page of a template" in pair)
    assert not any("<mark>" in pair for pair in pairs if "the same text" in pair)


def test_hostile_text_is_text_in_pairs_too(alike_page: str) -> None:
    assert "<script" not in alike_page.lower()
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in alike_page
    found = Page(alike_page)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(found.tags)
    assert all(name not in ("src", "style", "href") or value.startswith("#") for _, name, value in found.attributes)


def test_the_curve_is_that_of_the_bands_and_rows(alike: Build, alike_page: str) -> None:
    assert alike.manifest["parameters"]["dedup"]["bands"] == 18
    assert "max_cluster" not in alike.manifest["parameters"]["dedup"]  # no part of what was built
    points = re.search(r'<polyline class="chance" points="(.*?)"', alike_page)
    assert points is not None
    low = 0.3  # at 0.4, the next tick, 3% of all pairs meet
    for point in points[1].split():
        x, y = map(float, point.split(","))
        similarity = low + (1 - low) * x / 640
        assert y == pytest.approx(150 * (1 - similarity**7) ** 18, abs=0.1)
    assert "threshold 0.8: two documents that similar meet in one of 18 bands of 7 with probability 0.986" in alike_page
    assert meeting(0.8, 14, 8) == pytest.approx(0.9235, abs=1e-4)
    assert [meeting(s, 5, 5) for s in (0.0, 1.0)] == [0, 1]


def test_pairs_do_not_depend_on_the_order_of_tasks(alike: Build, alike_page: str, monkeypatch: Any) -> None:
    monkeypatch.setattr("corpus.report._BATCH_ROWS", 0)
    assert render(alike, Backwards(), Progress(quiet=True)) == alike_page


def test_a_build_that_does_not_tell_its_parameters(alike: Build) -> None:
    own = Build(alike.out, alike.store)
    del own.manifest["parameters"]
    page = render(own, Local(), Progress(quiet=True))
    assert '<polyline class="chance"' not in page
    assert "left as exact copies" in page
