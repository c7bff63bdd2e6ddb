"""Dedup by URL against brute force; parts of a record; memory of a URL on every page."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rounds import run

from corpus import rounds, runs
from corpus.store import Blobs
from stages.dedup_urls import DedupUrls, times
from stages.urls import canonical

Row = tuple[str | None, int, str | None, int]  # url, id, date, span_start

URLS = [
    "http://a.example/1",
    "https://www.A.example/1/?utm_source=x",
    "http://a.example/2",
    "http://b.example",
    "text",
    "",
    None,
]
DATES = ["2021-01-01T00:00:00.5Z", "2021-01-01T00:00:00Z", "2020-12-31T23:59:59Z", None]  # the newest first


def batch(rows: list[Row]) -> pa.RecordBatch:
    columns = {
        "url": pa.array([row[0] for row in rows], pa.string()),
        "id": pa.array([row[1].to_bytes(16, "big") for row in rows], pa.binary(16)),
        "date": pa.array([row[2] for row in rows], pa.string()),
        "span_start": pa.array([row[3] for row in rows], pa.int64()),
    }
    return pa.record_batch(list(columns.values()), names=list(columns))


def brute_force(stage: DedupUrls, parts: list[tuple[str, int, list[Row]]]) -> list[list[str | None]]:
    """For each row the id of the record that is kept instead of its own."""
    groups: dict[tuple[str, str], dict[tuple[int, int], tuple[Any, ...]]] = {}
    for number, (source, priority, rows) in enumerate(parts):
        for url, id_, date, span in rows:
            form = str(canonical(pa.array([url], pa.string()))[0])
            if form:
                age = DATES.index(date) if stage.keep == "newest" else 0
                scope = source if stage.scope == "source" else ""
                groups.setdefault((scope, form), {}).setdefault((number, span), (priority, age, id_))
    result: list[list[str | None]] = []
    for number, (source, _, rows) in enumerate(parts):
        result.append([])
        for url, _, _, span in rows:
            form = str(canonical(pa.array([url], pa.string()))[0])
            found = groups.get((source if stage.scope == "source" else "", form), {})
            best = min(found, key=lambda unit: found[unit]) if found else None
            stays = best is None or best == (number, span)
            result[-1].append(None if stays else f"{found[best][2]:032x}")
    return result


@st.composite
def corpora(draw: st.DrawFn) -> list[tuple[str, int, list[Row]]]:
    """Records, some of them in several parts, in partitions of two sources."""
    parts, number = [], 0
    for _ in range(draw(st.integers(1, 5))):
        source = draw(st.sampled_from(["s", "t"]))
        rows: list[Row] = []
        for record in range(draw(st.integers(0, 6))):
            url, date = draw(st.sampled_from(URLS)), draw(st.sampled_from(DATES))
            for _ in range(draw(st.sampled_from([1, 1, 1, 3]))):
                number += 1
                rows.append((url, number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128, date, 100 * record))
        parts.append((source, {"s": 1, "t": draw(st.sampled_from([1, 2]))}[source], rows))
    return parts


@settings(max_examples=60, deadline=None)
@given(
    corpora(),
    st.sampled_from(["first", "newest"]),
    st.sampled_from(["corpus", "source"]),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_brute_force(parts: Any, keep: Any, scope: Any, bundles: int, seed: int) -> None:
    stage = DedupUrls(keep=keep, scope=scope)
    got, counts = run(stage, [(s, p, batch(rows)) for s, p, rows in parts], bundles, seed)
    want = brute_force(stage, parts)
    assert [columns["detail"] for columns in got] == want
    assert [[p and p.hex() for p in columns["url_partner"]] for columns in got] == want
    assert [columns["drop"] for columns in got] == [[w and "same_url" for w in rows] for rows in want]
    dropped = sum(w is not None for rows in want for w in rows)
    summary = stage.summary(counts, dropped)
    assert summary["dropped"] == dropped
    if scope == "corpus":
        assert summary["urls"] == len(
            {form for *_, rows in parts for form in canonical(pa.array([r[0] for r in rows], pa.string())).to_pylist()}
            - {""}
        )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 999), st.integers(1, 40))
def test_the_cut_into_partitions_does_not_decide(seed: int, size: int) -> None:
    rng = random.Random(seed)
    rows = [(rng.choice(URLS), rng.getrandbits(128), rng.choice(DATES), n) for n in range(60)]
    whole, _ = run(DedupUrls(keep="newest"), [("s", 1, batch(rows))])
    shuffled = rng.sample(rows, 60)
    pieces, _ = run(
        DedupUrls(keep="newest"), [("s", 1, batch(shuffled[a : a + size])) for a in range(0, 60, size)], 2, seed
    )
    by_id = dict(zip([row[1] for row in rows], whole[0]["detail"], strict=True))
    assert [d for columns in pieces for d in columns["detail"]] == [by_id[row[1]] for row in shuffled]
    assert sum(d is None for d in by_id.values()) == 4 + sum(not row[0] for row in rows)


def test_parts_of_a_record_go_together_whatever_their_ids() -> None:
    parts: list[Row] = [("http://a.example/", 9, None, 0), ("http://a.example/", 1, None, 0)]
    other: list[Row] = [("https://a.example", 5, None, 0)]
    got, _ = run(DedupUrls(), [("s", 1, batch(parts)), ("s", 1, batch(other))])
    assert [columns["drop"] for columns in got] == [["same_url", "same_url"], [None]]
    got, _ = run(DedupUrls(), [("s", 1, batch([*parts, ("https://a.example", 7, None, 8)]))])
    assert got[0]["drop"] == ["same_url", "same_url", None]


def test_the_newest_of_one_priority() -> None:
    url = "http://a.example/"
    rows: list[Row] = [(url, 1, "2020-01-01T00:00:00Z", 0), (url, 2, "2022-01-01T00:00:00Z", 1), (url, 3, None, 2)]
    got, _ = run(DedupUrls(keep="newest"), [("s", 1, batch(rows))])
    assert got[0]["drop"] == ["same_url", None, "same_url"]
    got, _ = run(DedupUrls(keep="newest"), [("s", 2, batch(rows[1:])), ("t", 1, batch(rows[:1]))])
    assert [columns["drop"] for columns in got] == [["same_url", "same_url"], [None]]
    got, _ = run(DedupUrls(), [("s", 1, batch(rows))])
    assert got[0]["drop"] == [None, "same_url", "same_url"]


def test_the_urls_of_an_earlier_build_are_taken() -> None:
    old: list[Row] = [("http://a.example/", 9, None, 0), ("http://a.example/?gclid=1", 8, None, 1)]
    new: list[Row] = [
        ("http://www.a.example", 1, None, 0),
        ("http://b.example", 2, None, 1),
        ("http://b.example", 3, None, 2),
    ]
    got, _ = run(DedupUrls(), [("s", 5, batch(old)), ("s", 1, batch(new))], standing=[0])
    assert got[1]["drop"] == ["same_url", None, "same_url"]
    assert got[1]["detail"] == [f"{8:032x}", None, f"{2:032x}"]
    stage = DedupUrls(against=("../earlier",))
    assert stage.assets == stage.stands_on == ("../earlier",)


def test_dates_in_order() -> None:
    dates = [
        None,
        "",
        "yesterday",
        "1999",
        "2021-01-02",
        "2021-01-02T03:04:05Z",
        "2021-01-02T03:04:05.6Z",
        "2021-01-02 04",
    ]
    found = times(pa.array(dates, pa.string())).tolist()
    assert found[:3] == [0, 0, 0]
    assert found[2:6] == sorted(found[2:6])
    assert found[5] == 20210102030405 * 10**5
    assert found[6] == 20210102030405 * 10**5 + 60000
    assert len(set(found[2:7])) == 5


def test_a_url_on_every_page_sends_one_record_a_partition(tmp_path: Path) -> None:
    rows: list[Row] = [("http://a.example/", n, None, n) for n in range(50)]
    batches = [("s", 1, batch([(u, 100 * p + i, d, s) for u, i, d, s in rows])) for p in range(4)]
    got, counts = run(DedupUrls(), batches, 2, folder=str(tmp_path))
    assert sum(d is None for columns in got for d in columns["drop"]) == 1
    assert counts["addresses"] == 4
    assert counts["choose"] == 3
    found = [p.relative_to(tmp_path) for p in tmp_path.rglob("*keys.run")]
    assert sorted(runs.Run(Blobs(str(tmp_path)), str(name)).records for name in found) == [2, 2]


def test_ranges_and_flushes_and_levels_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(4)
    batches = [
        (
            "s",
            p % 3,
            batch([(f"http://a.example/{rng.randrange(40)}", rng.getrandbits(128), None, n) for n in range(30)]),
        )
        for p in range(9)
    ]
    want, _ = run(DedupUrls(), batches, 3)
    monkeypatch.setattr(rounds, "RANGE_BYTES", 3000)
    monkeypatch.setattr(runs, "FLUSH_BYTES", 1000)
    monkeypatch.setattr(runs, "MERGE_BYTES", 3000)
    monkeypatch.setattr(runs, "FAN_IN", 2)
    monkeypatch.setattr(runs, "BLOCK_BYTES", 300)
    got, _ = run(DedupUrls(), batches, 9)
    assert got == want


HOT = """
import resource, sys
import numpy as np, pyarrow as pa
from corpus.exchange import Loader, Part
from corpus.rounds import Bundle, numbered, run_rounds, settled
from corpus.store import Blobs
from stages.dedup_urls import DedupUrls

