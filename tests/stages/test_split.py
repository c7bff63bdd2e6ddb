"""Splitting: the laws of parts, and where cuts fall."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.split import SMALLEST_MAX_BYTES, Split, cuts

# What documents are made of, from the best boundary to none at all.
PIECES = st.sampled_from(
    ["字", "word", " ", "\n", "\n\n", "。", "！”", ". ", "? ", "’", "é", "😀", "x" * 40, "汉" * 30, "\t"]
)
DOCUMENTS = st.lists(st.lists(PIECES, max_size=120).map("".join), max_size=4)


def parts_of(texts: list[str | None], max_bytes: int) -> list[list[str]]:
    """The parts of each text, decoded: that alone proves that no character is cut."""
    batch = pa.record_batch({"text": pa.array(texts, pa.string())})
    parent, start, end = Split(max_bytes=max_bytes).regroup(batch, None)
    assert parent.dtype == start.dtype == end.dtype == np.int64
    found: list[list[str]] = [[] for _ in texts]
    for row, a, b in zip(parent.tolist(), start.tolist(), end.tolist(), strict=True):
        found[row].append((texts[row] or "").encode()[a:b].decode())
    assert parent.tolist() == sorted(parent.tolist())
    return found


@given(DOCUMENTS, st.integers(SMALLEST_MAX_BYTES, 400))
@settings(max_examples=300, deadline=None)
def test_laws(texts: list[str], max_bytes: int) -> None:
    for text, parts in zip(texts, parts_of(texts, max_bytes), strict=True):
        sizes = [len(part.encode()) for part in parts]
        assert "".join(parts) == text  # every byte, once, in order
        assert max(sizes) <= max_bytes
        if len(text.encode()) <= max_bytes:
            assert len(parts) == 1
        else:
            assert len(parts) <= -(-len(text.encode()) // (max_bytes - 2 * (max_bytes // 16)))
            even = sum(sizes) / len(sizes)
            assert max(abs(size - even) for size in sizes) <= 2 * (max_bytes // 16) + 1


@pytest.mark.parametrize(
    ("left", "boundary", "right"),
    [
        ("a. b\nc. ", "d\n\n", "e f. g\nh i"),
        ("a b. c ", "d\n", "e f. g 好。h "),
        ("a b c ", "d. ", "e f g h i "),
        ("字字字字", "字。", "字字字，字字"),
        ("字字字字", "字。”", "字字字，字字"),
        ("字字字字", "字！？」）", "字字字，字字"),
        ("x" * 12, "y ", "z" * 12),
        ("字" * 6, "", "字" * 6),
    ],
)
def test_the_best_boundary_near_the_cut_wins(left: str, boundary: str, right: str) -> None:
    text = (left + boundary + right).encode()
    cut = int(cuts(np.frombuffer(text, np.uint8), 2, len(text) // 2 - 1)[0])
    assert (text[:cut].decode(), text[cut:].decode()) == (left + boundary, right)


def test_the_nearest_of_equal_boundaries_wins() -> None:
    text = b"aa bb cc dd ee ff gg hh "
    assert cuts(np.frombuffer(text, np.uint8), 2, 8).tolist() == [12]
    assert cuts(np.frombuffer(b"aaa bbb ccc", np.uint8), 2, 5).tolist() == [4]


def test_short_documents_pass_as_they_are() -> None:
    batch = pa.record_batch({"text": pa.array(["", None, "a" * 64, "b"], pa.string())}).slice(1)
    parent, start, end = Split(max_bytes=64).regroup(batch, None)
    assert (parent.tolist(), start.tolist(), end.tolist()) == ([0, 1, 2], [0, 0, 0], [0, 64, 1])
    parent, start, end = Split().regroup(batch.slice(0, 0), None)
    assert len(parent) == len(start) == len(end) == 0


def test_slices_of_a_batch_are_read_where_they_are() -> None:
    texts = ["no\n" * 50, "yes\n" * 100, "small"]
    batch = pa.record_batch({"text": texts}).slice(1)
    parent, start, end = Split(max_bytes=128).regroup(batch, None)
    assert parent.tolist() == [0, 0, 0, 0, 1]
    assert all(texts[1][a:b].endswith("yes\n") for a, b in zip(start[:4], end[:4], strict=True))


def test_time_is_linear() -> None:
    for text in ("’" * 1_000_000, "\n" * 3_000_000, "。" * 1_000_000):
        started = time.process_time()
        parts_of([text], 512 << 10)
        assert time.process_time() - started < 5


def test_bad_parameters() -> None:
    with pytest.raises(ValueError, match=r"max_bytes must be at least 64 \(got 63\)"):
        Split(max_bytes=63)
