"""Verify: every byte of every file counts, and so does every law above the bytes."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pytest
import sealed
from rich.console import Console

from corpus import record, tables
from corpus.errors import VerifyError
from corpus.findings import Findings, show
from corpus.identity import canonical, sha256
from corpus.opened import Build
from corpus.store import Blobs
from corpus.verify import verify

NOT_OF_A_BUILD = ("inputs", "runs", "probe", "runs.jsonl", "packed")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    _, store = sealed.build(sealed.prepare(folder))
    record.fold(store, "web", "upper", at_least=1)
    record.fold(store, "web", "file", at_least=1)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "copy", dirs_exist_ok=True)
    return tmp_path / "copy"


def check(folder: Path, repair: bool = False) -> Findings:
    return verify(Blobs(str(folder / "out")), Blobs(str(folder / "store")), repair)


def parts(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file that belongs to the build: (name as reported, path)"""
    for place in ("out", "store"):
        for path in sorted((folder / place).rglob("*")):
            name = path.relative_to(folder / place).as_posix()
            if path.is_file() and name.split("/")[0] not in NOT_OF_A_BUILD:
                yield name, path


def test_a_whole_build_is_right(whole: Path) -> None:
    found = check(whole)
    assert found.wrong == []
    kinds = {name.split("/")[0] for name, _ in parts(whole)}
    of_out = {"manifest.json", "manifest.sha256", "mixture.json", "steps", "index", "heldout", "tokens"}
    assert kinds == of_out | {"tables", "records", "assets"}
    assert found.files == len(list(parts(whole)))
    assert found.bytes == sum(path.stat().st_size for _, path in parts(whole))
    manifest = msgspec.json.decode((whole / "out" / "manifest.json").read_bytes())
    assert found.documents == sum(s["documents"] for s in manifest["shards"]) >= 10
    assert found.root == (whole / "out" / "manifest.sha256").read_text().strip()


def test_one_flipped_byte_in_any_file_is_found_and_named(folder: Path) -> None:
    files = list(parts(folder))
    assert len(files) > 60
    for number, (name, path) in enumerate(files):
        data = path.read_bytes()
        if data:
            place = (0, len(data) - 1, len(data) // 2, number * 7919 % len(data))[number % 4]
            path.write_bytes(data[:place] + bytes([data[place] ^ 1 << number % 8]) + data[place + 1 :])
            assert name in {finding.file for finding in check(folder).wrong}, (name, place)
        if number % 8 == 0:
            path.write_bytes(data + b"\0" if number % 16 else data[:-1])
            assert name in {finding.file for finding in check(folder).wrong}, (name, "length")
        path.write_bytes(data)
    assert check(folder).ok


def test_every_byte_of_the_root_counts(folder: Path) -> None:
    path = folder / "out" / "manifest.sha256"
    data = path.read_bytes()
    for place in range(len(data)):
        for bit in range(8):
            path.write_bytes(data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :])
            assert "manifest.sha256" in {finding.file for finding in check(folder).wrong}


def test_a_flipped_byte_of_data_names_that_file_alone(folder: Path) -> None:
    for place in ("out/tokens", "out/index", "out/steps", "store/tables", "store/records", "store/assets"):
        path = sorted(p for p in (folder / place).rglob("*") if p.is_file())[-1]
        data = path.read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 128]))
        assert {f.file for f in check(folder).wrong} == {path.relative_to(folder / place.split("/")[0]).as_posix()}
        path.write_bytes(data)


def test_a_missing_file_is_found_and_named(folder: Path) -> None:
    for name, path in list(parts(folder))[::5]:
        if name.startswith("manifest"):
            continue
        data = path.read_bytes()
        path.unlink()
        found = {finding.file for finding in check(folder).wrong}
        if "/fold-" in name:  # which fold held a record is not known: the records themselves are missing
            assert any(file.startswith(name.rsplit("/", 1)[0]) for file in found)
        else:
            assert name in found
        path.write_bytes(data)


def test_files_that_no_manifest_names(folder: Path) -> None:
    (folder / "out" / "tokens" / "more.bin").write_bytes(b"x")
    assert [(f.file, f.problem) for f in check(folder).wrong] == [("tokens/more.bin", "is not named in the manifest")]


def test_no_build(tmp_path: Path) -> None:
    with pytest.raises(VerifyError, match="no sealed build here"):
        verify(Blobs(str(tmp_path)), None)


def test_without_a_store_the_build_directory_is_checked(folder: Path) -> None:
    shutil.rmtree(folder / "store")
    assert verify(Blobs(str(folder / "out")), None).ok
    path = next((folder / "out" / "tokens").glob("*.bin"))
    path.write_bytes(path.read_bytes()[:-2] + b"\0\0")
    assert [f.file for f in verify(Blobs(str(folder / "out")), None).wrong] == [f"tokens/{path.name}"]


