"""Repair: text that was decoded twice, escaped twice or annotated by a machine, made what its author wrote.

reads text (string)
adds  text (string)               repaired
      utf8_as_gbk (int32)         runs of UTF-8 that was read as GBK, read again       `double_decoded.py`
      utf8_as_big5 (int32)        the same of Big5
      utf8_as_latin (int32)       pieces of UTF-8 that was read as windows-1252        `latin_decoded.py`
      gbk_as_latin (int32)        lines or runs of GBK, the same
      big5_as_latin (int32)       of Big5
      big5_as_gbk (int32)         runs of Big5 that was read as GBK                    `wrong_pairs.py`
      gbk_as_big5 (int32)         the reverse
      lost_chars (int32)          characters in these that are lost, now U+FFFD
      left_entities (int32)       references of HTML that were still there, read       `left_entities.py`
      removed_pinyin (int32)      glosses of a converter, removed                      `glosses.py`
      irreversible (int32)        锟斤拷, 烫烫烫, 屯屯屯 and U+FFFD that the text now holds: what nothing can repair

Right text stays as it is, to the byte: where it stands, each kind of damage asks for evidence that right text does not
give (each module says which). What is read again was encoded exactly as it stood; width and punctuation stay. What is
flagged here stays in the text: `judge` decides.

`repair_scan.py` finds the few documents in which anything may be wrong; the others are passed on as they are. A text is
repaired until nothing more is found (a reference may be made of one, and text may be decoded three times), in `ROUNDS`
rounds at most; where they do not suffice, it stays as it was. So to repair twice is to repair once.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.stage import Columns
from stages import double_decoded, glosses, latin_decoded, left_entities, repair_scan, wrong_pairs
from stages.byte_pairs import BIG5, GBK
from stages.characters import utf8
from stages.rewriting import Rewriting

ROUNDS = 6
COUNTS = (
    "utf8_as_gbk", "utf8_as_big5", "utf8_as_latin", "gbk_as_latin", "big5_as_latin", "big5_as_gbk", "gbk_as_big5",
    "lost_chars", "left_entities", "removed_pinyin",
)  # fmt: skip
Counts = dict[str, int]


class Repair(Rewriting, frozen=True, kw_only=True, tag="repair"):
    """No parameters: what is beyond doubt is repaired, and nothing else."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.string(),
        **dict.fromkeys((*COUNTS, "irreversible"), pa.int32()),
    }
    totals: ClassVar[tuple[str, ...]] = (*COUNTS, "irreversible")

    def load(self, assets: object) -> repair_scan.Tables:
        return repair_scan.tables()

    def apply(self, batch: pa.RecordBatch, model: repair_scan.Tables) -> Columns:
        text = pc.fill_null(batch["text"], "")
        flags, irreversible = scanned(text, model)
        suspects = np.flatnonzero(flags)
        table = np.zeros((len(COUNTS), len(text)), np.int32)
        rows, changed = [], []
        for row in suspects.tolist():
            before = text[row].as_py()
            after, counts = repaired(before, int(flags[row]), model)
            if after != before:
                rows.append(row)
                changed.append(after)
                table[:, row] = [counts[name] for name in COUNTS]
        if rows:
            mask = np.zeros(len(text), np.bool_)
            mask[rows] = True
            new = pa.array(changed, pa.string())
            text = pc.replace_with_mask(text, pa.array(mask), new)
            irreversible[rows] = scanned(new, model)[1]
        columns = {name: pa.array(counted) for name, counted in zip(COUNTS, table, strict=True)}
        return {"text": text, **columns, "irreversible": pa.array(irreversible)}


def scanned(text: pa.Array, tables: repair_scan.Tables) -> tuple[np.ndarray, np.ndarray]:
    """-> flags ((n,) uint8) and counts of irreversible damage ((n,) int32) of each document."""
    flags, irreversible = np.zeros(len(text), np.uint8), np.zeros(len(text), np.int32)
    repair_scan.scan(*utf8(text), tables, flags, irreversible)
    return flags, irreversible


def repaired(text: str, flags: int, tables: repair_scan.Tables) -> tuple[str, Counts]:
    """A text and what was done to it, by column. `flags` say where the scan saw signs of damage."""
    counts = dict.fromkeys(COUNTS, 0)
    now = text
    for _ in range(ROUNDS):
        before = now
        for flag, step in _STEPS:
            if flags & flag:
                now = step(now, counts)
        if now == before:
            return now, counts
        flags = int(scanned(pa.array([now], pa.string()), tables)[0][0])
        if not flags:
            return now, counts
    return text, dict.fromkeys(COUNTS, 0)


def _entities(text: str, counts: Counts) -> str:
    text, number = left_entities.repaired(text)
    counts["left_entities"] += number
    return text


def _latin(text: str, counts: Counts) -> str:
    found = latin_decoded.repaired(text)
    counts["utf8_as_latin"] += found.utf8
    counts["gbk_as_latin"] += found.gbk
    counts["big5_as_latin"] += found.big5
    return found.text


def _utf8_in(codec: str, column: str) -> Callable[[str, Counts], str]:
    def step(text: str, counts: Counts) -> str:
        text, number, lost = double_decoded.repaired(text, codec)
        counts[column] += number
        counts["lost_chars"] += lost
        return text

    return step


def _other_pairs(text: str, counts: Counts) -> str:
    for column, wrong, right in (("big5_as_gbk", GBK, BIG5), ("gbk_as_big5", BIG5, GBK)):
        text, number = wrong_pairs.repaired(text, wrong, right)
        counts[column] += number
    return text


def _glosses(text: str, counts: Counts) -> str:
    text, number = glosses.removed(text)
    counts["removed_pinyin"] += number
    return text


_STEPS: tuple[tuple[int, Callable[[str, Counts], Any]], ...] = (
    (repair_scan.ENTITY, _entities),
    (repair_scan.IN_LATIN, _latin),
    (repair_scan.UTF8_IN_GBK, _utf8_in(GBK, "utf8_as_gbk")),
    (repair_scan.UTF8_IN_BIG5, _utf8_in(BIG5, "utf8_as_big5")),
    (repair_scan.OTHER_PAIRS, _other_pairs),
    (repair_scan.GLOSS, _glosses),
)
