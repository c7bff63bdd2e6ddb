"""The documents themselves, in Parquet files of FILE_DOCUMENTS rows with one column, `text`.

70% are of 60 to 100 words, 30% of 100 to 200 Han characters. Words and characters are drawn by Zipf's law from 20,000
made-up words and 3,000 characters, sentences end after about 12 units. A text follows from its base seed, its kind and
its variant alone (`population.py`), by a hash of seed and position (splitmix64; Steele, Lea and Flood 2014).
"""

import multiprocessing
import time
from pathlib import Path

import numba as nb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.scale.population import FAMILY, HOT, PAIR, TEMPLATE, Population

FILE_DOCUMENTS = 250_000
WORDS, HAN = 20_000, 3_000
_STEP = 1 << 15  # documents made at a time
_ROOM = 1700  # bytes of the longest document, or more


@nb.njit(cache=True, nogil=True)
def _mix(value):  # type: ignore[no-untyped-def]
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@nb.njit(cache=True, nogil=True)
def _unit(seed, position):  # type: ignore[no-untyped-def]
    return _mix(seed + np.uint64(position + 1) * np.uint64(0x9E3779B97F4A7C15))


@nb.njit(cache=True, nogil=True)
def _write(seeds, kinds, variants, letters, bounds, words, han, out, ends):  # type: ignore[no-untyped-def]
    at = 0
    for i in range(seeds.size):
        seed, kind, variant = seeds[i], kinds[i], np.int64(variants[i])
        chance = _unit(seed, -2)
        chinese = chance % np.uint64(10) < 3
        least = 100 if chinese else 60
        span = np.int64((chance >> np.uint64(8)) % np.uint64(least + 1 if chinese else 41))
        if kind == TEMPLATE:
            span = 100 if chinese else 40
        first, last, style = 0, least + span, 0
        own_begin = own_end = -1  # units that are the variant's own
        other = _mix(seed ^ (np.uint64(variant) + np.uint64(0xD1B54A32D192ED03)))
        if kind == PAIR and variant:
            own_begin = 10 + np.int64((chance >> np.uint64(20)) % np.uint64(least - 20))
            own_end = own_begin + 1
        elif kind == TEMPLATE:
            own_begin = 40
            own_end = own_begin + (8 if chinese else 5)
        elif kind in (FAMILY, HOT):
            first, last, style = variant % 3, last - variant // 3 % 3, variant // 9
        for position in range(first, last):
            drawn = _unit(other if own_begin <= position < own_end else seed, position)
            ends_here = (_unit(seed, position) >> np.uint64(40)) % np.uint64(12) == 0 and position + 1 < last
            number = drawn & np.uint64(0xFFFF)
            if chinese:
                code = han[number]
                out[at], out[at + 1], out[at + 2] = 0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63
                at += 3
                if ends_here:  # U+3002 or U+FF0C
                    out[at], out[at + 1], out[at + 2] = (0xEF, 0xBC, 0x8C) if style else (0xE3, 0x80, 0x82)
                    at += 3
                continue
            for j in range(bounds[words[number]], bounds[words[number] + 1]):
                out[at] = letters[j]
                at += 1
            if ends_here:
                out[at] = 0x3B if style else 0x2E
                at += 1
            if position + 1 < last:
                out[at] = 0x20
                at += 1
        ends[i + 1] = at


def _drawn(size: int, flat: float, random: np.random.Generator) -> np.ndarray:
    """(65536,) uint32: numbers below `size` as often as Zipf's law has them, more evenly the larger `flat` is."""
    shares = 1 / (np.arange(size) + flat)
    return random.choice(size, size=1 << 16, p=shares / shares.sum()).astype(np.uint32)


def _tables() -> tuple[np.ndarray, ...]:
    """letters, bounds of words in them, numbers of words, code points of characters"""
    random = np.random.default_rng(7)
    lengths = np.clip(random.poisson(1.2, WORDS) + 1 + (np.arange(WORDS) > 200), 1, 5)  # syllables
    syllables = random.integers(0, 15, int(lengths.sum())), random.integers(0, 5, int(lengths.sum()))
    letters = np.stack(
        [np.frombuffer(b"bdfghklmnprstvz", np.uint8)[syllables[0]], np.frombuffer(b"aeiou", np.uint8)[syllables[1]]], 1
    ).ravel()
    bounds = np.append(0, np.cumsum(2 * lengths))
    han = (0x4E00 + random.permutation(0x9FA0 - 0x4E00)[:HAN])[_drawn(HAN, 10, random)].astype(np.uint32)
    return letters, bounds, _drawn(WORDS, 2.7, random), han


def texts(documents: Population) -> pa.Array:
    """Strings, as many as documents; these fit into one array of 2 GiB."""
    out, ends = np.empty(len(documents.seed) * _ROOM, np.uint8), np.zeros(len(documents.seed) + 1, np.int32)
    _write(*documents[:3], *_tables(), out, ends)
    return pa.StringArray.from_buffers(len(documents.seed), pa.py_buffer(ends), pa.py_buffer(out[: ends[-1]].copy()))


def _file(order: tuple[Path, Population]) -> int:
    path, documents = order
    size = 0
    with pq.ParquetWriter(path, pa.schema({"text": pa.string()}), compression="zstd", compression_level=1) as writer:
        for begin in range(0, len(documents.seed), _STEP):
            text = texts(documents.part(begin, begin + _STEP))
            size += text.buffers()[2].size
            writer.write_table(pa.table({"text": text}))
    return size


def write(folder: Path, documents: Population, processes: int) -> tuple[int, float]:
    """part-00000.parquet, … -> (bytes of text, seconds)"""
    folder.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    texts(documents.part(0, 1))  # compiles, before processes would do so at once
    orders = [
        (folder / f"part-{begin // FILE_DOCUMENTS:05d}.parquet", documents.part(begin, begin + FILE_DOCUMENTS))
        for begin in range(0, len(documents.seed), FILE_DOCUMENTS)
    ]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        size = sum(pool.imap_unordered(_file, orders))
    return size, time.perf_counter() - started
