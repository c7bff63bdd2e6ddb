"""Long passages against brute force over all windows; what stays; memory of a passage of every document."""

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
from slow_units import Unit, units

from corpus import rounds, runs
from corpus.errors import RecipeError
from stages.normalise import digests
from stages.substrings import Substrings

Partition = tuple[str, int, list[str]]  # source, priority, texts


def batch(texts: list[str], first: int = 0) -> pa.RecordBatch:
    text = pa.array(texts, pa.string())
    ids = [xxhash.xxh3_128_digest(f"{first + n}".encode()) for n in range(len(texts))]
    columns = {"text": text, "content": digests(text), "id": pa.array(ids, pa.binary(16))}
    return pa.record_batch(list(columns.values()), names=list(columns))


def batches(parts: list[Partition]) -> list[tuple[str, int, pa.RecordBatch]]:
    return [(source, priority, batch(texts, 100 * n)) for n, (source, priority, texts) in enumerate(parts)]


def windows(stage: Substrings, found: list[Unit]) -> list[tuple[int, int]]:
    """First unit of each window, and the unit after it."""
    result = []
    for first in range(len(found)):
        weight, last = 0, first
        while weight < stage.words * stage.han and last < len(found):
            weight += stage.words if found[last].single else stage.han
            last += 1
        if weight >= stage.words * stage.han:
            result.append((first, last))
    return result


def brute_force(stage: Substrings, parts: list[Partition]) -> list[list[list[dict[str, Any]]]]:
    """All windows of all documents, compared unit by unit."""
    places: dict[Any, dict[tuple[int, int], list[int]]] = {}  # window -> documents -> first units
    ranks, texts = {}, {}
    for number, (source, priority, own) in enumerate(parts):
        b = batch(own, 100 * number)
        for row, text in enumerate(own):
            texts[number, row] = found = units(text)
            ranks[number, row] = priority, b["content"][row].as_py()[:8], b["id"][row].as_py()
            for first, last in windows(stage, found):
                what = (source if stage.scope == "source" else "", tuple(u.value for u in found[first:last]))
                places.setdefault(what, {}).setdefault((number, row), []).append(first)
    result: list[list[list[dict[str, Any]]]] = []
    for number, (source, _, own) in enumerate(parts):
        result.append([])
        for row, text in enumerate(own):
            found, marked = texts[number, row], {}
            for first, last in windows(stage, found):
                having = places[source if stage.scope == "source" else "", tuple(u.value for u in found[first:last])]
                if sum(map(len, having.values())) < 2:
                    continue
                if min(having, key=lambda d: ranks[d]) == (number, row):
                    until = having[number, row][0] + last - first
                    if first < until:
                        continue
                marked[first, last] = len(having)
            result[-1].append(merged(text.encode(), found, marked))
    return result


def merged(data: bytes, found: list[Unit], marked: dict[tuple[int, int], int]) -> list[dict[str, Any]]:
    spans: list[dict[str, Any]] = []
    until = -1
    for (first, last), documents in sorted(marked.items()):
        if first > until:
            spans.append({"start": found[first].start, "end": 0, "documents": 0, "kind": "substring"})
        until = last
        limit = found[last].start if last < len(found) else len(data)
        end = found[last - 1].end + len(clinging(data[found[last - 1].end : limit].decode()).encode())
        spans[-1] |= {"end": end, "documents": max(documents, spans[-1]["documents"])}
    return spans


def clinging(gap: str) -> str:
    """Punctuation before the next blank."""
    for at, char in enumerate(gap):
        if char in " \t\n\u3000\xa0":
            return gap[:at]
    return gap


PIECES = ["a", "b", "A,", "cé'", "(d)", "好", "“你", "吃。", "カ", "\n", "　", "x1", "x2", "好\ufe00"]
pieces = st.lists(st.sampled_from(PIECES), max_size=30)
glue = st.sampled_from(["", " "])
partitions = st.tuples(
    st.sampled_from([("s", 1), ("t", 2)]), st.lists(st.builds(lambda p, g: g.join(p), pieces, glue), max_size=4)
).map(lambda p: (*p[0], p[1]))
stages = st.builds(
    Substrings, words=st.integers(1, 6), han=st.integers(1, 7), scope=st.sampled_from(["corpus", "source"])
)


