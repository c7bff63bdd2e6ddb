"""Judge: keep or drop each document by its language, by rules on its signals, and by chance where a score says so.

reads lang, lang_score, the columns that its rules name, and id where it draws; never text
adds rules_broken (int16): how many rules the document breaks; 0 = kept
drops `language`, `lang_score`, `<pack>.<rule>` or `pareto.<column>`, with the values that decided in `detail`
("0.42 > 0.3"): of the rules that a document breaks, the first

A pack of rules (`stages/packs.py`) judges the documents of its languages; a document whose language no pack names is
kept. Rules may compare any column of numbers that an earlier stage adds. A manifest writes packs of its own under
`pack`, changes a threshold, or adds a rule, under `override`, and says under `source` what is different for one source:

    [[stage]]
    kind = "judge"
    keep_languages = ["en", "zh"]
    packs = ["en", "zh", "mine"]
    without = ["zh.max_digit_share"]
    [stage.override.zh]
    max_dup_line_share = 0.40
    max_symbol_share = 0.2
    [[stage.pack.mine.rule]]
    signal = "perplexity"
    max = 2000
    [stage.pareto]
    quality_score = 9
    [stage.source.laws]                # packs, keep_languages, min_lang_score, warn_share: instead of the common ones
    without = ["pareto.quality_score"] # besides the common ones
    [stage.source.laws.zh]             # a pack: on top of the common `override`
    max_dup_10gram_char_share = 0.8

Added rules come after the pack's own, in alphabetical order. Identity covers the rules as they apply to one source
(with `resolved`), so a changed pack judges again, and a source that is judged as before does not.
"""

import hashlib
import math
import re
from functools import lru_cache
from typing import Any, ClassVar

import msgspec
import pyarrow as pa

from corpus.errors import RecipeError
from corpus.stage import Columns, Map
from stages import one_source
from stages.packs import PACKS, SIGNAL, Bound, Pack, Rule, nearest, read
from stages.pareto import MOST_ALPHA
from stages.verdict import Verdict

_NAME = re.compile(r"[a-z0-9-]+\Z")


class Judged(msgspec.Struct, frozen=True):
    """A pack as it is applied: `left_out` are the rules that the manifest takes away, `order` are those of the pack."""

    name: str
    languages: tuple[str, ...]
    rules: tuple[Rule, ...]
    left_out: tuple[str, ...]
    order: tuple[str, ...]

    def resolved(self) -> dict[str, Any]:
        """All that decides, as a plain value for identity: every threshold by the name of its rule."""
        found: dict[str, Any] = {"languages": list(self.languages)}
        found |= {rule.name: rule.threshold for rule in self.rules}
        found |= dict.fromkeys(self.left_out, "off")
        where = {rule.name: {r.signal: {r.op: r.threshold}} for rule in self.rules if (r := rule.where)}
        if where:
            found["where"] = where
        if len(self.order) > 1:
            found["order"] = hashlib.sha256(" ".join(self.order).encode()).hexdigest()
        return found


