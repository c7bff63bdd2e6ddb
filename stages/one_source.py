"""What a judge does differently for one source: `[stage.source.<name>]`, folded into its parameters.

[stage.source.laws]
packs = ["zh"]                      # instead of the common ones; so do keep_languages, min_lang_score, warn_share
without = ["zh.max_digit_share"]    # besides the common ones
[stage.source.laws.zh]              # a pack: thresholds on top of the common `override`
max_dup_10gram_char_share = 0.8     # also of a rule that the common `without` leaves out
[stage.source.laws.pareto]          # alphas on top of the common ones
quality_score = 3
"""

from typing import TYPE_CHECKING, Any

import msgspec

from corpus.errors import RecipeError
from stages.packs import nearest

if TYPE_CHECKING:
    from stages.judge import Judge


class Own(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters that a source may have; all else that it names are packs."""

    packs: tuple[str, ...] | None = None
    keep_languages: tuple[str, ...] | None = None
    min_lang_score: float | None = None
    warn_share: float | None = None
    without: tuple[str, ...] = ()
    pareto: dict[str, int] = {}


def _own(judge: "Judge", table: dict[str, Any]) -> tuple[Own, dict[str, dict[str, float]]]:
    fields = Own.__struct_fields__
    own = _converted({field: value for field, value in table.items() if field in fields}, Own, "")
    packs = judge.packs if own.packs is None else own.packs
    rules = {}
    for pack, thresholds in table.items():
        if pack in fields:
            continue
        if pack not in packs:
            names = [*fields, *packs]
            raise RecipeError(f".{pack}: neither a parameter nor a pack of this source. {nearest(pack, names)}")
        rules[pack] = _converted(thresholds, dict[str, float], f".{pack}")
    return own, rules


def _converted(value: Any, shape: Any, where: str) -> Any:
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        raise RecipeError(f"{where}{path.rstrip('`')}: {text}.") from None


def bound(judge: "Judge", source: str) -> "Judge":
    """The judge of one source. RecipeError, from the path of the field on, where what is said of it is wrong."""
    own, rules = _own(judge, judge.source.get(source, {}))
    packs = judge.packs if own.packs is None else own.packs
    override = {}
    for pack in packs:
        common = judge.override.get(pack, {})
        common = {rule: at for rule, at in common.items() if f"{pack}.{rule}" not in own.without}
        override[pack] = {**common, **rules.get(pack, {})}
    alphas = {column: at for column, at in judge.pareto.items() if f"pareto.{column}" not in own.without}
    gone = {f"{pack}.{rule}" for pack, table in judge.override.items() for rule in table}
    gone -= {
        f"{pack}.{rule.name}" for pack in packs if pack in judge.pack_names() for rule in judge.pack_of(pack).rules
    }
    gone |= {f"pareto.{column}" for column in judge.pareto}
    without = [code for code in own.without if code not in gone]
    for code in judge.without:
        pack, _, rule = code.partition(".")
        if pack in packs and rule not in rules.get(pack, {}) and code not in without:
            without.append(code)
    changes = {name: value for name in ("keep_languages", "min_lang_score", "warn_share")
               if (value := getattr(own, name)) is not None}  # fmt: skip
    return msgspec.structs.replace(
        judge,
        source={},
        packs=packs,
        pack={name: pack for name, pack in judge.pack.items() if name in packs},
        override={pack: table for pack, table in override.items() if table},
        without=tuple(without),
        pareto={**alphas, **own.pareto},
        **changes,
    )
