"""Judge on columns made by hand: which rule decides, what it says, and what a wrong manifest is told."""

import math
from pathlib import Path
from typing import Any, get_args

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import stages
from corpus import recipe
from corpus.errors import RecipeError
from corpus.identity import parameters
from stages.judge import Judge
from stages.packs import PACKS
from stages.pareto import drawn
from stages.signals import Signals

# Values that break no rule of any pack.
GOOD = {
    "words": 500, "chars": 3000, "mean_word_chars": 4.5, "alpha_word_share": 0.95, "stop_words_en": 6,
    "han_word_share": 0.9, "known_pair_share": 0.5, "char_entropy": 4.0, "line_end_share": 0.9,
    "letter_share": 0.8, "mean_line_chars": 60.0, "punct_share": 0.1, "stop_char_share_zh": 0.08, "line_stop_share": 0.8,
}  # fmt: skip


EXTRA = {"id": pa.binary(16), "score": pa.float32(), "perplexity": pa.float64()}


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    names = {"lang": pa.string(), "lang_score": pa.float32(), **Signals.adds, **EXTRA}
    rows = tuple({"id": i.to_bytes(16, "big"), **row} for i, row in enumerate(rows))
    full = [{"lang": "en", "lang_score": 0.9, **GOOD, **row} for row in rows]
    return pa.record_batch({name: pa.array([row.get(name, 0) for row in full], t) for name, t in names.items()})


