"""Decontamination in a whole build: what the shards hold, what the sealed manifest, `explain`, `status` and the report
say, and what is built again when something changes."""

import json
import os
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import benchmark_files
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from sentencepiece import SentencePieceProcessor

import stages
from corpus import explain, recipe
from corpus.build import Builder
from corpus.check_removed import check_removed
from corpus.drive import Outcome, compile_corpus
from corpus.errors import InputError, RecipeError
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.report import report
from corpus.screen import print_outcome
from corpus.status import survey
from corpus.store import Blobs
from corpus.tokens import ShardReader
from corpus.verify import verify

ROOT = Path(__file__).parent.parent
MANIFEST = """
name = "clean"
seed = 7

[[source]]
name = "web"
format = "jsonl"
root = "data"
files = ["*.jsonl"]
licence = "CC0-1.0"
read = {{ partition_rows = {rows} }}

[[stage]]
kind = "normalise"

[[stage]]
kind = "contamination"

[[stage.benchmark]]
name = "reading"
files = ["reading.jsonl"]
licence = "{licence}"
origin = "https://example.org/reading"

[[stage.benchmark]]
name = "titles"
files = ["titles.jsonl"]
fields = ["title", "answers"]

[[stage]]
kind = "decontaminate"

[[stage]]
kind = "encode"
tokenizer = "{tokenizer}"

[[stage]]
kind = "pack"
"""
ENGLISH = "Nobody in the village remembered who had first painted the small boat blue before it was left on the shore"
CHINESE = "村里没有人记得是谁最先把那条小船漆成蓝色然后把它留在了岸边的沙滩上"
TITLE = "小城里的最后一家书店关门了"[:12]


def prose(seed: int, sentences: int) -> str:
    rng = random.Random(seed)
    words = ["harbour", "morning", "letter", "window", "teacher", "river", "garden", "winter", "number", "station"]
    made = [" ".join(rng.choice(words) + str(rng.randrange(99)) for _ in range(9)) for _ in range(sentences)]
    return ". ".join(made) + "."


def documents() -> list[str]:
    whole = [prose(n, 12) for n in range(6)]
    return [
        *whole[:3],
        f"{prose(10, 8)} {ENGLISH.upper()}! {prose(11, 8)}",
        f"{prose(12, 8)}\n{CHINESE[:20]}，{CHINESE[20:]}\n{prose(13, 1)}",
        f"{prose(14, 8)}\n{TITLE}\n{prose(15, 8)}",
        ENGLISH,
        " ".join(f"{prose(n, 8)} {ENGLISH}" for n in range(20, 31)),
        *whole[3:],
    ]


def address(text: str) -> str:
    return f"http://a.example/{zlib.crc32(text.encode())}"


def write(folder: Path, rows: int = 100, licence: str = "MIT") -> Path:
    (folder / "data").mkdir(exist_ok=True)
    for number, texts in enumerate((documents()[:5], documents()[5:])):
        lines = "".join(json.dumps({"text": text, "url": address(text)}) + "\n" for text in texts)
        (folder / "data" / f"{number}.jsonl").write_text(lines)
    benchmark_files.write(
        folder, reading=[ENGLISH, CHINESE], titles=[{"title": TITLE, "answers": ["yes", "no"]}, {"title": "untold"}]
    )
    path = folder / "clean.toml"
    path.write_text(MANIFEST.format(rows=rows, licence=licence, tokenizer=ROOT / "tokenizers" / "zh-en-16k"))
    return path


class Backwards(Local):
    """Tasks run, and answer, in the wrong order."""

    def map(self, function: Any, items: Any) -> Iterator[tuple[int, Any]]:
        for index, item in reversed(list(enumerate(items))):
            yield index, function(item)


