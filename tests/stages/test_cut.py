"""Cutting marked spans out of texts: examples of each join, a slow reference, laws."""

import itertools
from typing import Any

import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError, TaskError
from corpus.guard import guarded
from stages.cut import Cut
from stages.marked import SPANS, text_hashes
from stages.normalise import cleaned, digests

BLANKS = " \t\u00a0\u3000"


def batch(texts: list[str | None], *columns: list[list[tuple[int, int]]]) -> pa.RecordBatch:
    text = pa.array(texts, pa.string())
    named = {"text": text}
    for name, spans in zip(("repeats", "substrings"), columns, strict=False):
        rows = [[{"start": a, "end": b, "documents": 2, "kind": "line"} for a, b in own] for own in spans]
        named |= {name: pa.array(rows, SPANS), f"{name}_of": text_hashes(text)}
    return pa.record_batch(list(named.values()), names=list(named))


def cut(marked: str) -> str:
    """The text without what stands in brackets, of which there are none in texts."""
    text, spans, begin = b"", [], 0
    for char in marked:
        if char == "[":
            begin = len(text)
        elif char == "]":
            spans.append((begin, len(text)))
        else:
            text += char.encode()
    made = Cut().apply(batch([text.decode()], [spans]), None)
    result = str(made["text"][0])
    assert made["cut_bytes"].to_pylist() == [len(text) - len(result.encode())]
    return result


@pytest.mark.parametrize(
    ("marked", "want"),
    [
        ("one text", "one text"),
        ("", ""),
        ("[all of it]", ""),
        ("[all\n\nof it]\n", ""),
        ("  [all]  \n\n", ""),
        # whole lines
        ("one\n[two]\nthree", "one\nthree"),
        ("one\n[two]\n[three]\nfour\n", "one\nfour\n"),
        ("[one]\ntwo", "two"),
        ("[one]\n\n\ntwo", "two"),
        ("one\n[two]", "one"),
        ("one\n\n[two]\n", "one\n"),
        ("one\n\n[two]\n\nthree", "one\n\nthree"),
        ("one\n[two]\n\nthree", "one\n\nthree"),
        ("one\n\n\n[two]\nthree", "one\n\n\nthree"),
        ("one\n\n[two]\n\n[three]\n\nfour", "one\n\nfour"),
        ("one\n\u3000\u3000[two]\t \nthree", "one\nthree"),
        ("one\n[two\nthree]\nfour", "one\nfour"),
        # inside lines
        ("one [two] three", "one three"),
        ("one[ two] three", "one three"),
        ("one [two ]three", "one three"),
        ("one  [two]\u00a0three", "one  three"),
        ("一[二]三", "一三"),
        ("一[二] 三", "一 三"),
        ("one [two]\nthree", "one\nthree"),
        ("one\n[two] three", "one\nthree"),
        ("one\n  [two] three", "one\nthree"),
        ("one [two\nthree] four", "one four"),
        ("one [two\nthree]\nfour", "one\nfour"),
        ("one\n[two\nthree] four", "one\nfour"),
        ("one [two] [three] four", "one four"),
        ("one [two]", "one"),
        ("[one] two", "two"),
    ],
)  # fmt: skip
def test_joins(marked: str, want: str) -> None:
    assert cut(marked) == want


def slow(text: str, spans: list[tuple[int, int]]) -> str:
    """Cut by pieces of a string; spans are in bytes, sorted, and do not overlap."""
    data = text.encode()
    out, at = "", 0
    for start, end in spans:
        if end <= at:
            continue
        out += data[at : max(at, start)].decode()
        rest = data[end:].decode()
        left, right = out.rstrip(BLANKS), rest.lstrip(BLANKS)
        starts, ends = left == "" or left[-1] == "\n", right == "" or right[0] == "\n"
        if starts and ends:
            body, tail = left.rstrip("\n"), right.lstrip("\n")
            before, behind = len(left) - len(body), len(right) - len(tail)
            number = 0 if not body else behind if not tail else max(before, behind)
            out, rest = body + "\n" * number, tail
        elif starts or ends:
            out, rest = left, right
        elif left != out:
            rest = right
        at = len(data) - len(rest.encode())
    return out + data[at:].decode()