def judged(judge: Judge, *rows: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    whole = batch(*rows)
    columns = judge.apply(whole.select(list(judge.reads)), judge.load({}))
    types = {name: column.type for name, column in columns.items()}
    assert types == {"drop": pa.string(), "detail": pa.string(), **Judge.adds}
    assert [n > 0 for n in columns["rules_broken"].to_pylist()] == columns["drop"].is_valid().to_pylist()
    return list(zip(columns["drop"].to_pylist(), columns["detail"].to_pylist(), strict=True))


def test_language() -> None:
    judge = Judge(keep_languages=("en", "zh"), min_lang_score=0.5)
    assert judged(
        judge,
        {},
        {"lang": "fr"},
        {"lang": None},
        {"lang": "zh", "lang_score": 0.25},
        {"lang": "fr", "lang_score": 0.1},
        {"lang_score": 0.5},
    ) == [
        (None, None),
        ("language", "fr"),
        ("language", "none"),
        ("lang_score", "0.25 < 0.5"),
        ("language", "fr"),
        (None, None),
    ]


def test_a_pack_judges_its_languages_alone() -> None:
    poem = {"words": 19, "chars": 24, "stop_words_en": 0, "mean_word_chars": 0}
    few = {"han_word_share": 0.0}
    assert judged(Judge(), poem, {**poem, "lang": "zh"}, few, {**few, "lang": "zh"}, {**poem, "lang": "fr"}) == [
        ("en.min_words", "19 < 20"),
        (None, None),
        (None, None),
        ("zh.min_han_word_share", "0 < 0.3"),
        (None, None),
    ]


def test_the_first_rule_broken_is_the_reason() -> None:
    both = {"words": 5, "dup_line_share": 0.75}
    assert judged(Judge(), both) == [("en.min_words", "5 < 20")]
    assert judged(Judge(without=("en.min_words",)), both) == [("en.max_dup_line_share", "0.75 > 0.5")]


def test_equal_to_the_threshold_is_kept() -> None:
    just = 0.5 + 1 / 4096
    assert judged(Judge(), {"words": 50, "dup_line_share": 0.5}, {"dup_line_share": just}) == [
        (None, None),
        ("en.max_dup_line_share", "0.500244 > 0.5"),
    ]


def test_override_changes_and_adds() -> None:
    judge = Judge(override={"zh": {"max_dup_line_share": 0.8, "max_symbol_share": 0.25, "min_lines": 2}})
    zh = {"lang": "zh", "lines": 3}
    assert judged(
        judge, {**zh, "dup_line_share": 0.7}, {**zh, "dup_line_share": 0.9}, {**zh, "symbol_share": 0.5, "lines": 1},
        {**zh, "lines": 1}, {"dup_line_share": 0.7, "lines": 3},
    ) == [
        (None, None),
        ("zh.max_dup_line_share", "0.9 > 0.8"),
        ("zh.max_symbol_share", "0.5 > 0.25"),
        ("zh.min_lines", "1 < 2"),
        ("en.max_dup_line_share", "0.7 > 0.5"),
    ]  # fmt: skip


LINES = {"rule": [{"signal": "mean_line_chars", "max": 100}, {"signal": "longest_line_chars", "max": 1000}]}


def test_a_pack_for_every_language() -> None:
    judge = Judge(packs=("lines",), pack={"lines": LINES})
    assert "lang" not in judge.reads
    assert judged(judge, {"mean_line_chars": 250.0}, {"lang": "de", "longest_line_chars": 5000}, {"words": 0}) == [
        ("lines.max_mean_line_chars", "250 > 100"),
        ("lines.max_longest_line_chars", "5000 > 1000"),
        (None, None),
    ]


def test_reads_only_what_its_rules_need() -> None:
    assert Judge(packs=(), keep_languages=("zh",)).reads == ("lang",)
    assert Judge(packs=("none",), override={"none": {"min_chars": 5}}).reads == ("chars",)
    assert Judge(packs=("none",), min_lang_score=0.5).reads == ("lang", "lang_score")
    rules = [rule for pack in ("en", "zh") for rule in PACKS[pack].rules]
    assert set(Judge().reads) == {"lang", *(r.signal for r in rules), *(r.where.signal for r in rules if r.where)}
    assert "text" not in Judge().reads


def test_shipped_packs_name_columns_and_sources() -> None:
    assert {"gopher", "c4", "fineweb", "refinedweb", "fineweb2-zh", "chinesewebtext", "map-cc", "zh", "en"} <= set(
        PACKS
    )
    added = [kind.adds for kind in get_args(stages.Stage) if isinstance(kind.adds, dict)]
    numbers = {name for columns in added for name, t in columns.items() if pa.types.is_integer(t) or t == pa.float32()}
    for name, pack in PACKS.items():
        used = {rule.signal for rule in pack.rules} | {rule.where.signal for rule in pack.rules if rule.where}
        assert all(column in numbers or column.startswith("meta_") for column in used), name  # meta_: of `fields`
        assert all(rule.source != "manifest" for rule in pack.rules), name
        assert name not in Judge.__struct_fields__


def test_packs_combine() -> None:
    fineweb = Judge(
        packs=("gopher", "c4", "fineweb"),
        without=("c4.min_c4_sentences",),
        override={"c4": {"min_c4_any_end_sentences": 5}},
    )
    good = {"stop_words_en": 8, "c4_any_end_sentences": 9, "line_stop_share": 0.8}
    assert judged(
        fineweb, good, {**good, "c4_any_end_sentences": 4}, {**good, "short_line_share": 0.75}, {"lang": "zh"}
    ) == [
        (None, None),
        ("c4.min_c4_any_end_sentences", "4 < 5"),
        ("fineweb.max_short_line_share", "0.75 > 0.67"),
        (None, None),
    ]


def test_a_rule_is_asked_where_it_says() -> None:
    judge = Judge(packs=("map-cc",))
    zh = {"lang": "zh", "sentences": 9, "punct_share": 0.1, "distinct_char_share": 0.05}
    assert judged(judge, {**zh, "chars": 2000}, {**zh, "chars": 2001}) == [
        ("map-cc.min_distinct_char_share", "0.05 < 0.1"),
        (None, None),
    ]
    assert judge.resolved["map-cc"]["where"]["min_distinct_char_share"] == {"chars": {"max": 2000}}


MINE = {"languages": ["zh"], "rule": [{"signal": "perplexity", "max": 900, "where": {"signal": "chars", "min": 40}}]}


def test_a_pack_of_the_manifest() -> None:
    judge = Judge(packs=("mine",), pack={"mine": MINE})
    assert judge.reads == ("lang", "chars", "perplexity")
    zh = {"lang": "zh", "perplexity": 1000.5}
    assert judged(judge, zh, {**zh, "chars": 39}, {"perplexity": 1000.5}, {**zh, "perplexity": 900}) == [
        ("mine.max_perplexity", "1000.5 > 900"),
        (None, None),
        (None, None),
        (None, None),
    ]


def test_a_pack_on_a_base() -> None:
    rules = [{"signal": "chars", "min": 4}, {"signal": "words", "min": 5}]
    own = Judge(packs=("verse",), pack={"verse": {"base": "zh", "rule": rules}}).judged()[0]
    zh = Judge(packs=("zh",)).judged()[0]
    assert own.languages == zh.languages
    assert [rule.name for rule in own.rules] == [*(rule.name for rule in zh.rules), "min_words"]
    changed = {rule.name for rule in own.rules if rule not in zh.rules}
    assert changed == {"min_chars", "min_words"}
    with pytest.raises(RecipeError, match=r"\.pack\.verse\.base: got 'zz'"):
        Judge(packs=("verse",), pack={"verse": {"base": "zz"}})


def test_what_is_missing_is_needed_only_where_it_is_asked_for() -> None:
    judge = Judge(packs=("none", "mine"), pack={"mine": MINE}, override={"none": {"min_words": 50}})
    unknown = {"lang": "zh", "perplexity": None}
    kept = judged(judge, {"perplexity": None}, {**unknown, "chars": 5}, {**unknown, "words": 3})
    assert [drop for drop, _ in kept] == [None, None, "none.min_words"]
    with pytest.raises(ValueError, match="perplexity is missing for 1 of 2"):
        judged(judge, {"lang": "zh", "perplexity": 5.0}, unknown)


def test_how_many_rules_are_broken() -> None:
    whole = batch(
        {}, {"words": 5}, {"words": 5, "dup_line_share": 1}, {"lang": "fr", "lang_score": 0.1}, {"lang": "zh"}
    )
    judge = Judge(keep_languages=("en", "zh"), min_lang_score=0.5)
    assert judge.apply(whole, None)["rules_broken"].to_pylist() == [0, 1, 2, 2, 0]


def test_decoded_from_toml() -> None:
    manifest = b"""
    kind = "judge"
    keep_languages = ["en", "zh"]
    packs = ["en", "zh"]
    without = ["zh.max_digit_share"]
    [override.zh]
    max_dup_line_share = 0.45
    min_chars = 20
    """
    judge = msgspec.toml.decode(manifest, type=Judge)
    assert judge.override == {"zh": {"max_dup_line_share": 0.45, "min_chars": 20.0}}
    rules = {rule.name: rule.threshold for rule in judge.judged()[1].rules}
    assert (rules["max_dup_line_share"], rules["min_chars"]) == (0.45, 20)
    assert "max_digit_share" not in rules
    assert msgspec.json.decode(msgspec.json.encode(judge), type=Judge) == judge


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"packs": ("zhh",)}, r"\.packs\[0\]: got 'zhh'. Did you mean `zh`\?"),
        ({"packs": ("en", "en")}, "named twice"),
        ({"override": {"hz": {}}}, r"\.override\.hz: .* Did you mean `zh`\?"),
        ({"override": {"zh": {"dup_line_share": 0.4}}}, "Did you mean `max_dup_line_share`"),
        ({"override": {"zh": {"max_dup_line_share": float("nan")}}}, "finite"),
        ({"override": {"zh": {"max_dup_line_share": float("inf")}}}, r'without = \["zh.max_dup_line_share"\]'),
        ({"without": ("zh.max_dup_line",)}, "Did you mean `zh.max_dup_line_share`"),
        ({"without": ("zh.min_chars",), "override": {"zh": {"min_chars": 3}}}, "also has a threshold"),
        ({"min_lang_score": 1.5}, "min_lang_score: got 1.5"),
        ({"warn_share": -1}, "warn_share: got -1"),
        ({"packs": ("none",)}, "hold no rule"),
        ({"pack": {"zh": {}}}, r"\.pack\.zh: a pack of this name is shipped"),
        ({"pack": {"seed": {}}}, r"\.pack\.seed: a parameter has this name"),
        ({"pack": {"my.pack": MINE}}, r"\.pack: got 'my.pack'. Expected lower-case letters"),
        ({"pack": {"mine": MINE}}, r'\.pack\.mine: nothing is judged by it. Add "mine"'),
        ({"pack": {"mine": {"rules": []}}}, r"\.pack\.mine\.rules: no such field. Did you mean `rule`"),
        ({"pack": {"mine": {"rule": [{"signal": "chars"}]}}}, r"\.pack\.mine\.rule\[0\]: on 'chars'. Expected either"),
        ({"pack": {"mine": {"rule": [{"signal": "chars", "mim": 3}]}}}, r"\.rule\[0\]\.mim: no such field. .* `min`"),
        ({"pack": {"mine": {"rule": [{"signal": "chars", "min": "3"}]}}}, r"rule\[0\]\.min: Expected `float \| null`"),
        ({"pack": {"mine": {"rule": [{"signal": "chars", "min": math.inf}]}}}, r"rule\[0\]\.min: got inf"),
        ({"pack": {"mine": {"rule": [{"signal": "a b", "min": 1}]}}}, r"rule\[0\]\.signal: got 'a b'"),
        ({"pack": {"mine": {"rule": [*MINE["rule"], *MINE["rule"]]}}}, r"rule\[1\]: a second max_perplexity"),
        ({"pareto": {"score": 0}}, r"\.pareto\.score: got 0. Expected a whole number between 1 and 64"),
        ({"source": {"laws": {"hz": {"min_chars": 3}}}}, r"\.source\.laws\.hz: neither .* Did you mean `zh`"),
        ({"source": {"laws": {"zh": {"dup_line_share": 1}}}}, r"\.source\.laws\.zh\.dup_line_share: got 1.0, .* `max_dup"),
        ({"source": {"laws": {"zh": {"min_chars": "3"}}}}, r"\.source\.laws\.zh.*: Expected `float`, got `str`"),
        ({"source": {"laws": {"without": ["zh.min_char"]}}}, r"\.source\.laws\.without\[0\]: got .* `zh.min_chars`"),
        ({"source": {"laws": {"without": ["zh.min_chars"], "zh": {"min_chars": 3}}}}, r"\.source\.laws\.without\[0\]: .* also"),
        ({"source": {"laws": {"packs": ["zhh"]}}}, r"\.source\.laws\.packs\[0\]: got 'zhh'. Did you mean `zh`"),
        ({"source": {"laws": {"packs": 3}}}, r"\.source\.laws\.packs: Expected `array"),
        ({"source": {"laws": {"packs": []}}}, r"\.source\.laws\.packs: got \[\], which hold no rule"),
        ({"source": {"laws": {"min_lang_score": 2}}}, r"\.source\.laws\.min_lang_score: got 2"),
    ],
)  # fmt: skip
def test_wrong_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Judge(**parameters)


