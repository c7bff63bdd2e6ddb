"""Sorted runs: order, ranges, levels, damage, and a merge whose memory does not follow the data."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import runs
from corpus.errors import StoreError
from corpus.store import Blobs

DTYPE = np.dtype([("key", "<u8"), ("doc", "<u8")])
SORT = ("key", "doc")


def records(pairs: list[tuple[int, int]]) -> np.ndarray:
    return np.array(pairs, dtype=DTYPE)


def written(blobs: Blobs, parts: list[np.ndarray]) -> list[runs.Ref]:
    refs = []
    for number, part in enumerate(parts):
        runs.write(blobs, f"r/{number}", runs.sorted_records(part, SORT), SORT)
        refs.append(runs.Ref(f"r/{number}"))
    return refs


WORDS = st.tuples(
    st.integers(0, 2**64 - 1) | st.integers(0, 3), st.integers(0, 2), st.integers(0, 2**32 - 1), st.integers(0, 255)
)


@given(st.lists(WORDS, max_size=200), st.permutations(["key", "a", "b", "c"]), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_sorting_is_stable_and_by_all_fields(values: list[tuple[int, ...]], names: list[str], count: int) -> None:
    dtype = np.dtype([("key", "<u8"), ("a", "<u4"), ("b", "<u4"), ("c", "u1"), ("place", "<u4")])
    given_ = np.array([(*value, place) for place, value in enumerate(values)], dtype)
    got = runs.sorted_records(given_, names[:count])
    assert got.tolist() == sorted(given_.tolist(), key=lambda r: [r[dtype.names.index(name)] for name in names[:count]])


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2**63)), max_size=40), max_size=6),
    st.integers(0, 12),
    st.integers(0, 14),
)
@settings(max_examples=60, deadline=None)
def test_a_merge_is_a_sort(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[tuple[int, int]]], low: int, wide: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "BLOCK_BYTES", 48)
        patch.setattr(runs, "MERGE_BYTES", 64)
        blobs = Blobs(str(tmp_path_factory.mktemp("runs")))
        refs = written(blobs, [records(part) for part in parts])
        want = sorted(pair for part in parts for pair in part if low <= pair[0] < low + wide)
        got = [tuple(map(int, record)) for block in runs.merge(blobs, refs, low, low + wide) for record in block]
        assert got == want
        if refs:
            runs.merge_to_one(blobs, refs, "one")
            whole = [tuple(map(int, r)) for block in runs.merge(blobs, [runs.Ref("one")]) for r in block]
            assert whole == sorted(pair for part in parts for pair in part)


def test_numbers_are_shifted_as_they_are_read(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    written(blobs, [records([(0, 5), (2, 6), (4, 7)])])
    keyed = [*runs.merge(blobs, [runs.Ref("r/0", 100, ("key", "doc"))], 102, 200)]
    assert [tuple(map(int, r)) for r in np.concatenate(keyed)] == [(102, 106), (104, 107)]
    hashed = [*runs.merge(blobs, [runs.Ref("r/0", 100, ("doc",))], 0, 3)]
    assert [tuple(map(int, r)) for r in np.concatenate(hashed)] == [(0, 105), (2, 106)]


def test_a_flipped_bit_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    written(blobs, [records([(i, i) for i in range(9000)])])
    whole = blobs.get("r/0")
    head = len(whole) - 9000 * DTYPE.itemsize
    for bit in [*range(0, 8 * head, 5), *range(8 * head, 8 * len(whole), 40_009)]:
        data = bytearray(whole)
        data[bit // 8] ^= 1 << bit % 8
        blobs.put("r/0", bytes(data))
        for low, high in ((5000, 6000), (0, 1 << 64)):
            if bit // 8 < head or low == 0 or (bit // 8 - head) // runs.BLOCK_BYTES == 1:
                with pytest.raises(StoreError, match=r"r/0: .*Remove that file"):
                    list(runs.merge(blobs, [runs.Ref("r/0")], low, high))
            else:  # damage in a block that the range does not need
                got = np.concatenate([*runs.merge(blobs, [runs.Ref("r/0")], low, high)])
                assert got["doc"].tolist() == list(range(5000, 6000))


@pytest.mark.parametrize("left", [0, 5, 30, 150, 100_000])
def test_a_short_run_is_named(tmp_path: Path, left: int) -> None:
    blobs = Blobs(str(tmp_path))
    written(blobs, [records([(i, i) for i in range(9000)])])
    blobs.put("r/0", blobs.get("r/0", 0, left))
    with pytest.raises(StoreError, match=r"r/0: .*Remove that file"):
        list(runs.merge(blobs, [runs.Ref("r/0")]))


def test_a_missing_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="r/7: this run is missing"):
        list(runs.merge(Blobs(str(tmp_path)), [runs.Ref("r/7")]))


def test_an_index_longer_than_the_opening_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "BLOCK_BYTES", 16)
    blobs = Blobs(str(tmp_path))
    written(blobs, [records([(i, i) for i in range(3000)])])
    got = np.concatenate([*runs.merge(blobs, [runs.Ref("r/0")], 2500, 2600)])
    assert got["key"].tolist() == list(range(2500, 2600))


@given(st.lists(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=30), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_distinct_runs_merge_to_a_set(
    tmp_path_factory: pytest.TempPathFactory, parts: list[list[tuple[int, int]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "BLOCK_BYTES", 48)
        patch.setattr(runs, "MERGE_BYTES", 64)
        patch.setattr(runs, "FLUSH_BYTES", 100)
        blobs = Blobs(str(tmp_path_factory.mktemp("runs")))
        refs: list[runs.Ref] = []
        for number, part in enumerate(parts):
            writer = runs.Writer(blobs, f"w/{number}", DTYPE, SORT, distinct=True)
            for begin in range(0, len(part), 4):
                writer.add(records(part[begin : begin + 4]))
            refs += writer.finish()
            assert writer.records == sum(runs.Run(blobs, name).records for name in writer.names)
        want = sorted({pair for part in parts for pair in part})
        assert [tuple(map(int, r)) for block in runs.merge(blobs, refs) for r in block] == want
        if refs:
            assert runs.merge_to_one(blobs, refs, "one") == len(want)
            assert [tuple(map(int, r)) for block in runs.merge(blobs, [runs.Ref("one")]) for r in block] == want


HOT = """
import resource, sys
import numpy as np
from corpus import runs
from corpus.store import Blobs
blobs = Blobs(sys.argv[1])
dtype = np.dtype([("key", "<u8"), ("doc", "<u8"), ("load", "V48")])
refs = []
for number in range(20):
    part = np.zeros(int(sys.argv[2]) // 20, dtype)
    part["key"], part["doc"] = 7, np.arange(len(part)) * 20 + number
    runs.write(blobs, f"{number}", part, ("key", "doc"))
    refs.append(runs.Ref(f"{number}"))
del part
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
last, seen = -1, 0
for block in runs.merge(blobs, refs):
    assert block["doc"][0] == last + 1 and np.all(np.diff(block["doc"].astype(np.int64)) == 1)
    last, seen = int(block["doc"][-1]), seen + len(block)
assert seen == int(sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_million_records_of_one_key_pass_in_fixed_memory(tmp_path: Path) -> None:
    grown = []
    for count in (1_000_000, 3_000_000):  # 64 MB and 192 MB of records
        folder = tmp_path / str(count)
        done = subprocess.run(
            [sys.executable, "-c", HOT, str(folder), str(count)], capture_output=True, text=True, check=True
        )
        grown.append(int(done.stdout) * 1024)
    assert grown[1] < 4 * runs.MERGE_BYTES
    assert grown[1] - grown[0] < runs.MERGE_BYTES


WIDE = """
import resource, sys
import numpy as np
from corpus import runs
from corpus.store import Blobs
blobs = Blobs(sys.argv[1])
dtype = np.dtype([("key", "<u8"), ("doc", "<u8"), ("load", "V520")])
refs = []
for number in range(runs.FAN_IN):
    part = np.zeros(2000, dtype)
    part["key"], part["doc"] = np.arange(2000), number
    runs.write(blobs, f"{number}", part, ("key", "doc"))
    refs.append(runs.Ref(f"{number}"))
del part
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
seen = 0
for block in runs.merge(blobs, refs):
    number = block["key"].astype(np.int64) * runs.FAN_IN + block["doc"].astype(np.int64)
    assert number[0] == seen and np.all(np.diff(number) == 1)
    seen += len(block)
assert seen == 2000 * runs.FAN_IN
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_wide_records_of_many_runs_merge_in_the_same_memory(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", WIDE, str(tmp_path)], capture_output=True, text=True, check=True)
    assert int(done.stdout) * 1024 < 4 * runs.MERGE_BYTES  # of 274 MB of records