@settings(max_examples=100, deadline=None)
@given(stages, st.lists(partitions, min_size=1, max_size=4), st.integers(1, 3), st.integers(0, 99))
def test_brute_force(stage: Substrings, parts: list[Partition], bundles: int, seed: int) -> None:
    got, _ = run(stage, batches(parts), bundles, seed)
    assert [columns["substrings"] for columns in got] == brute_force(stage, parts)
    for columns, (_, _, texts) in zip(got, parts, strict=True):
        for text, own in zip(texts, columns["substrings"], strict=True):
            assert all(text.encode()[s["start"] : s["end"]].decode() for s in own)
        assert columns["substring_bytes"] == [sum(s["end"] - s["start"] for s in own) for own in columns["substrings"]]
        assert columns["substrings_of"] == [xxhash.xxh3_64_intdigest(text.encode()) for text in texts]
        assert columns["drop"] == [None] * len(texts)


def sentences(rng: random.Random, count: int, chinese: bool) -> list[str]:
    if chinese:
        return [
            "".join(chr(rng.randrange(0x4E00, 0x9FA5)) for _ in range(rng.randrange(8, 40))) + "。"
            for _ in range(count)
        ]
    return [" ".join(f"w{rng.randrange(10**6)}" for _ in range(rng.randrange(5, 25))) + ". " for _ in range(count)]


@pytest.mark.parametrize("chinese", [False, True])
def test_brute_force_with_long_windows(chinese: bool) -> None:
    """Passages of all lengths around the window, in documents of thousands of units, at the default parameters."""
    rng = random.Random(chinese)
    known = sentences(rng, 60, chinese)
    texts = []
    for _ in range(24):
        own = sentences(rng, 12, chinese)
        begin = rng.randrange(50)
        own[4:4] = known[begin : begin + rng.randrange(1, 10)]
        texts.append("".join(own)[rng.randrange(3) :])
    parts: list[Partition] = [("s", 1, texts[:9]), ("t", 0, texts[9:10]), ("u", 2, texts[10:])]
    got, counts = run(Substrings(), batches(parts), 2)
    want = brute_force(Substrings(), parts)
    assert [columns["substrings"] for columns in got] == want
    assert sum(bool(spans) for part in want for spans in part) >= 8
    summary = Substrings().summary(counts, 0)
    assert 0 < summary["shared_anchors"] < summary["repeated_windows"] < summary["distinct_anchors"] * 41
    assert summary["most_places"] >= 3


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.integers(1, 20))
def test_the_cut_into_partitions_does_not_decide(seed: int, size: int) -> None:
    rng = random.Random(seed)
    whole = batch(["".join(rng.choice(PIECES) + rng.choice(["", " "]) for _ in range(20)) for _ in range(20)])
    stage = Substrings(words=3, han=4)
    want, _ = run(stage, [("s", 1, whole)])
    order = rng.sample(range(20), 20)
    shuffled = whole.take(pa.array(order))
    got, _ = run(stage, [("s", 1, shuffled.slice(at, size)) for at in range(0, 20, size)], 2, seed)
    assert [s for columns in got for s in columns["substrings"]] == [want[0]["substrings"][n] for n in order]


def test_windows_that_are_sorted_a_few_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(2)
    parts: list[Partition] = [
        ("s", n % 2, [" ".join(rng.choice("abc") for _ in range(rng.randrange(30))) for _ in range(12)])
        for n in range(5)
    ]
    stage = Substrings(words=4, han=4)
    want, _ = run(stage, batches(parts), 2)
    assert [columns["substrings"] for columns in want] == brute_force(stage, parts)
    monkeypatch.setattr("stages.substrings._AT_A_TIME", 1)
    for name, size in (
        ("RANGE_BYTES", 900),
        ("FLUSH_BYTES", 700),
        ("MERGE_BYTES", 2000),
        ("FAN_IN", 2),
        ("BLOCK_BYTES", 200),
    ):
        monkeypatch.setattr(rounds if name == "RANGE_BYTES" else runs, name, size)
    got, _ = run(stage, batches(parts), 5)
    assert got == want


def spans(texts: list[str], **parameters: Any) -> list[list[str]]:
    got, _ = run(Substrings(**parameters), [("s", n, batch([text], n)) for n, text in enumerate(texts)])
    return [
        [text.encode()[s["start"] : s["end"]].decode() for s in own]
        for text, columns in zip(texts, got, strict=True)
        for own in columns["substrings"]
    ]