class Judge(Map, frozen=True, kw_only=True, tag="judge"):
    """Parameters

    keep_languages   codes to keep; none = every language, and none known
    min_lang_score   of the language found, 0 to 1; 0 = not asked
    packs            names of packs, shipped or of `pack`, tried in this order
    pack             packs of this manifest, by name: see `stages/packs.py`
    override         pack -> rule -> threshold
    without          rules left out, as `pack.rule`; of a source also `pareto.column`
    pareto           column of scores in 0 to 1 -> alpha, a whole number: see `stages/pareto.py`
    seed             of what is drawn for `pareto`
    source           source -> what is different for it: see `stages/one_source.py`
    warn_share       a rule that drops more of a source than this is named at the end of a build (1: never)

    RecipeError where a name is unknown, a threshold is not a number, or nothing is left to judge by.
    """

    revision: ClassVar[int] = 2
    adds: ClassVar[dict[str, pa.DataType]] = {"rules_broken": pa.int16()}
    may_drop: ClassVar[bool] = True
    guards: ClassVar[tuple[str, ...]] = ("warn_share",)
    spelled: ClassVar[tuple[str, ...]] = ("pack", "override", "without", "source")

    keep_languages: tuple[str, ...] = ()
    min_lang_score: float = 0.0
    packs: tuple[str, ...] = ("en", "zh")
    pack: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    override: dict[str, dict[str, float]] = msgspec.field(default_factory=dict)
    without: tuple[str, ...] = ()
    pareto: dict[str, int] = msgspec.field(default_factory=dict)
    seed: int = 0
    source: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    warn_share: float = 0.5

    def __post_init__(self) -> None:
        for name in self.pack:
            self._check_pack(name)
        used = dict.fromkeys(self.packs)
        for own in self.source.values():
            named = own.get("packs")
            used |= dict.fromkeys(named if isinstance(named, list | tuple) else ())
        self._check_numbers()
        self._check_names([name for name in used if name in self.pack_names()])
        for name in self.source:
            try:
                self.for_source(name)
            except RecipeError as error:
                raise RecipeError(f".source.{name}{str(error).replace('.override.', '.', 1)}") from None
        if not self.source and not self.reads:
            raise RecipeError(f".packs: got {list(self.packs)}, which hold no rule. Add rules, or remove this stage.")

    def pack_names(self) -> list[str]:
        return [*PACKS, *self.pack]

    def pack_of(self, name: str) -> Pack:
        """As it is shipped, or as the manifest writes it."""
        return read(self.pack[name]) if name in self.pack else PACKS[name]

    def _check_pack(self, name: str) -> None:
        if name in PACKS:
            raise RecipeError(f".pack.{name}: a pack of this name is shipped. Rename yours, or use `override`.")
        if not _NAME.match(name):
            raise RecipeError(f".pack: got {name!r}. Expected lower-case letters, digits and hyphens.")
        if name in self.__struct_fields__:
            raise RecipeError(f".pack.{name}: a parameter has this name. Rename the pack.")
        try:
            read(self.pack[name])
        except RecipeError as error:
            raise RecipeError(f".pack.{name}{error}") from None

    def _check_numbers(self) -> None:
        for field in ("min_lang_score", "warn_share"):
            if not 0 <= getattr(self, field) <= 1:
                raise RecipeError(f".{field}: got {getattr(self, field)}. Expected 0 to 1.")
        for column, alpha in self.pareto.items():
            if not SIGNAL.match(column):
                raise RecipeError(f".pareto: got {column!r}. Expected the name of a column.")
            if not 1 <= alpha <= MOST_ALPHA:
                raise RecipeError(f".pareto.{column}: got {alpha}. Expected a whole number between 1 and {MOST_ALPHA}.")

    def _check_names(self, used: list[str]) -> None:
        """Names of packs and rules; `used` are the packs of the judge and of any of its sources."""
        for i, pack in enumerate(self.packs):
            if pack not in self.pack_names():
                raise RecipeError(f".packs[{i}]: got {pack!r}. {nearest(pack, self.pack_names())}")
            if pack in self.packs[:i]:
                raise RecipeError(f".packs[{i}]: {pack!r} is named twice. Remove one.")
        for pack in self.pack:
            if pack not in used:
                raise RecipeError(f'.pack.{pack}: nothing is judged by it. Add "{pack}" to `packs`, or remove it.')
        for pack, thresholds in self.override.items():
            if pack not in used:
                raise RecipeError(f".override.{pack}: not among this judge's packs. {nearest(pack, used)}")
            for rule, threshold in thresholds.items():
                op, _, signal = rule.partition("_")
                if op not in ("min", "max") or not SIGNAL.match(signal):
                    own = [known.name for known in self.pack_of(pack).rules]
                    raise RecipeError(
                        f".override.{pack}.{rule}: got {threshold}, but there is no such rule. {nearest(rule, own)} "
                        "A new rule is named min_<column> or max_<column>."
                    )
                if not math.isfinite(threshold):
                    raise RecipeError(
                        f".override.{pack}.{rule}: got {threshold}. Expected a finite number; "
                        f'to leave the rule out write without = ["{pack}.{rule}"].'
                    )
        known = [f"{pack}.{rule.name}" for pack in used for rule in self.pack_of(pack).rules]
        for i, code in enumerate(self.without):
            pack, _, rule = code.partition(".")
            if rule in self.override.get(pack, {}):
                raise RecipeError(f".without[{i}]: {code!r} also has a threshold in `override`. Remove one.")
            if code not in known:
                raise RecipeError(f".without[{i}]: got {code!r}. {nearest(code, known)}")

    def for_source(self, name: str) -> "Judge":
        """The judge as it applies to one source, without the words on any other."""
        return one_source.bound(self, name) if self.source else self

    def judged(self) -> tuple[Judged, ...]:
        """The packs in order, with this manifest's thresholds."""
        asked = (self.packs, self.pack, self.override, self.without)
        return _judged(msgspec.json.encode(asked))

    @property
    def resolved(self) -> dict[str, Any]:
        return {pack.name: pack.resolved() for pack in self.judged()}

    @property
    def compares(self) -> tuple[str, ...]:
        columns = dict.fromkeys(["lang_score"] if self.min_lang_score else [])
        for pack in self.judged():
            for rule in pack.rules:
                columns |= dict.fromkeys([rule.where.signal, rule.signal] if rule.where else [rule.signal])
        return tuple(columns | dict.fromkeys(self.pareto))

    @property
    def reads(self) -> tuple[str, ...]:  # type: ignore[override]
        asks = self.keep_languages or self.min_lang_score
        asks = asks or any(pack.languages and pack.rules for pack in self.judged())
        return (*(["lang"] if asks else []), *self.compares, *(["id"] if self.pareto else []))

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        verdict = Verdict(batch)
        if self.keep_languages:
            verdict.language(self.keep_languages)
        if self.min_lang_score:
            verdict.rule("lang_score", Bound(signal="lang_score", min=self.min_lang_score))
        for pack in self.judged():
            asked = verdict.is_in(pack.languages) if pack.languages and pack.rules else None
            for rule in pack.rules:
                verdict.rule(f"{pack.name}.{rule.name}", rule, asked)
        for column in sorted(self.pareto):
            verdict.pareto(column, self.pareto[column], self.seed)
        return verdict.columns()


_Asked = tuple[tuple[str, ...], dict[str, dict[str, Any]], dict[str, dict[str, float]], tuple[str, ...]]


@lru_cache(maxsize=256)
def _judged(asked: bytes) -> tuple[Judged, ...]:
    names, own_packs, override, without = msgspec.json.decode(asked, type=_Asked)
    packs = []
    for name in names:
        pack = read(own_packs[name]) if name in own_packs else PACKS[name]
        changed = override.get(name, {})
        own = [rule.name for rule in pack.rules]
        left_out = tuple(rule for rule in own if f"{name}.{rule}" in without)
        rules = [rule.at(changed.get(rule.name, rule.threshold)) for rule in pack.rules if rule.name not in left_out]
        for added in sorted(changed.keys() - set(own)):
            op, _, signal = added.partition("_")
            rules.append(Rule(signal=signal, **{op: changed[added]}))  # type: ignore[arg-type]
        packs.append(Judged(name, pack.languages, tuple(rules), left_out, tuple(own)))
    return tuple(packs)
