"""One big file and many tiny ones."""

import io
import json
from pathlib import Path

import pytest
import zstandard

from sampledata import stream_pile, tiny_files


def read(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(path.read_bytes())).read()


def test_stream_has_the_size_asked_for_and_is_deterministic(tmp_path: Path) -> None:
    first, second, other = (tmp_path / f"{n}.jsonl.zst" for n in range(3))
    count = stream_pile(first, seed=5, size_bytes=3_000_000)
    stream_pile(second, seed=5, size_bytes=3_000_000)
    stream_pile(other, seed=6, size_bytes=100_000)
    assert first.read_bytes() == second.read_bytes()
    raw = read(first)
    assert 3_000_000 <= len(raw) < 3_100_000
    records = [json.loads(line) for line in raw.splitlines()]
    assert len(records) == count
    assert len({record["text"] for record in records}) == count
    assert not read(other).startswith(raw[:2000])


def test_a_shorter_stream_is_the_beginning_of_a_longer_one(tmp_path: Path) -> None:
    stream_pile(tmp_path / "short", seed=1, size_bytes=200_000)
    stream_pile(tmp_path / "long", seed=1, size_bytes=500_000)
    assert read(tmp_path / "long").startswith(read(tmp_path / "short"))


def test_stream_refuses_no_bytes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        stream_pile(tmp_path / "x", seed=1, size_bytes=0)


def test_tiny_files(tmp_path: Path) -> None:
    total = tiny_files(tmp_path / "a", count=20, seed=2)
    tiny_files(tmp_path / "b", count=20, seed=2)
    files = sorted((tmp_path / "a").iterdir())
    assert len(files) == 20
    assert total == sum(len(file.read_bytes().splitlines()) for file in files)
    for file in files:
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()
        assert all(json.loads(line)["text"] for line in file.read_bytes().splitlines())
