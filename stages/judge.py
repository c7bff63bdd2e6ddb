"""Judge: keep or drop each document by its language and by rules on its signals.

reads lang, lang_score and the signals that its rules name, never text
drops `language`, `lang_score` or `<pack>.<rule>`, with the values that decided in `detail` ("0.42 > 0.3")

A pack of rules (`stages/packs.py`) judges the documents of its languages; a document whose language no pack names is
kept. A manifest changes a threshold, or adds a rule on any signal, under `override`, so that the change shows as one
field:

    [[stage]]
    kind = "judge"
    keep_languages = ["en", "zh"]
    packs = ["en", "zh"]
    without = ["zh.max_digit_share"]
    [stage.override.zh]
    max_dup_line_share = 0.40
    max_symbol_share = 0.2

Added rules come after the pack's own, in alphabetical order.
"""

import difflib
import math
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.errors import RecipeError
from corpus.stage import Columns, Map
from stages.extract import PAGE_SIGNALS
from stages.packs import PACKS, Rule
from stages.signals import SIGNALS
from stages.spam import SPAM_SIGNALS

_MEASURES = (*SIGNALS, *SPAM_SIGNALS, *PAGE_SIGNALS)


class _Judged(NamedTuple):
    """A pack as this manifest applies it."""

    name: str
    languages: tuple[str, ...]
    rules: tuple[Rule, ...]