def test_a_build_on_an_object_store(folder: Path, s3: str) -> None:
    out, store = Blobs(f"{s3}/out"), Blobs(f"{s3}/store")
    for place, blobs in (("out", out), ("store", store)):
        for path in sorted((folder / place).rglob("*")):
            if path.is_file():
                blobs.put(path.relative_to(folder / place).as_posix(), path.read_bytes())
    assert verify(out, store).wrong == []
    name = f"tokens/{largest(folder, '.bin')}"
    out.put(name, out.get(name)[:-1] + b"?")
    store.remove(next(iter(store.walk("tables/size"))))
    assert {f.problem.split()[0] for f in verify(out, store, repair=True).wrong} == {"has", "is"}
    assert not out.exists(name)


def test_what_another_build_left_in_the_store_is_no_concern(folder: Path) -> None:
    (folder / "store" / "records" / "_scope" / "dedup" / f"{'0' * 64}.json").write_bytes(b"?")
    (folder / "store" / "records" / "web" / "size" / f"{'0' * 64}.json").write_bytes(b"?")
    (folder / "store" / "tables" / "size" / "foreign.parquet").write_bytes(b"?")
    assert check(folder).ok


# -- consistent bytes, broken laws: everything is sealed again after the change -------------------------------------


def reseal(folder: Path, change: dict[str, bytes], manifest: dict | None = None) -> None:
    """Put `change` into the build directory with all digests made to fit."""
    out = folder / "out"
    sealed_manifest = manifest or msgspec.json.decode((out / "manifest.json").read_bytes())

    def fit(value: object) -> None:
        if isinstance(value, dict):
            if value.get("path") in change and "sha256" in value:
                data = change[value["path"]]
                value["bytes"], value["sha256"] = len(data), sha256(data)
            for inner in value.values():
                fit(inner)
        elif isinstance(value, list):
            for inner in value:
                fit(inner)

    fit(sealed_manifest)
    for name, data in change.items():
        (out / name).write_bytes(data)
    data = canonical(sealed_manifest)
    (out / "manifest.json").write_bytes(data)
    (out / "manifest.sha256").write_text(sha256(data) + "\n")


def problems(folder: Path) -> str:
    return "\n".join(f"{f.file} {f.problem}" for f in check(folder).wrong if not f.file.startswith("records/"))


def largest(folder: Path, suffix: str) -> str:
    return max((folder / "out" / "tokens").glob(f"web_train*{suffix}"), key=lambda p: p.stat().st_size).name


def test_another_token_is_found(folder: Path) -> None:
    name = f"tokens/{largest(folder, '.bin')}"
    data = bytearray((folder / "out" / name).read_bytes())
    data[0] ^= 1
    reseal(folder, {name: bytes(data)})
    assert "they, or their tokens, are not the same" in problems(folder)


def test_a_token_outside_the_vocabulary_and_a_lost_end(folder: Path) -> None:
    name = f"tokens/{largest(folder, '.bin')}"
    data = bytearray((folder / "out" / name).read_bytes())
    data[-1] = 0xFF
    reseal(folder, {name: bytes(data)})
    found = problems(folder)
    assert f"{name} holds token ids outside the vocabulary of 106" in found
    assert f"{name} holds documents that do not end in the end-of-document token 105" in found


def test_a_document_packed_twice_is_found(folder: Path) -> None:
    name = f"tokens/{largest(folder, '.docs.parquet')}"
    docs = tables.read((folder / "out" / name).read_bytes())
    row = docs["row"].to_pylist()
    columns = {n: docs[n] for n in docs.column_names} | {"row": pa.array([row[1], *row[1:]], pa.uint32())}
    reseal(folder, {name: tables.to_bytes(tables.canonical(columns))})
    assert "documents are packed" in problems(folder)
    columns = {n: docs[n] for n in docs.column_names} | {
        "tokens": pa.array(docs["tokens"].to_pylist()[::-1], pa.int32())
    }
    reseal(folder, {name: tables.to_bytes(tables.canonical(columns))})
    assert "do not lie where the index says" in problems(folder)


def test_an_index_entry_that_points_elsewhere_is_found(folder: Path) -> None:
    name = "index/urls-00000.parquet"
    table = tables.read((folder / "out" / name).read_bytes())
    row = pa.array([table["row"][0].as_py() + 1, *table["row"].to_pylist()[1:]], pa.uint32())
    reseal(folder, {name: tables.to_bytes(tables.canonical({n: table[n] for n in table.column_names} | {"row": row}))})
    assert "index/urls-*.parquet" in problems(folder)


def test_a_funnel_that_says_otherwise_is_found(folder: Path) -> None:
    manifest = msgspec.json.decode((folder / "out" / "manifest.json").read_bytes())
    manifest["sources"][0]["funnel"][1]["kept"] += 1
    manifest["sources"][1]["files"][0]["skipped_bytes"] += 1
    reseal(folder, {}, manifest)
    found = problems(folder)
    assert "manifest.json web: its funnel is not the sum of the records" in found
    assert "manifest.json books: a.txt: spans" in found


