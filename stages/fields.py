"""Fields: numbers of the metadata as columns, for `judge` and `dedup`: score, accepted, stars.

reads meta (string)   compact JSON, as the readers of JSON lines keep it
adds  meta_<field> (float64) for each of `numbers`: true and false are 1 and 0, a string that spells a decimal number
      is that number; where there is none the value that `missing` gives the field, else null

    [[stage]]
    kind    = "fields"
    numbers = ["score", "accepted"]
    missing = { accepted = 0 }

A judge quarantines a document whose null it must compare: give the field a value under `missing`, or ask the rule of
others (`where`). Readers keep the metadata whole, so another field costs this stage again and no text is read.
"""

import math
import re
from typing import Any, ClassVar

import msgspec
import orjson
import pyarrow as pa

from corpus.errors import RecipeError
from corpus.stage import Columns, Map

_FIELD = re.compile(r"[a-z][a-z0-9_]*\Z")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,15})?\Z")
_LARGEST = 1 << 53  # integers up to which a float64 is exact


class Fields(Map, frozen=True, kw_only=True, tag="fields"):
    """Parameters

    numbers   names of the fields
    missing   field -> its value where a document has none

    RecipeError where a name is no name of a column, stands there twice, or is unknown to `numbers`.
    """

    revision: ClassVar[int] = 1
    uses: ClassVar[tuple[str, ...]] = ("orjson",)
    reads: ClassVar[tuple[str, ...]] = ("meta",)

    numbers: tuple[str, ...]
    missing: dict[str, float] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.numbers:
            raise RecipeError('.numbers: got none. Expected names of fields, such as ["score"]; or remove this stage.')
        for at, name in enumerate(self.numbers):
            if not _FIELD.match(name):
                raise RecipeError(f".numbers[{at}]: got {name!r}. Expected small letters, digits and underscores.")
            if name in self.numbers[:at]:
                raise RecipeError(f".numbers[{at}]: {name!r} is named twice. Remove one.")
        for name, value in self.missing.items():
            if name not in self.numbers:
                raise RecipeError(f".missing.{name}: not among `numbers`. Add it there, or remove it here.")
            if not math.isfinite(value):
                raise RecipeError(f".missing.{name}: got {value}. Expected a finite number.")

    @property
    def adds(self) -> dict[str, pa.DataType]:  # type: ignore[override]
        return {f"meta_{name}": pa.float64() for name in self.numbers}

    def apply(self, batch: pa.RecordBatch, model: None) -> Columns:
        values = [orjson.loads(meta) if meta else None for meta in batch["meta"].to_pylist()]
        columns: Columns = {}
        for name in self.numbers:
            found = [number(meta.get(name)) if isinstance(meta, dict) else None for meta in values]
            missing = self.missing.get(name)
            columns[f"meta_{name}"] = pa.array([missing if one is None else one for one in found], pa.float64())
        return columns


def number(value: Any) -> float | None:
    """The number that a value of JSON is or spells."""
    if isinstance(value, str):
        return float(value) if _DECIMAL.match(value) else None
    if isinstance(value, int):
        return float(value) if abs(value) <= _LARGEST else None
    return value if isinstance(value, float) else None