class Judge(Map, frozen=True, kw_only=True, tag="judge"):
    """Parameters

    keep_languages   codes to keep; none = every language, and none known
    min_lang_score   of the language found, 0 to 1; 0 = not asked
    packs            names from `stages.packs.PACKS`, tried in this order
    override         pack -> rule -> threshold
    without          rules left out, as `pack.rule`

    RecipeError where a name is unknown, a threshold is not a number, or nothing is left to judge by.
    """

    may_drop: ClassVar[bool] = True

    keep_languages: tuple[str, ...] = ()
    min_lang_score: float = 0.0
    packs: tuple[str, ...] = ("en", "zh")
    override: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    without: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.min_lang_score <= 1:
            raise RecipeError(f".min_lang_score: got {self.min_lang_score}. Expected 0 to 1.")
        for i, pack in enumerate(self.packs):
            if pack not in PACKS:
                raise RecipeError(f".packs[{i}]: got {pack!r}. {_nearest(pack, list(PACKS))}")
            if pack in self.packs[:i]:
                raise RecipeError(f".packs[{i}]: {pack!r} is named twice. Remove one.")
        for pack, thresholds in self.override.items():
            if pack not in self.packs:
                raise RecipeError(f".override.{pack}: not among this judge's packs. {_nearest(pack, list(self.packs))}")
            for rule, threshold in thresholds.items():
                op, _, signal = rule.partition("_")
                if op not in ("min", "max") or signal not in _MEASURES:
                    known = [f"{side}_{name}" for side in ("min", "max") for name in _MEASURES]
                    raise RecipeError(
                        f".override.{pack}.{rule}: got {threshold}, but there is no such rule. {_nearest(rule, known)}"
                    )
                if not math.isfinite(threshold):
                    raise RecipeError(
                        f".override.{pack}.{rule}: got {threshold}. Expected a finite number; "
                        f'to leave the rule out write without = ["{pack}.{rule}"].'
                    )
        for i, code in enumerate(self.without):
            known = [f"{pack}.{rule.name}" for pack in self.packs for rule in PACKS[pack].rules]
            if code not in known:
                raise RecipeError(f".without[{i}]: got {code!r}. {_nearest(code, known)}")
            pack, _, rule = code.partition(".")
            if rule in self.override.get(pack, {}):
                raise RecipeError(f".without[{i}]: {code!r} also has a threshold in `override`. Remove one.")
        if not self.reads:
            raise RecipeError(f".packs: got {list(self.packs)}, which hold no rule. Add rules, or remove this stage.")

    def judged(self) -> tuple[_Judged, ...]:
        """The packs, with this manifest's thresholds."""
        packs = []
        for name in self.packs:
            pack = PACKS[name]
            changed = self.override.get(name, {})
            own = {rule.name for rule in pack.rules}
            rules = [
                Rule(rule.op, rule.signal, changed.get(rule.name, rule.threshold), rule.source)
                for rule in pack.rules
                if f"{name}.{rule.name}" not in self.without
            ]
            for added in sorted(changed.keys() - own):
                op, _, signal = added.partition("_")
                rules.append(Rule("min" if op == "min" else "max", signal, changed[added], "manifest"))
            packs.append(_Judged(name, pack.languages, tuple(rules)))
        return tuple(packs)

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        columns: dict[str, None] = {}
        packs = self.judged()
        if self.keep_languages or self.min_lang_score or any(pack.languages and pack.rules for pack in packs):
            columns["lang"] = None
        if self.min_lang_score:
            columns["lang_score"] = None
        columns.update(dict.fromkeys(rule.signal for pack in packs for rule in pack.rules))
        return tuple(columns)

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        reason = np.zeros(batch.num_rows, np.int32)  # 0 = kept, else a position in `codes`
        codes: list[str | None] = [None]
        detail = np.full(batch.num_rows, None, object)

        if self.keep_languages:
            lang = batch.column("lang")
            codes.append("language")
            _drop(reason, ~_is_in(lang, self.keep_languages), 1)
            hit = np.flatnonzero(reason == 1)
            detail[hit] = pc.fill_null(lang.take(pa.array(hit)), "none").to_numpy(zero_copy_only=False)
        if self.min_lang_score:
            value = _numbers(batch.column("lang_score"), "lang_score")
            self._break(reason, codes, detail, "lang_score", value, "<", self.min_lang_score, None)
        for pack in self.judged():
            chosen = _is_in(batch.column("lang"), pack.languages) if pack.languages and pack.rules else None
            for rule in pack.rules:
                value = _numbers(batch.column(rule.signal), rule.signal)
                sign = "<" if rule.op == "min" else ">"
                self._break(reason, codes, detail, f"{pack.name}.{rule.name}", value, sign, rule.threshold, chosen)

        labels = pa.array(codes, pa.string())
        return {"drop": labels.take(pa.array(reason)), "detail": pa.array(detail, pa.string())}

    @staticmethod
    def _break(
        reason: np.ndarray,
        codes: list[str | None],
        detail: np.ndarray,
        code: str,
        value: np.ndarray,
        sign: str,
        threshold: float,
        chosen: np.ndarray | None,
    ) -> None:
        """Drop, as `code`, the `chosen` documents whose value breaks the threshold and that nothing dropped before."""
        codes.append(code)
        broken = value < threshold if sign == "<" else value > threshold
        _drop(reason, broken if chosen is None else broken & chosen, len(codes) - 1)
        hit = np.flatnonzero(reason == len(codes) - 1)
        # Python only for what is dropped. Six digits tell apart any two shares: they are multiples of 2**-12.
        detail[hit] = [f"{v:.6g} {sign} {threshold:.6g}" for v in value[hit].tolist()]


def _drop(reason: np.ndarray, broken: np.ndarray, code: int) -> None:
    reason[broken & (reason == 0)] = code


def _is_in(lang: pa.Array, languages: tuple[str, ...]) -> np.ndarray:
    """Which documents are in one of the languages; an unknown language (null) is in none. (n,) bool."""
    return pc.is_in(lang, value_set=pa.array(languages, lang.type), skip_nulls=True).to_numpy(zero_copy_only=False)


def _numbers(column: pa.Array, name: str) -> np.ndarray:
    """Signal as (n,) float64. ValueError where one is missing: that document cannot be judged."""
    if column.null_count:
        raise ValueError(f"{name} is missing for {column.null_count} of {len(column)} documents")
    return column.to_numpy(zero_copy_only=False).astype(np.float64)


def _nearest(got: str, valid: list[str]) -> str:
    """Advice on a wrong name."""
    close = difflib.get_close_matches(got, valid, n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else f"Valid names: {', '.join(sorted(valid)) or 'none'}."
