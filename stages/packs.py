"""Packs of rules: thresholds on signals, each with the source of its value. Data: one TOML file a pack, in `packs/`.

    languages = ["zh"]             # whose documents it judges; none = all

    [[rule]]
    signal = "dup_line_share"      # any column of numbers
    max    = 0.30                  # or `min`: a document breaks the rule above (below) it; equal is kept
    where  = { signal = "chars", min = 200 }     # whom it is asked of; default: everyone
    source = "Rae et al. 2021, A.1.2"
    why    = "..."                 # what differs from the source

`base = "zh"` takes the languages and rules of a shipped pack, of which rules of the same name are replaced in place.
A rule is named `min_<signal>` or `max_<signal>`, once in a pack. Rules are tried in the order of the file and the first
one broken is the reason for a drop. A manifest writes packs of its own in the same shape, as `[stage.pack.<name>]`.

Published rules count characters, repetition and lines in slightly different ways; `why` says where ours differ.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import RecipeError

_FOLDER = Path(__file__).parent / "packs"
SIGNAL = re.compile(r"[a-z][a-z0-9_]*\Z")


class Bound(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A signal and one limit: `min`, or `max`."""

    signal: str
    min: float | None = None
    max: float | None = None

    @property
    def op(self) -> str:
        return "max" if self.min is None else "min"

    @property
    def threshold(self) -> float:
        found = self.max if self.min is None else self.min
        assert found is not None  # `read` has looked
        return found

    @property
    def name(self) -> str:
        return f"{self.op}_{self.signal}"

    def at(self, threshold: float) -> "Bound":
        """The same at another threshold."""
        return msgspec.structs.replace(self, **{self.op: threshold})


class Rule(Bound, frozen=True, kw_only=True, omit_defaults=True):
    """A document breaks it where its signal is below `min` or above `max`; it is asked where `where` holds."""

    where: Bound | None = None
    source: str = "manifest"
    why: str = ""


class Pack(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """`languages` whose documents it judges; none = all, or those of the base."""

    base: str = ""
    languages: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = msgspec.field(default=(), name="rule")


def read(table: Mapping[str, Any]) -> Pack:
    """A pack from what TOML gives. RecipeError, which begins with the path of the field, where it is none."""
    try:
        pack = msgspec.convert(table, Pack)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`")
        unknown = re.match(r"Object contains unknown field `(.*)`", text)
        if unknown:
            shape = Bound if path.endswith("where") else Rule if path else Pack
            fields = [field.encode_name for field in msgspec.structs.fields(shape)]
            raise RecipeError(
                f"{path}.{unknown.group(1)}: no such field. {nearest(unknown.group(1), fields)}"
            ) from None
        raise RecipeError(f"{path}: {text}.") from None
    names: set[str] = set()
    for i, rule in enumerate(pack.rules):
        for path, bound in ((f".rule[{i}]", rule), (f".rule[{i}].where", rule.where)):
            if bound is None:
                continue
            if not SIGNAL.match(bound.signal):
                raise RecipeError(f"{path}.signal: got {bound.signal!r}. Expected the name of a column.")
            if (bound.min is None) == (bound.max is None):
                raise RecipeError(f"{path}: on {bound.signal!r}. Expected either `min` or `max`.")
            if not math.isfinite(bound.threshold):
                raise RecipeError(f"{path}.{bound.op}: got {bound.threshold}. Expected a finite number.")
        if rule.name in names:
            raise RecipeError(f".rule[{i}]: a second {rule.name}. Write one, or another pack for the other.")
        names.add(rule.name)
    return _on_base(pack) if pack.base else pack


def _on_base(pack: Pack) -> Pack:
    if pack.base not in PACKS:
        raise RecipeError(f".base: got {pack.base!r}. {nearest(pack.base, PACKS)}")
    base, own = PACKS[pack.base], {rule.name: rule for rule in pack.rules}
    rules = tuple(own.pop(rule.name, rule) for rule in base.rules)
    return Pack(languages=pack.languages or base.languages, rules=rules + tuple(own.values()))


def nearest(got: str, valid: Iterable[str]) -> str:
    """Advice on a wrong name."""
    names = sorted(valid)
    close = difflib.get_close_matches(got, names, n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else f"Valid names: {', '.join(names) or 'none'}."


@cache
def _read(name: str) -> Pack:
    path = _FOLDER / f"{name}.toml"
    try:
        return read(tomllib.loads(path.read_text(encoding="utf-8")))
    except RecipeError as error:
        raise RecipeError(f"{path}: ${error}") from None


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.toml")))


class _Shipped(Mapping[str, Pack]):
    """The packs that are shipped, each read when it is first asked for."""

    def __getitem__(self, name: str) -> Pack:
        if name not in _names():
            raise KeyError(name)
        return _read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(_names())

    def __len__(self) -> int:
        return len(_names())


PACKS: Mapping[str, Pack] = _Shipped()
