"""Export: exactly the survivors, in every format the same, in files that do not depend on who wrote them."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow.parquet as pq
import pytest
import sealed
import takedown
import zstandard

from corpus import export_card
from corpus.errors import InputError, LawError
from corpus.export import FILE_BYTES, Exported, export
from corpus.export_rows import SCHEMA
from corpus.opened import Build
from corpus.store import Blobs
from corpus.tokens import ShardReader


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return Build(*sealed.build(sealed.prepare(tmp_path_factory.mktemp("whole"))))


def go(build: Build, out: Path, kind: str = "parquet", file_bytes: int = 200, **more: Any) -> Exported:
    return export(build, Blobs(str(out)), kind, file_bytes, **more)


def files(out: Path) -> dict[str, bytes]:
    return {p.relative_to(out).as_posix(): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def parquet_rows(out: Path) -> dict[tuple[str, str], list[dict[str, Any]]]:
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for path in sorted(out.glob("data/*/*.parquet")):
        found.setdefault((path.parent.name, path.name.split("-")[0]), []).extend(pq.read_table(path).to_pylist())
    return found


def packed(build: Build) -> dict[tuple[str, str], Counter[str]]:
    """Texts by source and split, from the tokens of the shards."""
    found: dict[tuple[str, str], Counter[str]] = {}
    for shard in build.shards:
        reader = ShardReader(Path(build.out.root) / shard.path)
        texts = [reader.doc(i).tolist()[:-1] for i in range(len(reader))]
        found.setdefault((shard.source, shard.split), Counter()).update(map(str, texts))
    return found


def encoded(text: str) -> str:
    return str([len(sealed.LETTERS) if (t := sealed.LETTERS.find(c)) < 0 else t for c in text])


def test_the_rows_are_what_was_packed(build: Build, tmp_path: Path) -> None:
    done = go(build, tmp_path)
    rows = parquet_rows(tmp_path)
    assert {key: Counter(encoded(row["text"]) for row in own) for key, own in rows.items()} == packed(build)
    assert {s for _, s in rows} == {"train", "heldout"}
    for (source, split), own in rows.items():
        count = done.counts[source][split]
        assert count.documents == len(own)
        assert count.text_bytes == sum(len(row["text"].encode()) for row in own)
        assert count.tokens == sum(row["tokens"] for row in own)
        for row in own:
            assert list(row) == SCHEMA.names
            assert row["source"] == source
            assert row["licence"] == {"web": "CC-BY-4.0", "books": "CC0-1.0"}[source]
            assert row["language"] == ("zh" if "我" in row["text"] else "en")
            assert build.place(source, bytes.fromhex(row["id"])) is not None
            line = (Path(build.out.root).parent / "data" / source / row["path"]).read_text().split("\n")[row["record"]]
            url, text = line.split("\t")
            assert (row["url"] or "") == url
            assert row["text"] in text.upper()
    assert {name: count.documents for name, count in done.languages.items()} == Counter(
        row["language"] for own in rows.values() for row in own
    )


def test_the_same_bytes_whoever_writes_and_in_any_order(build: Build, tmp_path: Path) -> None:
    class Backwards:
        workers = 2

        def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
            for index, item in reversed(list(enumerate(items))):
                yield index, function(item)

        def close(self) -> None:
            pass

    for kind in ("parquet", "jsonl"):
        go(build, tmp_path / f"{kind}-a", kind)
        go(build, tmp_path / f"{kind}-b", kind, executor=Backwards())
        assert files(tmp_path / f"{kind}-a") == files(tmp_path / f"{kind}-b")
        assert len(files(tmp_path / f"{kind}-a")) > 8


def test_an_export_that_was_stopped_goes_on(build: Build, tmp_path: Path) -> None:
    class Dies:
        workers = 1

        def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
            for index, item in enumerate(items):
                if index == 2:
                    raise KeyboardInterrupt
                yield index, function(item)

        def close(self) -> None:
            pass

    go(build, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        go(build, tmp_path / "cut", executor=Dies())
    assert not (tmp_path / "cut" / "export.json").exists()
    written = {p: p.stat().st_mtime_ns for p in (tmp_path / "cut").rglob("*.parquet")}
    assert len(written) >= 2
    go(build, tmp_path / "cut")
    assert files(tmp_path / "cut") == files(tmp_path / "whole")
    assert {p: p.stat().st_mtime_ns for p in written} == written


def test_another_export_takes_the_place_of_an_earlier_one_and_nothing_else(build: Build, tmp_path: Path) -> None:
    (tmp_path / "out" / "data" / "web").mkdir(parents=True)
    for name in ("notes.txt", "data/web/mine.txt"):
        (tmp_path / "out" / name).write_text("mine")
    go(build, tmp_path / "out", file_bytes=100)
    go(build, tmp_path / "out", "jsonl", FILE_BYTES)
    go(build, tmp_path / "new", "jsonl", FILE_BYTES)
    mine = {"notes.txt": b"mine", "data/web/mine.txt": b"mine"}
    assert files(tmp_path / "out") == files(tmp_path / "new") | mine


def test_a_file_that_was_damaged_in_size_or_lost_is_written_again(build: Build, tmp_path: Path) -> None:
    go(build, tmp_path)
    before = files(tmp_path)
    one, two = sorted(tmp_path.rglob("*.parquet"))[:2]
    one.unlink()
    two.write_bytes(b"short")
    go(build, tmp_path)
    assert files(tmp_path) == before


def test_what_was_taken_down_leaves_the_export(world: takedown.World, tmp_path: Path) -> None:
    build = Build(world.out(), world.store)
    go(build, world.folder / "out-x", file_bytes=1)
    assert any(name.startswith("out-x/data/web") for name in world.holds("web", "a", 2))
    before = {p: p.stat().st_mtime_ns for p in (world.folder / "out-x" / "data").rglob("*.parquet")}
    world.write(takedown.page("web", "a", 2)[0])
    world.build()
    go(Build(world.out(), world.store), world.folder / "out-x", file_bytes=1)
    assert [name for name in world.holds("web", "a", 2) if name.startswith("out-x/")] == []
    changed = [p for p, at in before.items() if p.stat().st_mtime_ns != at]
    assert len(changed) == 1
    assert len(before) > 5


def test_json_lines_hold_the_same_rows(build: Build, tmp_path: Path) -> None:
    go(build, tmp_path / "p")
    go(build, tmp_path / "j", "jsonl")
    for (source, split), want in parquet_rows(tmp_path / "p").items():
        got = []
        for path in sorted((tmp_path / "j" / "data" / source).glob(f"{split}-*.jsonl.zst")):
            with path.open("rb") as file:
                lines = zstandard.ZstdDecompressor().stream_reader(file).read().splitlines()
            for line in map(orjson.loads, lines):
                assert line["meta"] == {"pile_set_name": source}
                got.append({name: line[name] for name in ("id", "text", "source")} | line["metadata"])
        assert got == [{name: row[name] for name in got[0]} for row in want]


def test_our_own_reader_takes_the_lines_for_a_set_of_the_pile(build: Build, tmp_path: Path) -> None:
    from corpus.stage import Ledger
    from stages.read_pile import ReadPile

    go(build, tmp_path, "jsonl", FILE_BYTES)
    path = tmp_path / "data" / "web" / "train-00000.jsonl.zst"
    reader = ReadPile(subset="web")
    with path.open("rb") as file:
        texts = [t for chunk in reader.cut(file, path.name, Ledger()) for t in reader.parse(chunk)["text"].to_pylist()]
    assert Counter(map(encoded, texts)) == packed(build)["web", "train"]


def test_counts_are_those_of_the_seal(build: Build, tmp_path: Path) -> None:
    other = Build(build.out, build.store)
    other.sources["web"]["funnel"][-1]["kept"] += 1
    with pytest.raises(LawError, match=r"source `web`: \d+ documents survive `.*`, \d+ were exported"):
        go(other, tmp_path)
    assert not (tmp_path / "export.json").exists()
    other = Build(build.out, build.store)
    import msgspec

    other.shards[0] = msgspec.structs.replace(other.shards[0], tokens=other.shards[0].tokens + 1)
    with pytest.raises(LawError, match="its shards hold"):
        go(other, tmp_path)


def test_a_large_file_has_bounded_row_groups(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from corpus import export_files

    go(build, tmp_path / "one", file_bytes=FILE_BYTES)
    monkeypatch.setattr(export_files, "GROUP_ROWS", 4)
    monkeypatch.setattr(export_files, "GROUP_BYTES", 120)
    go(build, tmp_path / "many", file_bytes=FILE_BYTES)
    assert parquet_rows(tmp_path / "one") == parquet_rows(tmp_path / "many")
    told = pq.ParquetFile(tmp_path / "many" / "data" / "web" / "train-00000.parquet").metadata
    assert told.num_row_groups > 5
    assert max(told.row_group(i).num_rows for i in range(told.num_row_groups)) <= 4


def test_duckdb_reads_it(build: Build, tmp_path: Path) -> None:
    go(build, tmp_path)
    rows = duckdb.sql(f"select source, count(*), sum(tokens) from '{tmp_path}/data/*/train-*.parquet' group by 1")
    want = {s: (sum(c.values())) for (s, split), c in packed(build).items() if split == "train"}
    assert {source: count for source, count, _ in rows.fetchall()} == want


def test_datasets_reads_it(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    go(build, tmp_path / "x")
    found = datasets.load_dataset(str(tmp_path / "x"), "web", cache_dir=str(tmp_path / "cache"))
    assert {s: Counter(map(encoded, found[s]["text"])) for s in found} == {
        split: own for (source, split), own in packed(build).items() if source == "web"
    }


def test_croissant_describes_it(build: Build, tmp_path: Path) -> None:
    done = go(build, tmp_path)
    told = json.loads((tmp_path / "croissant.json").read_text())
    by_path = {f.path: f for f in done.files}
    files = [d for d in told["distribution"] if d["@type"] == "cr:FileObject"]
    assert {(f["contentUrl"], f["sha256"]) for f in files} == {
        (p, f.sha256) for p, f in by_path.items() if p.endswith(".parquet")
    }
    assert [r["name"] for r in told["recordSet"]] == ["web", "books"]
    assert told["license"] == ["https://spdx.org/licenses/CC-BY-4.0.html", "https://spdx.org/licenses/CC0-1.0.html"]
    mlcroissant = pytest.importorskip("mlcroissant")
    records = list(mlcroissant.Dataset(jsonld=str(tmp_path / "croissant.json")).records("books"))
    want = sum((own for (source, _), own in packed(build).items() if source == "books"), Counter())
    assert Counter(encoded(r["books/text"].decode()) for r in records) == want


def test_mosaic_reads_it(build: Build, tmp_path: Path) -> None:
    streaming = pytest.importorskip("streaming")
    go(build, tmp_path, "mds")
    found = streaming.StreamingDataset(local=str(tmp_path), split="train", batch_size=1)
    want = sum((own for (_, split), own in packed(build).items() if split == "train"), Counter())
    assert Counter(encoded(found[i]["text"]) for i in range(len(found))) == want


def test_a_format_that_is_none_or_not_here(build: Build, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"--format csv: no such format\. Formats: parquet, jsonl, mds"):
        go(build, tmp_path, "csv")


def test_the_card(build: Build, tmp_path: Path) -> None:
    done = go(build, tmp_path)
    text = (tmp_path / "README.md").read_text()
    head = text.split("---\n")[1]
    assert "license:\n- cc-by-4.0\n- cc0-1.0\n" in head
    assert 'language:\n- "en"\n- "zh"\n' in head
    assert 'config_name: "web"\n  data_files:\n  - split: train\n    path: "data/web/train-*.parquet"\n' in head
    assert f"`{done.manifest}`" in text
    assert f"| web | CC-BY-4.0 | 2024-10 | train | {done.counts['web']['train'].documents} |" in text
    assert "| web | dedup |" in text
    assert "exact_duplicate" in text
    assert "/tmp" not in text


@pytest.mark.parametrize(
    ("documents", "name"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**12 - 1, "100B<n<1T"), (10**12, "n>1T")],
)
def test_size_category(documents: int, name: str) -> None:
    assert export_card.size_category(documents) == name


@pytest.mark.parametrize(
    ("licence", "name"),
    [("Apache-2.0", "apache-2.0"), ("ODC-By-1.0", "odc-by"), ("LicenseRef-per-paper", "other"), ("", "other")],
)
def test_hub_licence(licence: str, name: str) -> None:
    assert export_card.hub_licence(licence) == name


def test_a_hostile_name_cannot_break_the_card() -> None:
    assert export_card._cell("a|b\n<script>\x1b") == "a\\|b\\x0a&lt;script>\\x1b"


def test_the_build_and_the_store_are_no_places_for_it(tmp_path: Path, build: Build) -> None:
    from typer.testing import CliRunner

    from corpus.cli import app

    shutil.copytree(Path(build.out.root), tmp_path / "out")
    args = ["export", str(tmp_path / "out"), "--out", str(tmp_path / "out"), "--store", build.store.root]
    assert "is the build directory or the store" in str(CliRunner().invoke(app, args).exception)
