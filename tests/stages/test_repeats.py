"""Repeated lines against brute force; what is compared; memory of a line of every document."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from rounds import run
from slow_units import chars, said, units

from corpus import rounds, runs
from corpus.errors import RecipeError
from stages.normalise import digests
from stages.repeats import Repeats

Document = tuple[str, str | None]  # text, URL
Partition = tuple[str, int, list[Document]]  # source, priority, documents

MENU = "Home | News | Contact us"
FOOTER = "本站所有内容均为原创，转载请注明出处。"
LINES = [
    MENU,
    MENU.upper(),
    "home, news: contact us",
    FOOTER,
    "",
    "---",
    "No.",
    "Chapter 12 of the whole book",
    "Chapter 3 of 999 whole books",
    "2019 2020 2021 2022 2023 2024",
    "雨",
    "  indented line of some length\t",
]
URLS = ["http://a.example/1", "https://www.a.example/2", "http://b.example/", None]


def batch(documents: list[Document], first: int = 0) -> pa.RecordBatch:
    text = pa.array([text for text, _ in documents], pa.string())
    ids = [xxhash.xxh3_128_digest(f"{first + n}".encode()) for n in range(len(documents))]
    columns = {
        "text": text,
        "url": pa.array([url for _, url in documents], pa.string()),
        "content": digests(text),
        "id": pa.array(ids, pa.binary(16)),
    }
    return pa.record_batch(list(columns.values()), names=list(columns))


def batches(parts: list[Partition]) -> list[tuple[str, int, pa.RecordBatch]]:
    return [(source, priority, batch(documents, 100 * n)) for n, (source, priority, documents) in enumerate(parts)]


def slow_lines(text: str, fold_digits: bool) -> list[tuple[str, Any, int, int, int]]:
    """Lines, and paragraphs behind their lines: kind, what it says, characters, start, end."""
    found: list[tuple[str, Any, int, int, int]] = []
    block: list[tuple[str, Any, int, int, int]] = []
    at = 0
    for line in [*text.split("\n"), ""]:
        own = units(line, fold_digits)
        end = at + len(line.encode())
        if own:
            block.append(("line", said(own), chars(own), at, end))
        else:
            found += block
            if len(block) > 1:
                found.append(
                    ("paragraph", tuple(b[1] for b in block), sum(b[2] for b in block), block[0][3], block[-1][4])
                )
            block = []
        at = end + 1
    return found


def brute_force(stage: Repeats, parts: list[Partition]) -> list[list[list[dict[str, Any]]]]:
    having: dict[Any, dict[tuple[int, int], Any]] = {}  # what is said in a scope -> documents -> their rank
    sizes: dict[Any, int] = {}
    lines = {}
    for number, (source, priority, documents) in enumerate(parts):
        b = batch(documents, 100 * number)
        for row, (text, url) in enumerate(documents):
            host = url and ("a" if "a.example" in url else "b")
            scope = {"corpus": 0, "source": source, "host": host or f"source {source}"}[stage.scope]
            sizes[scope] = sizes.get(scope, 0) + 1
            rank = priority, b["content"][row].as_py()[:8], b["id"][row].as_py()
            lines[number, row] = [
                (scope, *line) for line in slow_lines(text, stage.fold_digits) if line[2] >= stage.min_chars
            ]
            for place, kind, what, *_ in lines[number, row]:
                having.setdefault((place, kind, what), {})[number, row] = rank
    result: list[list[list[dict[str, Any]]]] = []
    for number, (_, _, documents) in enumerate(parts):
        result.append([])
        for row in range(len(documents)):
            spans, seen = [], set()
            for scope, kind, what, _, start, end in lines[number, row]:
                found = having[scope, kind, what]
                if len(found) < max(stage.min_documents, stage.min_share * sizes[scope]):
                    continue
                stays = stage.keep_first and min(found, key=lambda d: found[d]) == (number, row)
                if not stays or (kind, what) in seen:
                    spans.append({"start": start, "end": end, "documents": len(found), "kind": kind})
                seen.add((kind, what))
            whole = [(s["start"], s["end"]) for s in spans if s["kind"] == "paragraph"]
            inside = [
                s
                for s in spans
                if s["kind"] == "paragraph" or not any(a <= s["start"] and s["end"] <= b for a, b in whole)
            ]
            result[-1].append(sorted(inside, key=lambda s: s["start"]))
    return result


documents = st.tuples(st.lists(st.sampled_from(LINES), max_size=8).map("\n".join), st.sampled_from(URLS))
partitions = st.tuples(st.sampled_from(["s", "t"]), st.just(0), st.lists(documents, max_size=6)).map(
    lambda p: (p[0], {"s": 1, "t": 2}[p[0]], p[2])
)
stages = st.builds(
    Repeats,
    scope=st.sampled_from(["host", "source", "corpus"]),
    min_documents=st.integers(2, 4),
    min_share=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    min_chars=st.sampled_from([1, 10, 20]),
    fold_digits=st.booleans(),
    keep_first=st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(stages, st.lists(partitions, min_size=1, max_size=4), st.integers(1, 3), st.integers(0, 99))
def test_brute_force(stage: Repeats, parts: list[Partition], bundles: int, seed: int) -> None:
    got, _ = run(stage, batches(parts), bundles, seed)
    want = brute_force(stage, parts)
    assert [columns["repeats"] for columns in got] == want
    for columns, (_, _, rows) in zip(got, parts, strict=True):
        assert columns["repeated_bytes"] == [sum(s["end"] - s["start"] for s in spans) for spans in columns["repeats"]]
        assert columns["repeats_of"] == [xxhash.xxh3_64_intdigest(text.encode()) for text, _ in rows]
        assert columns["drop"] == [None] * len(rows)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.integers(1, 30), st.booleans())
def test_the_cut_into_partitions_does_not_decide(seed: int, size: int, keep_first: bool) -> None:
    rng = random.Random(seed)
    rows = [
        ("\n".join(rng.choice(LINES) for _ in range(4)) + f"\nnumber {chr(97 + n)}", rng.choice(URLS))
        for n in range(30)
    ]
    whole = batch(rows)
    stage = Repeats(scope="corpus", min_documents=3, keep_first=keep_first)
    want, _ = run(stage, [("s", 1, whole)])
    order = rng.sample(range(30), 30)
    shuffled = whole.take(pa.array(order))
    got, counts = run(stage, [("s", 1, shuffled.slice(at, size)) for at in range(0, 30, size)], 2, seed)
    assert [s for columns in got for s in columns["repeats"]] == [want[0]["repeats"][n] for n in order]
    assert stage.summary(counts, 0)["repeated_lines"] >= 2


def spans(texts: list[str], **parameters: Any) -> list[list[str]]:
    stage = Repeats(**{"scope": "corpus", "min_documents": 2, "keep_first": False, "min_chars": 5} | parameters)
    got, _ = run(stage, [("s", 1, batch([(text, None) for text in texts]))])
    return [
        [text.encode()[s["start"] : s["end"]].decode() for s in own]
        for text, own in zip(texts, got[0]["repeats"], strict=True)
    ]


def test_what_a_line_says() -> None:
    texts = [
        "Page 1 of 20: “Résumé”\nOne line",
        "ＰＡＧＥ 7 of 31 resume.\nanother line",
        "page one of many, resume\nthird",
    ]
    assert spans(texts) == [["Page 1 of 20: “Résumé”"], ["ＰＡＧＥ 7 of 31 resume."], []]
    assert spans(texts, fold_digits=False) == [[], [], []]


def test_short_lines_and_numbers_are_left_alone() -> None:
    assert spans(["Yes\n1 2 3 4 5 6 7 8 9\n是"] * 2) == [["Yes\n1 2 3 4 5 6 7 8 9\n是"]] * 2  # as a paragraph
    assert spans(["Yes\n\n1 2 3 4 5 6 7 8 9\n\n是"] * 2) == [[], []]
    assert spans(["好\n\n两个\n\n你好吗"] * 2, min_chars=6) == [["两个", "你好吗"]] * 2  # a character counts as three


def test_spans_of_chinese_lines_end_between_characters() -> None:
    texts = [f"　　正文{n}。\n{FOOTER}\n　　{FOOTER}\t\n完" for n in "甲乙丙"]
    assert spans(texts) == [[FOOTER, f"　　{FOOTER}\t"]] * 3


def test_a_paragraph_is_marked_as_a_whole() -> None:
    menu = "Home\nNews\nContact"
    assert spans([f"{menu}\n\none text", f"{menu}\n--\nother text"], min_chars=12) == [[menu], [menu]]
    assert spans([f"{menu}\nin one text", f"{menu}\nin other texts"], min_chars=12) == [[], []]


def test_the_first_by_priority_content_and_id_stays() -> None:
    a, b = f"{MENU}\none\n{MENU}", f"{MENU}\ntwo"
    both = [("s", 2, batch([(a, None)])), ("t", 1, batch([(b, None)]))]
    stage = Repeats(scope="corpus", min_documents=2, min_chars=10)
    got, _ = run(stage, both)
    assert [[(s["start"], s["end"]) for s in columns["repeats"][0]] for columns in got] == [[(0, 24), (29, 53)], []]
    got, _ = run(stage, [(source, 3 - priority, own) for source, priority, own in both])
    assert [[(s["start"], s["end"]) for s in columns["repeats"][0]] for columns in got] == [[(29, 53)], [(0, 24)]]
    got, _ = run(stage, [("s", 1, batch([(MENU, None)] * 9)), ("s", 1, batch([(MENU, None)] * 9, 9))])
    assert sum(not spans for columns in got for spans in columns["repeats"]) == 1


def test_the_counts_of_a_report() -> None:
    stage = Repeats(scope="corpus", min_documents=2, min_chars=10)
    _, counts = run(stage, [("s", 1, batch([(MENU, None)] * 3)), ("s", 1, batch([(f"{MENU}\n\n{FOOTER}", None)]))])
    assert stage.summary(counts, 0) == {"distinct_lines": 2, "repeated_lines": 1, "largest_lines": 4}


def test_ranges_and_flushes_and_levels_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(7)
    parts = [
        (
            "s",
            n % 3,
            [
                ("\n".join(f"line {'abcdefghijklmnop'[rng.randrange(16)] * 9}" for _ in range(9)), rng.choice(URLS))
                for _ in range(9)
            ],
        )
        for n in range(9)
    ]
    stage = Repeats(min_documents=3, min_share=0.2, min_chars=5)
    want, _ = run(stage, batches(parts), 3)
    assert want == [columns | {"repeats": s} for columns, s in zip(want, brute_force(stage, parts), strict=True)]
    for name, size in (
        ("RANGE_BYTES", 500),
        ("FLUSH_BYTES", 300),
        ("MERGE_BYTES", 600),
        ("FAN_IN", 2),
        ("BLOCK_BYTES", 100),
    ):
        monkeypatch.setattr(rounds if name == "RANGE_BYTES" else runs, name, size)
    got, _ = run(stage, batches(parts), 9)
    assert got == want


@pytest.mark.parametrize(
    "parameters", [{"min_documents": 1}, {"min_chars": 0}, {"min_share": -0.1}, {"min_share": 1.1}]
)
def test_parameters_out_of_range(parameters: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=rf"\.{next(iter(parameters))}: got"):
        Repeats(**parameters)


HOT = """
import resource, sys
import numpy as np, pyarrow as pa
from corpus.exchange import Loader, Part
from corpus.rounds import Bundle, numbered, run_rounds, settled
from corpus.store import Blobs
from stages.repeats import Repeats

