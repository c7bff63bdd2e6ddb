"""Contamination against brute force over all runs of units; examples of each rule; memory of a gram of every document."""

import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import benchmark_files
import pyarrow as pa
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from rounds import run
from slow_units import units

from corpus import rounds, runs
from corpus.errors import RecipeError
from stages.contamination import OVERLAPS, Contamination

BLANKS = " \t\n\r\v\f\u00a0\u3000"
Item = tuple[str, int]  # benchmark, number

# -- the slow way --------------------------------------------------------------------------------------------------


def lined(text: str) -> list[tuple[bytes, int, int, bool]]:
    """Units: value, place in the text (characters), whether they are the first of a line. Words end with lines."""
    found, place = [], 0
    for line in text.split("\n"):
        own = [
            (u.value, place + len(line.encode()[: u.start].decode()), place + len(line.encode()[: u.end].decode()))
            for u in units(line)
        ]
        found += [(*unit, at == 0) for at, unit in enumerate(own)]
        place += len(line) + 1
    return found


class Slow:
    """The whole procedure on strings and sets."""

    def __init__(self, stage: Contamination, items: dict[str, list[list[str]]], texts: list[str]) -> None:
        self.stage, self.texts = stage, texts
        self.owners: dict[tuple[bytes, ...], list[Item]] = {}  # of grams: the first is told
        self.short: set[tuple[bytes, ...]] = set()
        for name, own in items.items():
            for number, strings in enumerate(own):
                for string in strings:
                    said = tuple(value for value, *_ in lined(string))
                    if stage.least_units <= len(said) < stage.units:
                        self._own(said, (name, number))
                        self.short.add(said)
                    for first in range(len(said) - stage.units + 1):
                        self._own(said[first : first + stage.units], (name, number))
        self.hits = [list(self._hits(text)) for text in texts]
        self.total: dict[tuple[bytes, ...], int] = {}
        for hits in self.hits:
            for gram in {gram for *_, gram in hits}:
                self.total[gram] = self.total.get(gram, 0) + 1

    def _own(self, gram: tuple[bytes, ...], item: Item) -> None:
        owners = self.owners.setdefault(gram, [])
        if item not in owners:
            owners.append(item)

    def _hits(self, text: str) -> Any:
        own = lined(text)
        for first in range(len(own)):
            best = None
            for last in range(first + self.stage.least_units, min(first + self.stage.units, len(own) + 1)):
                gram = tuple(value for value, *_ in own[first:last])
                alone = own[first][3] and (last == len(own) or own[last][3])
                if alone and gram in self.short:
                    best = last
            for last in (best, first + self.stage.units):
                if last is not None and last <= len(own):
                    gram = tuple(value for value, *_ in own[first:last])
                    if gram in self.owners and (last - first == self.stage.units or gram in self.short):
                        yield first, last, gram

    def document(self, number: int) -> tuple[list[Any], list[Any], list[str]]:
        """Passages (start, end, item, grams, documents), cuts (start, end, kind), and pieces: in characters."""
        text, own = self.texts[number], lined(self.texts[number])
        passages: list[list[Any]] = []
        until = -1
        for first, last, gram in self.hits[number]:
            if self.total[gram] > self.stage.most_documents:
                continue
            item, end = self.owners[gram][0], own[last - 1][2]
            if passages and first <= until and passages[-1][2] == item:
                passages[-1][1] = max(passages[-1][1], end)
                passages[-1][3] += 1
                passages[-1][4] = max(passages[-1][4], self.total[gram])
                until = max(until, last)
            else:
                passages.append([own[first][1], end, item, 1, self.total[gram]])
                until = last
        gone = [False] * len(text)
        cuts: list[list[Any]] = []
        for start, end, *_ in passages:
            start, end = max(0, start - self.stage.margin_chars), min(len(text), end + self.stage.margin_chars)
            start = min([start, *(a for _, a, b, _ in own if a < start < b)])
            end = max([end, *(b for _, a, b, _ in own if a < end < b)])
            while start and text[start - 1] in BLANKS:
                start -= 1
            while end < len(text) and text[end] in BLANKS:
                end += 1
            gone[start:end] = [True] * (end - start)
            if cuts and start <= cuts[-1][1]:
                cuts[-1][1] = max(cuts[-1][1], end)
            else:
                cuts.append([start, end, "match"])
        edges = [0, *(edge for cut in cuts for edge in cut[:2]), len(text)]
        pieces = []
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if cuts and start < end and end - start < self.stage.least_chars:
                cuts.append([start, end, "short piece"])
            elif start < end or not cuts:
                pieces.append(text[start:end])
        return passages, sorted(cuts), pieces


