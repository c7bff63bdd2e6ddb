"""Decontaminate: children are what stands between cuts; every byte is in a child or cut."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import TaskError
from corpus.spans import check_spans
from stages.contamination_columns import CUTS
from stages.decontaminate import Decontaminate
from stages.marked import text_hashes

Cuts = list[tuple[int, int]]


def batch(texts: list[str], cuts: list[Cuts]) -> pa.RecordBatch:
    text = pa.array(texts, pa.string())
    rows = [[{"start": a, "end": b, "chars": b - a, "kind": "match", "benchmark": "b"} for a, b in own] for own in cuts]
    hashes = [h if own else None for h, own in zip(text_hashes(text).to_pylist(), cuts, strict=True)]
    return pa.record_batch(
        {
            "text": text,
            "contamination_cuts": pa.array(rows, CUTS),
            "contamination_cuts_of": pa.array(hashes, pa.uint64()),
        }
    )


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, Cuts]:
    text = draw(st.text("abc\n", max_size=30))
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    return text, list(zip(edges[::2], edges[1::2], strict=False))


@settings(max_examples=200, deadline=None)
@given(st.lists(documents(), max_size=5), st.integers(0, 3))
def test_laws(given_: list[tuple[str, Cuts]], skipped: int) -> None:
    texts, cuts = [text for text, _ in given_], [own for _, own in given_]
    own = batch(texts, cuts).slice(skipped)
    parent, start, end = Decontaminate().regroup(own, None)
    assert parent.dtype == start.dtype == end.dtype == np.int64
    whole = np.array([len(text) for text in texts[skipped:]], np.int64)
    check_spans("decontaminate", parent, start, end, whole)
    children: list[list[str]] = [[] for _ in texts[skipped:]]
    for row, a, b in zip(parent.tolist(), start.tolist(), end.tolist(), strict=True):
        children[row].append(texts[skipped:][row][a:b])
    for text, spans, made in zip(texts[skipped:], cuts[skipped:], children, strict=True):
        edges = [0, *(edge for cut in spans for edge in cut), len(text)]
        between = [text[a:b] for a, b in zip(edges[::2], edges[1::2], strict=True)]
        assert made == ([piece for piece in between if piece] if spans else [text])


def test_cuts_of_another_text_are_an_error() -> None:
    own = batch(["one two", "three"], [[(0, 3)], []])
    changed = own.set_column(0, "text", pa.array(["one  two", "four"]))
    with pytest.raises(TaskError, match=r"`decontaminate`: contamination was found in other texts than these \(1 of 1"):
        Decontaminate().regroup(changed, None)
    unmarked = own.set_column(0, "text", pa.array(["one two", "four"]))  # in which there is nothing to cut
    assert Decontaminate().regroup(unmarked, None)[0].tolist() == [0, 1]