def build(path: Path, executor: Any = None, out: str = "out") -> tuple[Builder, Outcome]:
    plan = recipe.load(path, stages.Stage, stages.Reader)
    builder = Builder(Graph(plan, Blobs(str(path.parent / "store"))), executor or Local(), Progress(quiet=True))
    return builder, compile_corpus(builder, Blobs(str(path.parent / out)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Builder, Outcome]:
    path = write(tmp_path_factory.mktemp("clean"))
    return path, *build(path)


def packed(folder: Path, outcome: Outcome) -> list[str]:
    assert outcome.manifest is not None
    model = SentencePieceProcessor(str(ROOT / "tokenizers" / "zh-en-16k" / "tokenizer.model"))
    texts = []
    for shard in outcome.manifest["shards"]:
        reader = ShardReader(folder / shard["path"])
        texts += [model.decode(reader.doc(n)[:-1].tolist()) for n in range(len(reader))]
    return sorted(texts)


def visits(path: Path, text: str) -> tuple[explain.Life, dict[str, explain.Visit]]:
    out, store = Blobs(str(path.parent / "out")), Blobs(str(path.parent / "store"))
    (life,) = [one for one in explain.explain(out, store, url=address(text)) if (one.text or "")[:40] == text[:40]]
    return life, {visit.stage: visit for visit in life.visits}


def shown(what: Any) -> str:
    console = Console(width=1000)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_shards_hold_the_pieces(built: tuple[Path, Builder, Outcome]) -> None:
    path, _, outcome = built
    texts = packed(path.parent / "out", outcome)
    own = documents()
    for text in [*own[:3], *own[8:]]:
        assert text in texts
    assert len(texts) == 6 + 2 + 1 + 2
    for text, (before, behind) in ((own[3], (prose(10, 8), prose(11, 8))), (own[5], (prose(14, 8), prose(15, 8)))):
        (left,) = [t for t in texts if before.startswith(t)]
        (right,) = [t for t in texts if behind.endswith(t)]
        assert left + right != text
        assert min(len(left), len(right)) >= 200
    assert not any("NOBODY" in text or "Nobody" in text or TITLE in text or CHINESE[:13] in text for text in texts)


def test_the_sealed_manifest_says_what_was_found(built: tuple[Path, Builder, Outcome]) -> None:
    path, _, outcome = built
    assert outcome.manifest is not None
    found = outcome.manifest["exchanges"]["contamination"]
    assert {name: n for name, n in found.items() if not name.endswith("chars_cut")} == {
        "dropped": 2,
        "documents_cut": 3,
        **{
            f"reading.{name}": n
            for name, n in {
                "items": 2, "short": 0, "too_short": 0, "grams": 8 + 21, "grams_found": 29, "grams_ignored": 0,
                "items_found": 2, "documents_cut": 2, "documents_dropped": 2,
            }.items()
        },
        **{
            f"titles.{name}": n
            for name, n in {
                "items": 2, "short": 1, "too_short": 1, "grams": 1, "grams_found": 1, "grams_ignored": 0,
                "items_found": 1, "documents_cut": 1, "documents_dropped": 0,
            }.items()
        },
    }  # fmt: skip
    assert found["chars_cut"] == found["reading.chars_cut"] + found["titles.chars_cut"] > 3 * 400
    assert outcome.manifest["cards"] == {
        "contamination": {
            "reading": {"licence": "MIT", "origin": "https://example.org/reading"},
            "titles": {"licence": "", "origin": ""},
        }
    }
    (source,) = outcome.manifest["sources"]
    flows = {flow["stage"]: flow for flow in source["funnel"]}
    assert flows["contamination"]["dropped"] == {"contaminated": 1, "cut_too_often": 1}
    sums = flows["decontaminate"]["sums"]
    assert sums["parent_bytes"] == sums["text_bytes"] + sums["cut_bytes"]
    assert sums["text_bytes"] == sum(len(text.encode()) for text in packed(path.parent / "out", outcome))
    stage = outcome.manifest["parameters"]["contamination"]
    assert (stage["units"], stage["benchmark"][1]["fields"]) == (13, ["title", "answers"])
    assert verify(Blobs(str(path.parent / "out")), Blobs(str(path.parent / "store")), Local()).wrong == []


def test_explain_shows_the_cut(built: tuple[Path, Builder, Outcome]) -> None:
    path, _, _ = built
    life, own = visits(path, documents()[3])
    start = documents()[3].index("NOBODY")
    text = own["contamination"].values["contamination"]
    assert text.startswith(
        f"1 span of {len(ENGLISH)} bytes (reading item 0 at {start} to {start + len(ENGLISH)}: 8 grams, in 3 documents: "
        f"“NOBODY IN THE VILLAGE REMEMBERED"
    )
    assert ", for reading)" in own["contamination"].values["contamination_cuts"]
    assert [part.fate for part in life.parts] == ["packed", "packed"]
    assert own["decontaminate"].values == {"made": "2 parts"}
    assert "reading item 0 at" in shown(explain.show([life]))
    life, own = visits(path, documents()[4])
    assert "match at" in own["contamination"].values["contamination_cuts"]
    assert len(life.parts) == 1
    life, own = visits(path, documents()[6])
    assert (own["contamination"].drop, own["contamination"].detail) == ("contaminated", "reading item 0")
    life, own = visits(path, documents()[7])
    assert (own["contamination"].drop, own["contamination"].detail) == ("cut_too_often", "11 cuts")


def test_the_screen_and_the_report_tell_of_each_task(built: tuple[Path, Builder, Outcome]) -> None:
    path, builder, outcome = built
    out = Blobs(str(path.parent / "out"))
    console = Console(width=300)
    with console.capture() as captured:
        print_outcome(console, outcome, out, {"steps_made": 1, "peak_worker_bytes": 1}, 1.0)
    lines = [line.split() for line in captured.get().splitlines()]
    assert [line[:6] for line in lines if line[:1] in (["reading"], ["titles"])] == [
        ["reading", "2", "0", "0", "2", "29"],
        ["titles", "2", "1", "1", "1", "1"],
    ]
    page = Path(report(out, builder.store)).read_text()
    assert '<h2 id="benchmarks">' in page
    assert '<h2 id="duplicates">' not in page
    assert '<td class="group">reading</td><td class="num">2</td>' in page
    assert '<td class="name">MIT</td>' in page


def test_any_partitions_and_any_order_of_tasks(built: tuple[Path, Builder, Outcome], tmp_path: Path) -> None:
    path, _, outcome = built
    texts = packed(path.parent / "out", outcome)
    for rows, executor in ((1, None), (2, Backwards()), (100, Backwards())):
        folder = tmp_path / f"{rows}-{executor is None}"
        folder.mkdir()
        _, other = build(write(folder, rows), executor)
        assert packed(folder / "out", other) == texts
        assert other.exchanges == outcome.exchanges
        assert other.manifest is not None
        assert outcome.manifest is not None
        if rows == 100:
            assert [s["bin"] for s in other.manifest["shards"]] == [s["bin"] for s in outcome.manifest["shards"]]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_workers_of_a_cluster_load_the_benchmarks(
    built: tuple[Path, Builder, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpus.cluster import Cluster

    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, ROOT / "tests"))))
    cluster = Cluster(2)
    try:
        _, other = build(write(tmp_path), cluster)
    finally:
        cluster.close()
    _, _, outcome = built
    assert other.exchanges == outcome.exchanges
    assert other.manifest is not None
    assert outcome.manifest is not None
    assert [s["bin"] for s in other.manifest["shards"]] == [s["bin"] for s in outcome.manifest["shards"]]