def told(text: str, columns: dict[str, list[Any]], row: int) -> tuple[list[Any], list[Any]]:
    """The same of what the stage wrote."""

    def place(at: int) -> int:
        return len(text.encode()[:at].decode())

    passages = [
        [place(p["start"]), place(p["end"]), (p["benchmark"], p["item"]), p["grams"], p["documents"]]
        for p in columns["contamination"][row]
    ]
    cuts = [[place(c["start"]), place(c["end"]), c["kind"]] for c in columns["contamination_cuts"][row]]
    for cut, had in zip(cuts, columns["contamination_cuts"][row], strict=True):
        assert had["chars"] == cut[1] - cut[0]
    return passages, cuts


def batch(texts: list[str]) -> pa.RecordBatch:
    return pa.record_batch({"text": pa.array(texts, pa.string())})


def found(
    stage: Contamination, items: dict[str, list[list[str]]], parts: list[list[str]], bundles: int = 1, seed: int = 0
) -> tuple[list[dict[str, list[Any]]], dict[str, int]]:
    with tempfile.TemporaryDirectory() as folder:
        benchmark_files.write(Path(folder), **{n: [{"text": texts} for texts in own] for n, own in items.items()})
        opener = benchmark_files.Opened(stage, folder)
        got, counts = run(stage, [("s", 1, batch(texts)) for texts in parts], bundles, seed, opener=opener)
        for columns in got:
            types = {name: pa.array(columns[name], kind) for name, kind in stage.adds.items()}
            for name in ("drop", "detail"):
                types[name] = pa.array(columns[name], pa.string())
            for name, count in stage.told(types).items():
                counts[name] = counts.get(name, 0) + count
    return got, counts


PIECES = [
    "a",
    "b",
    "A,",
    "cé'",
    "(d)",
    "好",
    "“你",
    "吃。",
    "カ",
    "\n",
    "　",
    "x1",
    "好\ufe00",
    "\n\n",
    "發",
    "发",
    "-",
    "😀",
]
texts = st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(["", " "])), max_size=40).map(
    lambda pieces: "".join(piece + gap for piece, gap in pieces)
)
stages_ = st.tuples(
    st.integers(2, 5), st.integers(1, 5), st.integers(1, 4), st.integers(0, 4), st.integers(1, 6), st.integers(1, 3)
).map(
    lambda n: Contamination(
        benchmark=benchmark_files.named("one", "two"),
        units=n[0],
        least_units=min(n[:2]),
        most_documents=n[2],
        margin_chars=n[3],
        least_chars=n[4],
        most_cuts=n[5],
    )
)


