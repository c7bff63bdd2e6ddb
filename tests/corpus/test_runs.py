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


@given(
    st.lists(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 2**63)), max_size=40), max_size=6),
    st.integers(0, 12),
    st.integers(0, 14),
)
@settings(max_examples=60, deadline=None)
def test_a_merge_is_a_sort(tmp_path_factory: pytest.TempPathFactory, parts: list[list[tuple[int, int]]], low: int, wide: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "BLOCK_RECORDS", 3)
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


@pytest.mark.parametrize("where", ["magic", "header", "index", "data", "short"])
def test_damage_is_named(tmp_path: Path, where: str) -> None:
    blobs = Blobs(str(tmp_path))
    written(blobs, [records([(i, i) for i in range(9000)])])
    data = bytearray(blobs.get("r/0"))
    at = {"magic": 0, "header": 14, "index": 120, "data": 100_000, "short": 0}[where]
    if where == "short":
        data = data[:-100]
    else:
        data[at] ^= 1
    blobs.put("r/0", bytes(data))
    with pytest.raises(StoreError, match="r/0: .*Remove that file"):
        for _ in runs.merge(blobs, [runs.Ref("r/0")]):
            pass


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
        done = subprocess.run([sys.executable, "-c", HOT, str(folder), str(count)], capture_output=True, text=True, check=True)
        grown.append(int(done.stdout) * 1024)
    assert grown[1] < 4 * runs.MERGE_BYTES
    assert grown[1] - grown[0] < runs.MERGE_BYTES
