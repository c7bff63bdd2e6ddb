"""Convert: one script for all Chinese text, where a manifest asks for it.

reads text (string)
adds  text (string)       by `to`: "t2s" in simplified characters, by OpenCC (https://github.com/BYVoid/OpenCC) with its
                          dictionary of phrases (乾燥 -> 干燥, 乾隆 stays); "none" as it was
      converted (int32)   characters that changed

Only documents in which a character stands that traditional script alone has (`han_script.py`) are converted. In others
the characters that OpenCC would change are those that simplified text has, too (於 as a name), and stay. Japanese and
Korean, which have such characters and no other script, stay: text whose kana and hangul are more than a tenth of its
Han characters. Words are not exchanged for those of the mainland (軟體 -> 软体).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import opencc
import pyarrow as pa
import pyarrow.compute as pc

from corpus.stage import Columns
from stages import convert_scan
from stages.characters import utf8
from stages.han_script import script_classes
from stages.rewriting import Rewriting

FOREIGN_PER_HAN = (
    0.1  # kana and hangul per Han character; Japanese text has over 0.8, Chinese text with a の under 0.01
)


class Convert(Rewriting, frozen=True, kw_only=True, tag="convert"):
    """`to`: "t2s" or "none"."""

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("opencc",)
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"text": pa.string(), "converted": pa.int32()}
    totals: ClassVar[tuple[str, ...]] = ("converted",)

    to: Literal["t2s", "none"] = "t2s"

    def load(self, assets: Mapping[str, Path]) -> tuple[np.ndarray, Any]:
        return convert_scan.kinds(script_classes()), None if self.to == "none" else opencc.OpenCC(self.to)

    def apply(self, batch: pa.RecordBatch, model: tuple[np.ndarray, Any]) -> Columns:
        """`model` is the table of `convert_scan.kinds`, and anything with OpenCC's `convert(str) -> str`, or None."""
        table, converter = model
        text = pc.fill_null(batch["text"], "")
        converted = np.zeros(len(text), np.int32)
        if converter is not None:
            data, bounds = utf8(text)
            found = np.zeros(len(text), np.bool_)
            convert_scan.scan(data, bounds, table, found, FOREIGN_PER_HAN)
            if found.any():
                mask = pa.array(found)
                before = text.filter(mask).to_pylist()
                after = [converter.convert(one) for one in before]
                converted[found] = [changed(*pair) for pair in zip(before, after, strict=True)]
                text = pc.replace_with_mask(text, mask, pa.array(after, pa.string()))
        return {"text": text, "converted": pa.array(converted)}


def changed(before: str, after: str) -> int:
    """How many characters of `before` are others in `after`. Where lengths differ, those between what both begin and
    end with."""
    one, other = (np.frombuffer(text.encode("utf-32-le"), np.uint32) for text in (before, after))
    if len(one) == len(other):
        return int(np.count_nonzero(one != other))
    short = min(len(one), len(other))
    begins = int(np.argmin(np.append(one[:short] == other[:short], False)))
    ends = int(np.argmin(np.append(one[::-1][:short] == other[::-1][:short], False)))
    return max(1, len(one) - begins - min(ends, short - begins))