class Same(Loader, frozen=True):
    def read(self, key, names):
        rows = 2_000
        ids = np.stack([np.full(rows, key), np.arange(rows)], axis=1).astype(">u8")
        known = {
            "url": pa.array(["http://a.example/"] * rows),
            "span_start": pa.array(np.arange(rows)),
            "id": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), rows, [None, pa.py_buffer(ids.tobytes())]),
        }
        return pa.record_batch([known[name] for name in names], names=list(names))

def once(folder, partitions):
    parts = numbered({k * 2**50 + 5: Part(k * 2**50 + 5, "s", 1, 2_000) for k in range(partitions)})
    work = [Bundle(i, f"b{i}", tuple(parts[i * 50 : i * 50 + 50]), Same()) for i in range(-(-partitions // 50))]
    stage, blobs = DedupUrls(), Blobs(folder)
    flow, counts = run_rounds(stage, blobs, work, "s", "c", lambda f, t: enumerate(map(f, t)), lambda n, c: None)
    drops = [columns["drop"] for b in work for _, columns in settled(stage, blobs, flow, b)]
    return sum(len(drop) - drop.null_count for drop in drops)

once(sys.argv[1] + "/small", 1)  # compile
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
dropped = once(sys.argv[1] + "/large", 400)
print(dropped, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_records_of_one_url_pass_in_fixed_memory(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HOT, str(tmp_path)], capture_output=True, text=True, check=True)
    dropped, grown = map(int, done.stdout.split())
    assert dropped == 799_999
    assert grown < 64 << 20  # 800,000 records of 48 bytes alone would be 38 MB, three times over while they are sorted
