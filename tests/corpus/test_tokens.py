"""Token shards: round trips, the byte layout written out by hand, and Megatron-core reading what we wrote."""

import hashlib
import io
import struct
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import InputError, TaskError, VerifyError
from corpus.tokens import HEADER, ShardFiles, ShardReader, ShardWriter, optimal_dtype


def write(prefix: Path, documents: list[np.ndarray], vocab_size: int) -> ShardFiles:
    with open(f"{prefix}.bin", "wb") as bin_file, open(f"{prefix}.idx", "wb") as idx_file:
        writer = ShardWriter(bin_file, idx_file, vocab_size)
        for document in documents:
            writer.add(document)
        return writer.finish()


def random_documents(vocab_size: int, lengths: list[int]) -> list[np.ndarray]:
    generator = np.random.default_rng(7)
    return [generator.integers(0, vocab_size, size) for size in lengths]


@pytest.mark.parametrize(("vocab_size", "dtype"), [(65_499, "uint16"), (65_500, "int32"), (65_536, "int32")])
def test_dtype_follows_megatron(vocab_size: int, dtype: str) -> None:
    assert optimal_dtype(vocab_size) == np.dtype(dtype)


def test_bytes_are_the_documented_layout(tmp_path: Path) -> None:
    files = write(tmp_path / "s", [np.array([5, 6, 7]), np.array([9])], 100)
    assert (tmp_path / "s.bin").read_bytes() == struct.pack("<4H", 5, 6, 7, 9)
    assert (tmp_path / "s.idx").read_bytes() == (
        b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, 8, 2, 3) + struct.pack("<2i", 3, 1)
        + struct.pack("<2q", 0, 6) + struct.pack("<3q", 0, 1, 2)
    )  # fmt: skip
    assert HEADER.size == 34
    assert (files.documents, files.tokens, files.dtype) == (2, 4, "uint16")
    for suffix, digest in ((".bin", files.bin), (".idx", files.idx)):
        data = Path(f"{tmp_path}/s{suffix}").read_bytes()
        assert (digest.bytes, digest.sha256) == (len(data), hashlib.sha256(data).hexdigest())


@settings(max_examples=40, deadline=None)
@given(lengths=st.lists(st.integers(0, 50), max_size=40), wide=st.booleans(), cut=st.integers(0, 40))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, lengths: list[int], wide: bool, cut: int) -> None:
    prefix = tmp_path_factory.mktemp("shard") / "s"
    vocab_size = 250_000 if wide else 65_499
    documents = random_documents(vocab_size, lengths)
    files = write(prefix, documents, vocab_size)
    reader = ShardReader(prefix)
    reader.check()
    assert len(reader) == files.documents == len(documents)
    assert reader.lengths.tolist() == lengths
    assert reader.total_tokens == files.tokens
    assert reader.dtype == np.dtype(files.dtype)
    stream = np.concatenate([*documents, np.empty(0, np.int64)])
    assert np.array_equal(reader.tokens(0, reader.total_tokens), stream)
    at = min(cut, stream.size)
    assert np.array_equal(reader.tokens(at, stream.size), stream[at:])
    for i, document in enumerate(documents):
        assert np.array_equal(reader.doc(i), document)


def test_extend_writes_the_same_bytes_as_add() -> None:
    lengths = [3, 0, 11, 70_000, 1]
    documents = random_documents(50_000, lengths)
    files = []
    for many in (False, True):
        writer = ShardWriter(io.BytesIO(), io.BytesIO(), 50_000)
        if many:
            writer.extend(np.concatenate(documents[:2]).astype(np.int32), np.array(lengths[:2], np.int32))
            writer.extend(np.concatenate(documents[2:])[::1], np.array(lengths[2:]))
        else:
            for document in documents:
                writer.add(document)
        files.append(writer.finish())
    assert files[0] == files[1]


def test_index_of_many_blocks(tmp_path: Path) -> None:
    n = 3 * 65_536 + 5
    lengths = np.arange(n) % 4
    with open(tmp_path / "s.bin", "wb") as bin_file, open(tmp_path / "s.idx", "wb") as idx_file:
        writer = ShardWriter(bin_file, idx_file, 70_000)
        writer.extend(np.arange(lengths.sum()) % 70_000, lengths)
        writer.finish()
    reader = ShardReader(tmp_path / "s")
    reader.check()
    assert np.array_equal(reader.doc(n - 2), np.arange(lengths[:-2].sum(), lengths[:-1].sum()) % 70_000)


def test_a_file_that_takes_little_at_a_time_gets_everything() -> None:
    class Slow(io.BytesIO):
        def write(self, data: memoryview) -> int:
            return super().write(bytes(data[:3]))

    slow, idx = Slow(), io.BytesIO()
    writer = ShardWriter(slow, idx, 100)
    writer.add(np.arange(50))
    assert writer.finish().bin.bytes == 100
    assert slow.getvalue() == np.arange(50, dtype="<u2").tobytes()