def test_a_record_that_breaks_a_law_is_found(folder: Path) -> None:
    name = "steps/00000.parquet"
    table = tables.read((folder / "out" / name).read_bytes())
    lines = table["record"].to_pylist()
    for i, line in enumerate(lines):
        one = msgspec.json.decode(line)
        if one["definition"]["kind"] == "at-least" and one["dropped"]:
            one["kept"] += 1
            lines[i] = canonical(one)
    columns = {n: table[n] for n in table.column_names} | {"record": pa.array(lines, pa.binary())}
    reseal(folder, {name: tables.to_bytes(tables.canonical(columns))})
    found = {f.problem for f in check(folder).wrong}
    assert any("rows are missing" in text for text in found)
    assert any("were alive before it" in text for text in found)


def test_a_table_that_differs_from_its_record_is_found(folder: Path) -> None:
    """Other values in a table, its digest in the record made to fit: the column's digest does not."""
    build = Build(Blobs(str(folder / "out")), Blobs(str(folder / "store")))
    partition = next(p for p in build.partitions() if p.source == "web" and p.records[2].rows > 1)
    old = partition.records[2]
    table = tables.read((folder / "store" / old.table.name).read_bytes())
    for column, text in (
        ("chars", "the values of `chars` are not those of its record"),
        ("row", "`row` is not sorted"),
        ("drop", "its survivors are not those of its record"),
    ):
        values = table[column].to_pylist()
        changed = pa.array(["gone", *values[1:]] if column == "drop" else values[::-1], table[column].type)
        data = tables.to_bytes(tables.canonical({n: table[n] for n in table.column_names} | {column: changed}))
        (folder / "store" / "tables" / "size" / "other.parquet").write_bytes(data)
        new = msgspec.structs.replace(old, table=record.Table("tables/size/other.parquet", len(data), sha256(data)))
        name = "steps/00000.parquet"
        steps = tables.read((folder / "out" / name).read_bytes())
        lines = [
            canonical(new) if msgspec.json.decode(r)["step"] == old.step else r for r in steps["record"].to_pylist()
        ]
        columns = {n: steps[n] for n in steps.column_names} | {"record": pa.array(lines, pa.binary())}
        reseal(folder, {name: tables.to_bytes(tables.canonical(columns))})
        assert f"tables/size/other.parquet {text}" in problems(folder)


# -- repair ------------------------------------------------------------------------------------------------------------


def test_repair_takes_away_what_is_damaged_and_a_build_makes_it_again(folder: Path, whole: Path) -> None:
    before = {name: path.read_bytes() for name, path in parts(folder)}
    damaged = [
        "store/" + next(name for name in before if name.startswith(prefix))
        for prefix in (
            "tables/size/",
            "tables/upper/",
            "records/web/file/",
            "records/web/upper/fold-",
            "assets/",
            "records/books/size/",
            "records/web/shard/",
            "records/_scope/dedup/",
            "tables/dedup/",
        )
    ] + [f"out/{next(name for name in before if name.endswith(end))}" for end in (".bin", ".docs.parquet")]
    for name in damaged:
        path = folder / name
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    found = check(folder, repair=True)
    assert {f.file for f in found.wrong} >= {name.split("/", 1)[1] for name in damaged}
    touched = {name for name, path in parts(folder) if path.read_bytes() != before.get(name)}
    folds = ("records/web/upper/", "records/web/file/")  # their records, put back one by one
    assert touched
    assert all(name.startswith(folds) and name.endswith(".json") for name in touched)
    gone = set(before) - {name for name, _ in parts(folder)}
    assert {name.split("/", 1)[1] for name in damaged if "records" not in name} <= gone
    assert any("put back" in line for line in found.repaired)
    sealed.build(sealed.prepare(folder))
    assert check(folder).wrong == []
    after = {name: path.read_bytes() for name, path in parts(folder)}
    assert {n: after[n] for n in before if "records/" not in n} == {n: before[n] for n in before if "records/" not in n}


def test_repair_touches_nothing_of_a_whole_build(folder: Path) -> None:
    before = {name: path.read_bytes() for name, path in parts(folder)}
    assert check(folder, repair=True).repaired == []
    assert {name: path.read_bytes() for name, path in parts(folder)} == before


def test_findings_are_shown_without_control_characters(folder: Path) -> None:
    (folder / "out" / "tokens" / "a\x1b[31m").write_bytes(b"x")
    console = Console(width=200, record=True, force_terminal=False)
    with console.capture() as captured:
        console.print(show(check(folder)))
    assert "\x1b" not in captured.get()
    assert "a\\x1b[31m  is not named in the manifest" in captured.get()