def test_what_changes_is_built_again(tmp_path: Path) -> None:
    path = write(tmp_path)
    build(path)
    assert build(path)[0].costs.steps == 0
    write(tmp_path, licence="CC-BY-4.0")
    builder, outcome = build(path)
    assert builder.costs.steps == 0  # what is said of a benchmark changes no row
    assert outcome.manifest is not None
    assert outcome.manifest["cards"]["contamination"]["reading"]["licence"] == "CC-BY-4.0"
    benchmark_files.write(tmp_path, titles=[{"title": TITLE, "answers": ["a new answer"]}, {"title": "untold"}])
    plan = recipe.load(path, stages.Stage, stages.Reader)
    status = survey(
        Builder(Graph(plan, Blobs(str(tmp_path / "store"))), Local(), Progress(quiet=True)),
        Blobs(str(tmp_path / "out")),
    )
    (one,) = [one for one in status.stages if one.stage == "contamination"]
    assert one.state == "stale"
    assert any("asset" in why for why in one.why)
    builder, _ = build(path)
    assert builder.costs.steps == 2  # the verdicts of two partitions; they are what they were, and nothing follows
    # Two files that change places are other benchmarks under the same names.
    reading, titles = tmp_path / "reading.jsonl", tmp_path / "titles.jsonl"
    data = reading.read_bytes(), titles.read_bytes()
    path.write_text(path.read_text().replace('fields = ["title", "answers"]', ""))
    titles.write_bytes(data[0].splitlines(keepends=True)[1])
    _, before = build(path)
    other = reading.read_bytes(), titles.read_bytes()
    reading.write_bytes(other[1])
    titles.write_bytes(other[0])
    _, after = build(path)
    found = [
        (o.exchanges["contamination"]["reading.items"], o.exchanges["contamination"]["titles.items"])
        for o in (before, after)
    ]
    assert found == [(2, 1), (1, 2)]


def test_what_is_taken_down_leaves_no_gram_behind(tmp_path: Path) -> None:
    """The tables quote what documents share with items."""
    path = write(tmp_path)
    build(path)

    def quoted() -> list[str]:
        tables = [pq.read_table(file) for file in (tmp_path / "store" / "tables" / "contamination").glob("*.parquet")]
        return [p["gram"] for table in tables for own in table["contamination"].to_pylist() for p in own]

    gram = ENGLISH.upper()[:40]
    assert any(text.startswith(gram) for text in quoted())
    url = address(documents()[3])
    (tmp_path / "remove.txt").write_text(f"{url}\n")
    path.write_text(path.read_text().replace("seed = 7", 'seed = 7\nremove = { list = "remove.txt" }'))
    build(path)
    assert quoted()
    assert not any(text.startswith(gram) for text in quoted())
    assert check_removed([(Blobs(str(tmp_path / "out")), Blobs(str(tmp_path / "store")))]).ok


@pytest.mark.parametrize(
    ("was", "now", "error", "message"),
    [
        ('name = "titles"', 'name = "reading"', RecipeError, r"\$\.stage\[1\]\.benchmark\.name: 'reading' names two"),
        ('fields = ["title", "answers"]', "fields = []", RecipeError, r"\$\.stage\[1\]\.benchmark\.fields: benchmark"),
        (
            'fields = ["title", "answers"]',
            'field = ["title"]',
            RecipeError,
            r"benchmark\[1\]\.field: no such field. Did you mean `fields`",
        ),
        ('files = ["titles.jsonl"]', 'files = ["none.jsonl"]', InputError, "asset `none.jsonl` was not found"),
        (
            'fields = ["title", "answers"]',
            'fields = ["name"]',
            InputError,
            "`titles.jsonl`: no record has a text in `name`",
        ),
    ],
)
def test_what_is_wrong_in_a_manifest(tmp_path: Path, was: str, now: str, error: type[Exception], message: str) -> None:
    path = write(tmp_path)
    text = path.read_text()
    assert was in text
    path.write_text(text.replace(was, now))
    with pytest.raises(error, match=message):
        build(path)
