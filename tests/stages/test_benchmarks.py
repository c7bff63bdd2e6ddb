"""Files of benchmark items: formats, fields, and what is wrong with them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from corpus.errors import InputError, RecipeError
from stages.benchmarks import Benchmark, items

RECORDS = [
    {"question": "Who?", "choices": {"text": ["A", "B"], "label": ["1", "2"]}, "turns": [{"say": "hi"}, {"say": "ho"}]},
    {"question": "好？", "choices": {"text": [], "label": []}, "turns": []},
    {"question": None, "choices": None, "turns": None},
]
LINES = "".join(json.dumps(record) + "\n" for record in RECORDS).encode()


def read(path: Path, *fields: str, **parameters: Any) -> list[list[str]]:
    one = Benchmark(name="b", files=(path.name,), fields=fields, **parameters)
    return list(items(one, {path.name: path}))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", LINES),
        ("a.jsonl", LINES.rstrip(b"\n").replace(b"\n", b"\n\n")),
        ("a.jsonl.gz", gzip.compress(LINES[:40]) + gzip.compress(LINES[40:])),
        ("a.jsonl.zst", zstandard.compress(LINES[:40]) + zstandard.compress(LINES[40:])),
    ],
)
def test_json_lines(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    assert read(tmp_path / name, "question") == [["Who?"], ["好？"], []]
    assert read(tmp_path / name, "choices.text", "question", "turns.say") == [
        ["A", "B", "Who?", "hi", "ho"],
        ["好？"],
        [],
    ]


def test_parquet(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(RECORDS), tmp_path / "a.parquet")
    got = read(tmp_path / "a.parquet", "turns.say", "choices.text", "question", format="parquet")
    assert got == [["hi", "ho", "A", "B", "Who?"], ["好？"], []]


@pytest.mark.parametrize(
    ("data", "fields", "message"),
    [
        (LINES, ("questoin",), "`a.jsonl`: no record has a text in `questoin`"),
        (LINES, ("question", "choices"), "no record has a text in `choices`"),
        (b"", ("text",), "no record has a text in `text`"),
        (b'{"text": "a"}\n{broken\n', ("text",), "`a.jsonl`, line 2: not JSON"),
        (b'{"text": "a"}\n["b"]\n', ("text",), "`a.jsonl`, record 1: not an object"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, data: bytes, fields: tuple[str, ...], message: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "a.jsonl", *fields)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.jsonl.gz", gzip.compress(LINES)[:-9], "`a.jsonl.gz`: truncated"),
        ("a.jsonl.zst", zstandard.compress(LINES)[:-9], "`a.jsonl.zst`: truncated"),
        ("a.jsonl.zst", LINES, "`a.jsonl.zst`: damaged"),
        ("a.parquet", LINES, "`a.parquet`: cannot be read as parquet"),
    ],
)
def test_a_damaged_file_loses_no_item_in_silence(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=message):
        read(tmp_path / name, "question", format="parquet" if name.endswith("parquet") else "jsonl")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"name": "Big Bench"}, r"^\.benchmark\.name: got 'Big Bench'"),
        ({"files": ()}, r"^\.benchmark\.files: benchmark 'b' has none"),
        ({"fields": ()}, r"^\.benchmark\.fields: benchmark 'b' has none"),
    ],
)
def test_a_benchmark_without(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Benchmark(**({"name": "b", "files": ("a",)} | parameters))