@settings(max_examples=70, deadline=None)
@given(
    stages_,
    st.lists(st.lists(texts, max_size=2), min_size=1, max_size=4),
    st.lists(st.lists(texts, max_size=2), min_size=1, max_size=3),
    st.lists(st.lists(texts, max_size=4), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_brute_force(
    stage: Contamination,
    one: list[list[str]],
    two: list[list[str]],
    parts: list[list[str]],
    bundles: int,
    seed: int,
) -> None:
    one, two = [["a b"], *one], [["a b"], *two]  # a file in which no record has a text is an error
    parts = [[*parts[0], *(text + "\n" + text for own in one for text in own)], *parts[1:]]
    items = {"one": one, "two": two}
    got, counts = found(stage, items, parts, bundles, seed)
    slow = Slow(stage, items, [text for own in parts for text in own])
    number, cut, chars = 0, set(), 0
    dropped: dict[str, set[int]] = {"one": set(), "two": set()}
    touched: dict[str, set[int]] = {"one": set(), "two": set()}
    for own, columns in zip(parts, got, strict=True):
        for row, text in enumerate(own):
            passages, cuts, pieces = slow.document(number)
            assert told(text, columns, row) == (passages, cuts)
            many = sum(kind == "match" for *_, kind in cuts)
            reason = "cut_too_often" if many > stage.most_cuts else None if pieces else "contaminated"
            assert columns["drop"][row] == reason
            assert columns["contaminated_chars"][row] == sum(end - start for start, end, _ in cuts)
            want = xxhash.xxh3_64_intdigest(text.encode()) if cuts else None
            assert columns["contamination_cuts_of"][row] == want
            for _, _, (name, _), *_ in passages:
                (dropped if reason else touched)[name].add(number)
            if cuts and not reason:
                cut.add(number)
                chars += columns["contaminated_chars"][row]
            number += 1
    summary = stage.summary(counts, 0)
    assert (summary["documents_cut"], summary["chars_cut"]) == (len(cut), chars)
    assert sum(summary[f"{name}.chars_cut"] for name in items) == chars
    for name, records in items.items():
        grams = {gram for gram, owners in slow.owners.items() if any(owner[0] == name for owner in owners)}
        longest = [max((len(lined(text)) for text in own), default=0) for own in records]
        ignored = {gram for gram in grams if slow.total.get(gram, 0) > stage.most_documents}
        used = {gram for gram in grams if gram in slow.total} - ignored
        assert [summary[f"{name}.{count}"] for count in OVERLAPS[:9]] == [
            len(records),
            sum(stage.least_units <= n < stage.units for n in longest),
            sum(n < stage.least_units for n in longest),
            len(grams),
            len(used | ignored),
            len(ignored),
            len({owner for gram in used for owner in slow.owners[gram] if owner[0] == name}),
            len(touched[name]),
            len(dropped[name]),
        ]


@pytest.mark.parametrize("chinese", [False, True])
def test_brute_force_with_many_cuts(chinese: bool) -> None:
    """Documents of hundreds of units with items whole and in part, far apart, near and across each other."""
    rng = random.Random(chinese)
    stage = Contamination(
        benchmark=benchmark_files.named("one"),
        units=6,
        least_units=4,
        most_documents=6,
        margin_chars=12,
        least_chars=25,
        most_cuts=3,
    )
    items = [filler(n, rng.randrange(10, 90), chinese) for n in range(40)]
    if chinese:
        items = [item[: len(item) // 4] for item in items]
    documents = []
    for n in range(60):
        text = filler(1000 + n, 150, chinese)
        for _ in range(rng.randrange(8)):
            item = rng.choice(items)
            begin = rng.randrange(len(item) // 2) if rng.random() < 0.4 else 0
            gap = rng.choice(["\n", " ", "“"])
            text += gap + item[begin:] + gap + filler(rng.randrange(10**6), rng.choice([1, 30, 60, 90, 200]), chinese)
        documents.append(text)
    got, _ = found(stage, {"one": [[item] for item in items]}, [documents[:25], documents[25:]], 2)
    slow = Slow(stage, {"one": [[item] for item in items]}, documents)
    rows = [(columns, row) for columns, size in zip(got, (25, 35), strict=True) for row in range(size)]
    left, often, short, ignored = 0, 0, 0, 0
    for number, (columns, row) in enumerate(rows):
        passages, cuts, pieces_ = slow.document(number)
        assert told(documents[number], columns, row) == (passages, cuts)
        many = sum(kind == "match" for *_, kind in cuts)
        reason = "cut_too_often" if many > 3 else None if pieces_ else "contaminated"
        assert columns["drop"][row] == reason
        left += len(pieces_) > 2
        often += reason == "cut_too_often"
        short += any(kind != "match" for *_, kind in cuts)
        ignored += any(slow.total[gram] > 6 for *_, gram in slow.hits[number])
    assert min(left, often, short, ignored) > 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 999), st.integers(1, 20))
def test_the_cut_into_partitions_does_not_decide(seed: int, size: int) -> None:
    rng = random.Random(seed)
    whole = ["".join(rng.choice(PIECES) + rng.choice(["", " "]) for _ in range(20)) for _ in range(20)]
    items = {"one": [[text[3:]] for text in whole[:5]]}
    stage = Contamination(
        benchmark=benchmark_files.named("one"), units=4, least_units=2, most_documents=3, margin_chars=3, least_chars=5
    )
    want, told_then = found(stage, items, [whole])
    order = rng.sample(range(20), 20)
    shuffled = [whole[n] for n in order]
    got, told_now = found(stage, items, [shuffled[at : at + size] for at in range(0, 20, size)], 2, seed)
    for name, values in want[0].items():
        assert [value for columns in got for value in columns[name]] == [values[n] for n in order]
    assert stage.summary(told_now, 0) == stage.summary(told_then, 0)


def test_documents_that_are_searched_a_few_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(2)
    parts = [["\n".join(rng.choice("ab") * rng.randrange(4) for _ in range(9)) for _ in range(12)] for _ in range(5)]
    items = {"one": [["a aa aaa b"], ["b a"]]}
    stage = Contamination(
        benchmark=benchmark_files.named("one"), units=3, least_units=1, most_documents=9, margin_chars=2, least_chars=3
    )
    want = found(stage, items, parts, 2)
    assert any(cuts for columns in want[0] for cuts in columns["contamination_cuts"])
    monkeypatch.setattr("stages.contamination._GROUP_BYTES", 1)
    for name, size in (("RANGE_BYTES", 300), ("FLUSH_BYTES", 200), ("MERGE_BYTES", 2000), ("FAN_IN", 2)):
        monkeypatch.setattr(rounds if name == "RANGE_BYTES" else runs, name, size)
    assert found(stage, items, parts, 5)[0] == want[0]


# -- examples, at the default parameters --------------------------------------------------------------------------------

ENGLISH = "The quick brown fox jumps over the lazy dog while seven wizards box in the moonlit yard"
CHINESE = "清晨的港口很安静夜里归来的船只沿着堤岸一字排开"


def filler(seed: int, chars: int = 1000, chinese: bool = False) -> str:
    rng = random.Random(seed)
    if chinese:
        return "".join(chr(rng.randrange(0x5000, 0x9000)) for _ in range(chars))
    text = ""
    while len(text) < chars:
        text += f"w{rng.randrange(10**6)} "
    return text[: chars - 1] + "."


def pieces(text: str, item: str | list[str], **parameters: Any) -> list[str] | str:
    """What is left of a text, or why it is dropped."""
    stage = Contamination(benchmark=benchmark_files.named("b"), **parameters)
    own = [item] if isinstance(item, str) else item
    (got,), _ = found(stage, {"b": [own]}, [[text]])
    if got["drop"][0]:
        return str(got["drop"][0])
    edges = [0, *(e for cut in got["contamination_cuts"][0] for e in (cut["start"], cut["end"])), len(text.encode())]
    stretches = [text.encode()[a:b].decode() for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b]
    return stretches


def test_thirteen_words_and_two_hundred_characters_on_each_side() -> None:
    before, behind = filler(1), filler(2)
    words = ENGLISH.split()
    assert pieces(f"{before} {' '.join(words[:12])} {behind}", ENGLISH) == [f"{before} {' '.join(words[:12])} {behind}"]
    left, right = pieces(f"{before} {' '.join(words[:13])} {behind}", ENGLISH)
    assert before.startswith(left)
    assert behind.endswith(right)
    for piece, whole in ((left, before), (right, behind)):
        assert 200 <= len(whole) - len(piece) < 212  # a word of six letters or less was in the way, and white space
    assert before[len(left)] == " "
    assert behind[-len(right) - 1] in " ."


def test_thirteen_characters_of_chinese() -> None:
    before, behind = filler(1, chinese=True), filler(2, chinese=True)
    assert pieces(before + CHINESE[:12] + behind, CHINESE) == [before + CHINESE[:12] + behind]
    assert pieces(before + CHINESE[:13] + behind, CHINESE) == [before[:-200], behind[200:]]


@pytest.mark.parametrize(
    "copy",
    [
        ENGLISH.upper(),
        ENGLISH.replace(" ", "\n"),
        ENGLISH.replace(" ", " -- “"),
        ENGLISH.translate({ord(c): ord(c) + 0xFEE0 for c in "abcdefghijklmnopqrstuvwxyzT"}),
        "，".join(CHINESE),
        CHINESE.replace("归来", "歸來").replace("夜里", "夜裏").replace("开", "開"),
    ],
)
def test_what_does_not_tell_a_copy_apart(copy: str) -> None:
    for chinese in (False, True):
        text = f"{filler(1, chinese=chinese)} {copy} {filler(2, chinese=chinese)}"
        assert len(pieces(text, [ENGLISH, CHINESE])) == 2


def test_short_items_stand_alone() -> None:
    eight = " ".join(ENGLISH.split()[:8])
    before, behind = filler(1), filler(2)
    for item, between, parts in (
        (eight, f"\n{eight.upper()}!\n", 2),
        (eight, f" {eight}\n", 1),
        (eight, f"\n{eight} ", 1),
        (eight, f"\n{eight.replace(' ', chr(10), 1)}\n", 2),  # two lines, and nothing else on them
        (" ".join(eight.split()[:7]), f"\n{' '.join(eight.split()[:7])}\n", 1),  # too short
        (CHINESE[:8], f"\n{CHINESE[:8]}\n", 2),
        (CHINESE[:8], f"\n{CHINESE[:9]}\n", 1),
    ):
        assert len(pieces(before + between + behind, item)) == parts, (item, between)


def test_of_short_items_that_begin_in_one_place_the_longest_is_told() -> None:
    words = ENGLISH.split()
    stage = Contamination(benchmark=benchmark_files.named("b"))
    long, short = f"{' '.join(words[:8])}\n{' '.join(words[8:11])}", " ".join(words[:8])
    for items, number in (([[long], [short]], 0), ([[short], [long]], 1)):
        for text, item in ((f"{filler(1)}\n{long}\n{filler(2)}", number), (f"{short}\n{filler(2)}", 1 - number)):
            (got,), _ = found(stage, {"b": items}, [[text]])
            assert [(p["item"], p["grams"]) for p in got["contamination"][0]] == [(item, 1)]


def test_pieces_under_two_hundred_characters_go() -> None:
    for chars, left in ((398, 1), (399, 1), (400, 2), (401, 2)):
        text = filler(1, chars, chinese=True) + CHINESE + filler(2, chinese=True)
        assert len(pieces(text, CHINESE)) == left
    assert pieces(filler(1, 399, chinese=True) + CHINESE + filler(2, 399, chinese=True), CHINESE) == "contaminated"
    assert pieces(CHINESE, CHINESE) == "contaminated"
    assert pieces("短", CHINESE) == ["短"]  # what is not cut may be of any length


def test_cuts_that_meet_are_one() -> None:
    stage = Contamination(benchmark=benchmark_files.named("b"), most_cuts=1)
    for chars, kinds in ((400, ["match"]), (401, ["match", "short piece", "match"])):
        text = filler(1, chinese=True) + CHINESE + filler(2, chars, chinese=True) + CHINESE + filler(3, chinese=True)
        (got,), _ = found(stage, {"b": [[CHINESE]]}, [[text]])
        assert [cut["kind"] for cut in got["contamination_cuts"][0]] == kinds
        assert got["drop"] == [None if chars == 400 else "cut_too_often"]


def test_a_document_is_cut_ten_times_at_most() -> None:
    for times, want in ((10, 11), (11, "cut_too_often")):
        text = "".join(filler(n, 700, chinese=True) + CHINESE for n in range(times)) + filler(99, 700, chinese=True)
        got = pieces(text, CHINESE)
        assert got == want if isinstance(want, str) else len(got) == want


def test_a_gram_of_more_than_ten_documents_is_ignored() -> None:
    stage = Contamination(benchmark=benchmark_files.named("b"))
    items = {"b": [[ENGLISH], [CHINESE]]}
    for documents, cut in ((10, 10), (11, 0)):
        texts_ = [f"{filler(n)} {ENGLISH} {filler(n + 100)}" for n in range(documents)]
        got, counts = found(stage, items, [texts_[:4], texts_[4:], [filler(7)]], 2)
        assert sum(bool(own) for columns in got for own in columns["contamination"]) == cut
        summary = stage.summary(counts, 0)
        assert (summary["b.grams_found"], summary["b.grams_ignored"]) == (5, 5 * (not cut))
        assert (summary["b.items"], summary["b.items_found"]) == (2, int(bool(cut)))
    # Ten times in one document is one document; of an item that is known in part, the rest is found.
    repeated = f"{filler(1)} {ENGLISH} {ENGLISH}\n" * 11 + filler(2)
    assert pieces(repeated, ENGLISH) == "cut_too_often"
    words = ENGLISH.split()
    common = [f"{filler(n)} {' '.join(words[:13])} {filler(n + 100)}" for n in range(11)]
    (got,), _ = found(stage, items, [[*common, f"{filler(5)} {ENGLISH} {filler(6)}"]])
    assert [bool(own) for own in got["contamination"]] == [False] * 11 + [True]
    assert got["contamination"][11][0]["grams"] == 4
    assert got["contamination"][11][0]["gram"] == " ".join(words[1:14])


def test_a_shared_gram_finds_every_item_that_has_it() -> None:
    stage = Contamination(benchmark=benchmark_files.named("b", "c"))
    items = {"b": [[ENGLISH], ["other", ENGLISH + " and more"]], "c": [[ENGLISH]]}
    got, counts = found(stage, items, [[filler(1) + ENGLISH]])
    summary = stage.summary(counts, 0)
    assert (summary["b.items_found"], summary["c.items_found"]) == (2, 1)
    assert {(p["benchmark"], p["item"]) for p in got[0]["contamination"][0]} == {("b", 0)}  # the first is told


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"units": 0}, "units"),
        ({"least_units": 14}, "least_units"),
        ({"most_documents": 0}, "most_documents"),
        ({"margin_chars": -1}, "margin_chars"),
        ({"least_chars": 0}, "least_chars"),
        ({"most_cuts": 0}, "most_cuts"),
        ({"benchmark": ()}, "benchmark"),
        ({"benchmark": benchmark_files.named("b", "b")}, r"benchmark\.name"),
    ],
)
def test_parameters_out_of_range(parameters: dict[str, Any], field: str) -> None:
    with pytest.raises(RecipeError, match=rf"^\.{field}: "):
        Contamination(**({"benchmark": benchmark_files.named("b")} | parameters))