@st.composite
def marked(draw: st.DrawFn) -> tuple[str, list[tuple[int, int]]]:
    pieces = draw(st.lists(st.sampled_from(["a", "bc", "文", " ", "\t", "\u3000", "\n", "\n", "\u00a0"]), max_size=25))
    edges = [0, *itertools.accumulate(len(piece.encode()) for piece in pieces)]
    chosen = sorted(draw(st.sets(st.sampled_from(edges), max_size=8)))
    if len(chosen) % 2:
        chosen.pop()
    return "".join(pieces), list(zip(chosen[::2], chosen[1::2], strict=True))


@settings(max_examples=150, deadline=None)
@given(st.lists(marked(), min_size=1, max_size=4))
def test_the_slow_reference_and_the_law(documents: list[tuple[str, list[tuple[int, int]]]]) -> None:
    texts, spans = [d[0] for d in documents], [d[1] for d in documents]
    made = Cut().apply(batch(list(texts), spans), None)
    assert made["text"].to_pylist() == [slow(*document) for document in documents]
    assert made["content"].to_pylist() == digests(made["text"]).to_pylist()
    for text, new, lost in zip(texts, made["text"].to_pylist(), made["cut_bytes"].to_pylist(), strict=True):
        assert len(text.encode()) == len(new.encode()) + lost  # in = kept + cut


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "bc", "文", "\n", "\n\n", "d  e"]), max_size=20), st.data())
def test_a_clean_text_without_some_lines_is_clean(pieces: list[str], data: st.DataObject) -> None:
    text = str(cleaned(pa.array(["".join(pieces)]))[0])
    lines = text.split("\n")
    starts = [0, *itertools.accumulate(len(line.encode()) + 1 for line in lines)]
    chosen = [n for n, line in enumerate(lines) if line and data.draw(st.booleans())]
    spans = [(starts[n], starts[n] + len(lines[n].encode())) for n in chosen]
    new = Cut().apply(batch([text], [spans]), None)["text"]
    assert cleaned(new).to_pylist() == new.to_pylist()
    kept = [line for n, line in enumerate(lines) if line and n not in chosen]
    assert [line for line in str(new[0]).split("\n") if line] == kept


def test_columns_of_spans_are_united() -> None:
    stage = Cut(spans=("repeats", "substrings"))
    assert stage.reads == ("text", "repeats", "repeats_of", "substrings", "substrings_of")
    both = batch(["0123456789", "abc", None], [[(1, 3), (6, 8)], [], []], [[(2, 5), (6, 7), (9, 10)], [(0, 3)], []])
    made = stage.apply(both, None)
    assert made["text"].to_pylist() == ["058", "", ""]
    assert made["cut_bytes"].to_pylist() == [7, 3, 0]
    part = stage.apply(both.slice(1, 2), None)
    assert {name: column.to_pylist() for name, column in part.items()} == {
        name: column.to_pylist()[1:] for name, column in made.items()
    }
    assert stage.apply(both.slice(0, 0), None)["text"].to_pylist() == []


def test_spans_of_another_text_stop_the_build() -> None:
    other = batch(["one text", "another"], [[(0, 3)], []])
    changed = other.set_column(0, "text", pa.array(["one text", "changed"]))
    with pytest.raises(TaskError, match=r"`repeats` was found in other texts than these \(1 of 2 differ\)"):
        guarded(Cut(), changed, None)


def test_no_columns() -> None:
    with pytest.raises(RecipeError, match=r"\.spans: got none"):
        Cut(spans=())


def test_hashes_of_texts() -> None:
    texts: list[Any] = ["", "文字", None, "x"]
    want = [xxhash.xxh3_64_intdigest((text or "").encode()) for text in texts]
    assert text_hashes(pa.array(texts, pa.string()).slice(1)).to_pylist() == want[1:]