# -- one source and another ----------------------------------------------------------------------------------------------

MANIFEST = """
[[source]]
name = "laws"
format = "jsonl"
files = ["laws.jsonl"]
[[source]]
name = "code"
format = "jsonl"
files = ["code.jsonl"]
[[stage]]
kind = "lid"
[[stage]]
kind = "signals"
[[stage]]
kind = "judge"
{judge}
"""


def loaded(folder: Path, judge: str) -> dict[str, dict[str, Any]]:
    """Parameters that enter identity, by source."""
    (folder / "m.toml").write_text(MANIFEST.format(judge=judge))
    plan = recipe.load(folder / "m.toml", stages.Stage, stages.Reader)
    return {source.name: parameters(plan.chain(source.name)[-1]) for source in plan.sources}


OWN = """
override.zh.max_digit_share = 0.5
without = ["zh.min_chars"]
[stage.source.laws]
without = ["zh.max_digit_share"]
[stage.source.laws.zh]
max_dup_10gram_char_share = 0.8
min_chars = 4
[stage.source.code]
packs = ["mc4"]
keep_languages = ["en"]
"""


def test_each_source_is_judged_by_its_own_thresholds(tmp_path: Path) -> None:
    common, own = loaded(tmp_path, ""), loaded(tmp_path, OWN)
    assert common["laws"] == common["code"]
    laws = {name: at for name, at in own["laws"]["zh"].items() if at != common["laws"]["zh"].get(name)}
    assert laws == {"max_digit_share": "off", "max_dup_10gram_char_share": 0.8, "min_chars": 4}
    assert own["code"]["packs"] == ["mc4"]
    assert own["code"]["keep_languages"] == ["en"]
    assert set(own["code"]) == {"packs", "keep_languages", "mc4"}