HOT = """
import resource, sys
import numpy as np, pyarrow as pa
import benchmark_files
from corpus.exchange import Loader, Part
from corpus.rounds import Bundle, numbered, run_rounds, settled
from corpus.store import Blobs
from stages.contamination import Contamination

WORDS = " ".join(f"w{n}" for n in range(70))

class Same(Loader, frozen=True):
    def read(self, key, names):
        return pa.record_batch({"text": pa.array([WORDS] * 1_000)})

def once(folder, partitions, most):
    parts = numbered({k * 2**50 + 5: Part(k * 2**50 + 5, "s", 1, 1_000) for k in range(partitions)})
    work = [Bundle(i, f"b{i}", tuple(parts[i * 50 : i * 50 + 50]), Same()) for i in range(-(-partitions // 50))]
    stage, blobs = Contamination(benchmark=benchmark_files.named("b"), most_documents=most), Blobs(folder)
    opener = benchmark_files.Opened(stage, sys.argv[1])
    run = lambda f, t: enumerate(map(f, t))
    flow, counts = run_rounds(stage, blobs, work, "s", "c", run, lambda n, c: None, opener)
    cut = [columns["drop"].null_count for b in work for _, columns in settled(stage, blobs, flow, b, opener)]
    return counts, sum(cut)

from pathlib import Path
benchmark_files.write(Path(sys.argv[1]), b=[WORDS])
once(sys.argv[1] + "/small", 2, 10_000)  # compile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
counts, left = once(sys.argv[1] + "/large", 60, 1_000_000)
print(left, counts["documents"], (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_a_gram_of_every_document_passes_in_fixed_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HOT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parent.parent), "PATH": ""},
    )
    left, records, grown = map(int, done.stdout.split())
    assert left == 0  # nothing of any is left
    assert records == 60 * 58  # of each partition the 58 grams of 70 words, not 58,000
    assert grown < 32 << 20