@pytest.mark.parametrize(
    ("tokens", "lengths", "message"),
    [
        (np.array([100]), np.array([1]), "vocabulary of 100"),
        (np.array([-1]), np.array([1]), "vocabulary of 100"),
        (np.array([1, 2]), np.array([1]), "add up to 1"),
        (np.array([1]), np.array([2, -1]), "least -1"),
        (np.array([], np.int64), np.array([2**31]), "split it first"),
        (np.array([1.0]), np.array([1]), "integers"),
        (np.array([[1]]), np.array([1]), "1-d"),
    ],
)
def test_writer_refuses(tokens: np.ndarray, lengths: np.ndarray, message: str) -> None:
    writer = ShardWriter(io.BytesIO(), io.BytesIO(), 100)
    with pytest.raises(TaskError, match=message):
        writer.extend(tokens, lengths)
    assert writer.finish().documents == 0
    with pytest.raises(TaskError, match="twice"):
        writer.finish()
    with pytest.raises(TaskError, match="after finish"):
        writer.add(np.array([1]))


def test_reader_refuses_damage(tmp_path: Path) -> None:
    prefix = tmp_path / "s"
    write(prefix, random_documents(100, [4, 5, 6]), 100)
    index, data = Path(f"{prefix}.idx").read_bytes(), Path(f"{prefix}.bin").read_bytes()

    def reading(idx: bytes = index, tokens: bytes = data) -> ShardReader:
        Path(f"{prefix}.idx").write_bytes(idx)
        Path(f"{prefix}.bin").write_bytes(tokens)
        return ShardReader(prefix)

    cases = [
        (b"", data, "header"),
        (b"X" + index[1:], data, "header"),
        (index[:9] + b"\x02" + index[10:], data, "version 1"),
        (index[:17] + b"\x06" + index[18:], data, "type code"),
        (index[:-1], data, "bytes for 3 documents"),
        (index, data[:-2], "expected 30 bytes .* got 28"),
    ]
    for idx, tokens, message in cases:
        with pytest.raises(VerifyError, match=message):
            reading(idx, tokens)
    # The middle document's length: sizes and ends still agree, so only a full check can see it.
    damaged = reading(index[:38] + struct.pack("<i", 4) + index[42:])
    with pytest.raises(VerifyError, match="add up"):
        damaged.check()
    reader = reading()
    for bad in (-1, 3):
        with pytest.raises(IndexError):
            reader.doc(bad)
    with pytest.raises(IndexError):
        reader.tokens(3, 16)
    Path(f"{prefix}.bin").unlink()
    with pytest.raises(InputError, match=r"s\.bin"):
        ShardReader(prefix)


@pytest.fixture(scope="module")
def megatron() -> ModuleType:
    with warnings.catch_warnings():  # Megatron's own imports warn about what is not installed
        warnings.simplefilter("ignore")
        pytest.importorskip("megatron.core", exc_type=ImportError)
        return pytest.importorskip("megatron.core.datasets.indexed_dataset", exc_type=ImportError)


@pytest.mark.parametrize("vocab_size", [65_499, 65_500])
def test_megatron_core_reads_what_we_write(tmp_path: Path, megatron: ModuleType, vocab_size: int) -> None:
    documents = random_documents(vocab_size, [7, 1, 0, 300, 42])
    write(tmp_path / "s", documents, vocab_size)
    for mmap in (True, False):
        dataset = megatron.IndexedDataset(str(tmp_path / "s"), mmap=mmap)
        assert len(dataset) == len(documents)
        assert dataset.index.dtype == optimal_dtype(vocab_size)
        assert dataset.document_indices.tolist() == [0, 1, 2, 3, 4, 5]
        for i, document in enumerate(documents):
            assert np.array_equal(dataset[i], document)
        assert np.array_equal(dataset.get(3, offset=10, length=20), documents[3][10:30])


def test_we_read_what_megatron_core_writes(tmp_path: Path, megatron: ModuleType) -> None:
    documents = random_documents(30_000, [5, 9, 1])
    builder = megatron.IndexedDatasetBuilder(str(tmp_path / "s.bin"), dtype=np.uint16)
    for document in documents:
        builder.add_document(document, [document.size])
    builder.finalize(str(tmp_path / "s.idx"))
    reader = ShardReader(tmp_path / "s")
    reader.check()
    assert [reader.doc(i).tolist() for i in range(len(reader))] == [d.tolist() for d in documents]
    write(tmp_path / "ours", documents, 30_000)
    for suffix in (".bin", ".idx"):
        assert Path(f"{tmp_path}/ours{suffix}").read_bytes() == Path(f"{tmp_path}/s{suffix}").read_bytes()