def test_another_threshold_of_one_source_changes_no_other(tmp_path: Path) -> None:
    before = loaded(tmp_path, OWN)
    after = loaded(tmp_path, OWN.replace("0.8", "0.7"))
    assert before["code"] == after["code"]
    assert before["laws"] != after["laws"]
    assert after["laws"]["zh"]["max_dup_10gram_char_share"] == 0.7


def test_what_reads_the_same_is_the_same(tmp_path: Path) -> None:
    assert (
        loaded(tmp_path, "source.laws.zh.min_chars = 10")
        == loaded(tmp_path, "warn_share = 0.9")
        == loaded(tmp_path, "")
    )


@pytest.mark.parametrize(
    ("judge", "message"),
    [
        ("source.lows.without = []", r"\$\.stage\[2\]\.source\.lows: no such source. Did you mean `laws`"),
        ('only = ["laws"]\nsource.code.packs = ["mc4"]', r"source\.code: the stage has `only` without it"),
        ("override.zh.max_dup_lines_share = 0.4", r"reads `dup_lines_share`, .* Did you mean `dup_line_share`\?"),
        ("override.zh.max_spam_score = 3", r"reads `spam_score`, .* Add the stage `spam` before it"),
        ("source.code.en.min_wordz = 4", r"reads `wordz`, .* source `code` adds. Did you mean `words`"),
        ("override.zh.max_lang = 3", r"compares `lang` with a number, but it is a column of string"),
        ("pareto.score_9 = 9", r"reads `score_9`, which no earlier stage .* Add a stage that makes it"),
        ('pack.mine.rule = [{signal = "chars", minn = 3}]', r"\$\.stage\[2\]\.pack\.mine\.rule\[0\]\.minn: no such"),
    ],
)
def test_wrong_manifests(tmp_path: Path, judge: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        loaded(tmp_path, judge)


# -- identity ------------------------------------------------------------------------------------------------------------


def test_what_is_applied_is_identity() -> None:
    def identity(**changed: Any) -> dict[str, Any]:
        return parameters(Judge(packs=("mine",), pack={"mine": {**MINE, **changed}}))

    first = identity()
    assert first["mine"] == {
        "languages": ["zh"],
        "max_perplexity": 900,
        "where": {"max_perplexity": {"chars": {"min": 40}}},
    }
    rule = MINE["rule"][0]
    assert identity(rule=[{**rule, "source": "read", "why": "guess"}]) == first
    assert identity(rule=[{**rule, "max": 800}]) != first
    assert identity(rule=[{**rule, "where": {"signal": "chars", "min": 41}}]) != first
    assert identity(languages=[]) != first
    two = [rule, {"signal": "chars", "min": 5}]
    assert identity(rule=two) != identity(rule=two[::-1])


# -- keeping by chance ---------------------------------------------------------------------------------------------------


def test_pareto_keeps_with_the_published_odds() -> None:
    n = 20_000
    ids = pa.array([i.to_bytes(16, "big") for i in range(n)], pa.binary(16))
    for alpha, score, share in ((9, 1.0, 1), (9, 0.5, 1.5**-9), (9, 0.0, 2**-9), (3, 0.0, 1 / 8), (3, 0.5, 1.5**-3)):
        judge = Judge(packs=(), pareto={"score": alpha})
        assert judge.reads == ("score", "id")
        scores = pa.array([score] * n, pa.float32())
        kept = judge.apply(pa.record_batch({"score": scores, "id": ids}), None)["drop"].null_count
        assert abs(kept - n * share) <= 4 * math.sqrt(n * share * (1 - share))


def test_pareto_says_value_and_draw() -> None:
    found = judged(Judge(packs=(), pareto={"score": 1}), *({"score": 0.25} for _ in range(40)))
    ids = pa.array([i.to_bytes(16, "big") for i in range(40)], pa.binary(16))
    draw = drawn(ids, "score", 0)
    for (drop, detail), u in zip(found, draw.tolist()):
        kept = u * 1.75 < 1
        assert (drop, detail) == ((None, None) if kept else ("pareto.score", f"0.25: drawn {u:.6g} >= 0.571429"))
    assert 0 < sum(drop is None for drop, _ in found) < 40


def test_draws_depend_on_the_id_the_column_and_the_seed_alone() -> None:
    ids = pa.array([(7 * i).to_bytes(16, "big") for i in range(300)], pa.binary(16))
    draw = drawn(ids, "score", 0)
    assert (drawn(ids.take(pa.array(range(299, -1, -1))), "score", 0)[::-1] == draw).all()
    assert (drawn(ids.slice(100, 50), "score", 0) == draw[100:150]).all()
    assert len({*draw.tolist()}) == 300
    for other in (drawn(ids, "perplexity", 0), drawn(ids, "score", 1)):
        assert not (other == draw).any()
    assert [f"{u:.12f}" for u in draw[:3].tolist()] == ["0.281751179897", "0.976475388987", "0.446777221575"]


def test_pareto_after_the_rules_and_not_for_every_source() -> None:
    judge = Judge(packs=("none",), override={"none": {"min_chars": 5}}, pareto={"score": 64, "perplexity": 64},
                  source={"wiki": {"without": ["pareto.score"]}, "web": {"pareto": {"score": 1}}})  # fmt: skip
    assert judge.for_source("books").pareto == {"score": 64, "perplexity": 64}
    assert judge.for_source("wiki").pareto == {"perplexity": 64}
    assert judge.for_source("web").pareto == {"score": 1, "perplexity": 64}
    low = {"score": 0, "perplexity": 0}
    assert [drop for drop, _ in judged(judge.for_source("books"), {**low, "chars": 3}, low, {"score": 1, "perplexity": 0})] == [
        "none.min_chars", "pareto.perplexity", "pareto.perplexity",
    ]  # fmt: skip
    assert judged(judge.for_source("wiki"), {"perplexity": 1})[0] == (None, None)
    with pytest.raises(RecipeError, match=r"\.source\.wiki\.without\[0\]: got 'pareto.scores'"):
        Judge(pareto={"score": 9}, source={"wiki": {"without": ["pareto.scores"]}})


def test_a_score_outside_of_0_to_1_raises() -> None:
    for wrong in (1.5, -0.25, math.nan):
        with pytest.raises(ValueError, match="score is"):
            judged(Judge(packs=(), pareto={"score": 9}), {"score": wrong})
    with pytest.raises(ValueError, match="score is missing"):
        judged(Judge(packs=(), pareto={"score": 9}), {"score": None})


def test_a_missing_signal_raises() -> None:
    judge = Judge(packs=("none",), override={"none": {"min_chars": 5}})
    with pytest.raises(ValueError, match="chars is missing for 1 of 2"):
        judge.apply(pa.record_batch({"chars": pa.array([7, None], pa.int32())}), None)


def slow(judge: Judge, row: dict[str, Any]) -> str | None:
    if judge.keep_languages and row["lang"] not in judge.keep_languages:
        return "language"
    if row["lang_score"] < judge.min_lang_score:
        return "lang_score"
    for pack in judge.judged():
        if not pack.languages or row["lang"] in pack.languages:
            for rule in pack.rules:
                value = row[rule.signal]
                where = rule.where
                if where and (
                    row[where.signal] < where.threshold if where.op == "min" else row[where.signal] > where.threshold
                ):
                    continue
                if value < rule.threshold if rule.op == "min" else value > rule.threshold:
                    return f"{pack.name}.{rule.name}"
    return None


JUDGES = [
    Judge(),
    Judge(keep_languages=("zh", "fr"), min_lang_score=0.25),
    Judge(packs=("map-cc",)),
    Judge(
        packs=("zh", "lines"),
        pack={"lines": LINES},
        override={"zh": {"max_kana_share": 0.1}},
        without=("lines.max_mean_line_chars",),
    ),
]
COMPARED = sorted({name for judge in JUDGES for name in judge.compares} - {"lang_score"})
shares = st.integers(0, 4096).map(lambda n: n / 4096)
rows = st.fixed_dictionaries(
    {"lang": st.sampled_from(["en", "zh", "fr", None]), "lang_score": shares},
    optional={name: st.integers(0, 120) if Signals.adds[name] == pa.int32() else shares for name in COMPARED},
)


@settings(max_examples=60, deadline=None)
@given(st.lists(rows, max_size=12), st.sampled_from(JUDGES), st.integers(0, 12))
def test_as_one_by_one(documents: list[dict[str, Any]], judge: Judge, cut: int) -> None:
    whole = batch(*documents).select([*COMPARED, "lang", "lang_score"])
    expected = [slow(judge, row) for row in whole.to_pylist()]
    columns = judge.apply(whole, None)
    assert columns["drop"].to_pylist() == expected
    assert columns["detail"].is_valid().to_pylist() == [reason is not None for reason in expected]
    cut = min(cut, len(documents))
    assert judge.apply(whole.slice(cut), None)["drop"].to_pylist() == expected[cut:]


PROSE = {
    "zh": [
        "第二条 国家对城乡居民最低生活保障实行属地管理。县级以上人民政府应当将最低生活保障资金列入财政预算，予以保障。",
        "床前明月光，疑是地上霜。举头望明月，低头思故乡。",
        "大西洋鲱是鲱科的一种鱼，分布于北大西洋两岸，以浮游动物为食，是重要的经济鱼类。",
        "房间很干净，服务员态度也好，就是早餐种类少了点....下次还会来",
        "學而時習之，不亦說乎？有朋自遠方來，不亦樂乎？人不知而不慍，不亦君子乎？",
    ],
    "en": [
        "The council met on Tuesday to discuss the plans for a new library, which have been delayed twice since the "
        "spring. Members heard that the cost of materials had risen, and that the builder would not start before the "
        "autumn. A vote is expected next month, once the report of the surveyors has been read and answered."
    ],
}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_good_prose_is_kept(lang: str) -> None:
    signals, texts = Signals(), PROSE[lang]
    columns = signals.apply(pa.record_batch({"text": pa.array(texts)}), signals.load({}))
    verdict = Judge().apply(pa.record_batch({**columns, "lang": [lang] * len(texts)}), None)
    assert verdict["drop"].to_pylist() == [None] * len(texts)