def test_fifty_words_or_eighty_characters() -> None:
    words = [f"word{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(60)]
    for length, found in ((49, 0), (50, 1), (51, 1)):
        passage = " ".join(words[:length])
        assert spans([f"one {passage}, two", f"three {passage.upper()}! four"]) == [[], [passage.upper() + "!"] * found]
    text = "".join(chr(0x4E00 + 7 * n) for n in range(90))
    for length, found in ((79, 0), (80, 1), (81, 1)):
        passage = text[:length]
        assert spans([f"甲{passage}乙", f"丙“{passage}”，丁"]) == [[], [passage + "”，"] * found]
    mixed = " ".join(words[:30]) + text[:32]
    assert spans([f"甲{mixed}乙", f"one {mixed} two"]) == [[], [mixed]]
    assert spans([f"甲{mixed[:-1]}乙", f"one {mixed[:-1]} two"]) == [[], []]


def test_twice_in_one_document() -> None:
    words = " ".join(f"w{n}" for n in range(50))
    assert spans([f"{words} between {words} end"]) == [[words]]
    assert spans(["ha " * 200]) == [[" ".join(["ha"] * 150)]]  # 50 stay
    assert spans(["ha " * 99]) == [[]]  # no two apart
    assert spans(["ha " * 200, "ha " * 60]) == [[" ".join(["ha"] * 150)], [" ".join(["ha"] * 60)]]


def test_the_first_by_priority_and_content_stays() -> None:
    words = " ".join(f"w{n}" for n in range(50))
    texts = [f"{n} {words}" for n in "abc"]
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        assert spans([texts[n] for n in order]) == [[], [words], [words]]
    first = min(texts, key=lambda text: digests(pa.array([text]))[0].as_py())
    got, _ = run(Substrings(), [("s", 1, batch([text], n)) for n, text in enumerate(texts)])
    assert [text for text, columns in zip(texts, got, strict=True) if not columns["substrings"][0]] == [first]


@pytest.mark.parametrize("parameters", [{"words": 0}, {"han": 2000}])
def test_parameters_out_of_range(parameters: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match=rf"\.{next(iter(parameters))}: got"):
        Substrings(**parameters)


HOT = """
import resource, sys
import numpy as np, pyarrow as pa
from corpus.exchange import Loader, Part
from corpus.rounds import Bundle, numbered, run_rounds, settled
from corpus.store import Blobs
from stages.substrings import Substrings

WORDS = " ".join(f"w{n}" for n in range(70))

class Same(Loader, frozen=True):
    def read(self, key, names):
        rows = 1_000
        ids = np.stack([np.full(rows, key), np.arange(rows)], axis=1).astype(">u8")
        ids = pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(ids.tobytes())])
        known = {"text": pa.array([WORDS] * rows), "id": ids, "content": ids}
        return pa.record_batch([known[name] for name in names], names=list(names))

def once(folder, partitions):
    parts = numbered({k * 2**50 + 5: Part(k * 2**50 + 5, "s", 1, 1_000) for k in range(partitions)})
    work = [Bundle(i, f"b{i}", tuple(parts[i * 50 : i * 50 + 50]), Same()) for i in range(-(-partitions // 50))]
    stage, blobs = Substrings(), Blobs(folder)
    flow, counts = run_rounds(stage, blobs, work, "s", "c", lambda f, t: enumerate(map(f, t)), lambda n, c: None)
    marked = [columns["substring_bytes"] for b in work for _, columns in settled(stage, blobs, flow, b)]
    return counts, sum(int((np.asarray(own) > 0).sum()) for own in marked)

once(sys.argv[1] + "/small", 1)  # compile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
counts, marked = once(sys.argv[1] + "/large", 100)
print(marked, counts["windows"], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_a_passage_of_every_document_passes_in_fixed_memory(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HOT, str(tmp_path)], capture_output=True, text=True, check=True)
    marked, records, grown = map(int, done.stdout.split())
    assert marked == 99_999
    assert records == 100 * 21  # 21 windows of 50 words in 70, in each partition
    assert grown < 32 << 20  # 2,100,000 windows in records of 56 bytes would be 118 MB