class Same(Loader, frozen=True):
    def read(self, key, names):
        rows = 1_000
        ids = np.stack([np.full(rows, key), np.arange(rows)], axis=1).astype(">u8")
        ids = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(ids.tobytes())])
        text = pa.array(["The same line of every document\\n" * 3] * rows)
        known = {"text": text, "id": ids, "content": ids}
        return pa.record_batch([known[name] for name in names], names=list(names))

def once(folder, partitions):
    parts = numbered({k * 2**50 + 5: Part(k * 2**50 + 5, "s", 1, 1_000) for k in range(partitions)})
    work = [Bundle(i, f"b{i}", tuple(parts[i * 50 : i * 50 + 50]), Same()) for i in range(-(-partitions // 50))]
    stage, blobs = Repeats(scope="corpus"), Blobs(folder)
    flow, counts = run_rounds(stage, blobs, work, "s", "c", lambda f, t: enumerate(map(f, t)), lambda n, c: None)
    marked = [columns["repeated_bytes"] for b in work for _, columns in settled(stage, blobs, flow, b)]
    return counts, sum(int(np.asarray(own).sum()) for own in marked)

once(sys.argv[1] + "/small", 1)  # compile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
counts, marked = once(sys.argv[1] + "/large", 400)
print(marked, counts["distinct_lines"], counts["repeated"], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_a_line_of_every_document_passes_in_fixed_memory(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HOT, str(tmp_path)], capture_output=True, text=True, check=True)
    marked, lines, repeated, grown = map(int, done.stdout.split())
    assert marked == 400_000 * 95 - 33  # each as a paragraph of three lines; in the first one the first line stays
    assert lines == 2
    assert repeated == 800
    assert grown < 32 << 20  # 1,200,000 lines in records of 20 bytes would be 24 MB, three times over in a sort
