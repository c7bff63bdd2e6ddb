"""Judge on columns made by hand: which rule decides, what it says, and what a wrong manifest is told."""

from typing import Any

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from stages.extract import PAGE_SIGNALS
from stages.judge import Judge
from stages.packs import PACKS
from stages.signals import SIGNALS, Signals
from stages.spam import SPAM_SIGNALS

# Values that break no rule of any pack.
GOOD = {
    "words": 500, "chars": 3000, "mean_word_chars": 4.5, "alpha_word_share": 0.95, "stop_words_en": 6,
    "han_word_share": 0.9, "char_entropy": 4.0, "line_end_share": 0.9, "letter_share": 0.8, "mean_line_chars": 60.0,
}  # fmt: skip


def batch(*rows: dict[str, Any]) -> pa.RecordBatch:
    names = {"lang": pa.string(), "lang_score": pa.float32(), **Signals.adds}
    full = [{"lang": "en", "lang_score": 0.9, **GOOD, **row} for row in rows]
    return pa.record_batch({name: pa.array([row.get(name, 0) for row in full], t) for name, t in names.items()})


def judged(judge: Judge, *rows: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    whole = batch(*rows)
    columns = judge.apply(whole.select(list(judge.reads)), judge.load({}))
    assert {name: column.type for name, column in columns.items()} == {"drop": pa.string(), "detail": pa.string()}
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
    poem = {"words": 20, "chars": 24, "stop_words_en": 0, "mean_word_chars": 0}
    few = {"han_word_share": 0.0}
    assert judged(Judge(), poem, {**poem, "lang": "zh"}, few, {**few, "lang": "zh"}, {**poem, "lang": "fr"}) == [
        ("en.min_words", "20 < 50"),
        (None, None),
        (None, None),
        ("zh.min_han_word_share", "0 < 0.3"),
        (None, None),
    ]


def test_the_first_rule_broken_is_the_reason() -> None:
    both = {"words": 5, "dup_line_share": 0.75}
    assert judged(Judge(), both) == [("en.min_words", "5 < 50")]
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


def test_a_pack_for_every_language() -> None:
    judge = Judge(packs=("code",))
    assert "lang" not in judge.reads
    assert judged(judge, {"mean_line_chars": 250.0}, {"lang": "de", "longest_line_chars": 5000}, {"words": 0}) == [
        ("code.max_mean_line_chars", "250 > 100"),
        ("code.max_longest_line_chars", "5000 > 1000"),
        (None, None),
    ]


def test_reads_only_what_its_rules_need() -> None:
    assert Judge(packs=(), keep_languages=("zh",)).reads == ("lang",)
    assert Judge(packs=("none",), override={"none": {"min_chars": 5}}).reads == ("chars",)
    assert Judge(packs=("none",), min_lang_score=0.5).reads == ("lang", "lang_score")
    assert set(Judge().reads) == {"lang"} | {rule.signal for pack in ("en", "zh") for rule in PACKS[pack].rules}
    assert "text" not in Judge().reads


def test_packs_name_signals_once() -> None:
    for name, pack in PACKS.items():
        names = [rule.name for rule in pack.rules]
        assert len(set(names)) == len(names), name
        assert {rule.signal for rule in pack.rules} <= {*SIGNALS, *SPAM_SIGNALS, *PAGE_SIGNALS}
        assert all(rule.source for rule in pack.rules)


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
        ({"packs": ("zhh",)}, r"packs\[0\]: got 'zhh'. Did you mean `zh`\?"),
        ({"packs": ("en", "en")}, "named twice"),
        ({"override": {"hz": {}}}, r"override\.hz: .* Did you mean `zh`\?"),
        ({"override": {"zh": {"max_dup_lines_share": 0.4}}}, "0.4, .* Did you mean `max_dup_line_share`"),
        ({"override": {"zh": {"max_kana_shere": 0.4}}}, "Did you mean `max_kana_share`"),
        ({"override": {"zh": {"dup_line_share": 0.4}}}, "Did you mean `m.._dup_line_share`"),
        ({"override": {"zh": {"max_dup_line_share": float("nan")}}}, "finite"),
        ({"override": {"zh": {"max_dup_line_share": float("inf")}}}, r'without = \["zh.max_dup_line_share"\]'),
        ({"without": ("zh.max_dup_line",)}, "Did you mean `zh.max_dup_line_share`"),
        ({"without": ("zh.min_chars",), "override": {"zh": {"min_chars": 3}}}, "also has a threshold"),
        ({"min_lang_score": 1.5}, "min_lang_score: got 1.5"),
        ({"packs": ("none",)}, "hold no rule"),
    ],
)
def test_wrong_parameters(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Judge(**parameters)


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
                if value < rule.threshold if rule.op == "min" else value > rule.threshold:
                    return f"{pack.name}.{rule.name}"
    return None


shares = st.integers(0, 4096).map(lambda n: n / 4096)
rows = st.fixed_dictionaries(
    {"lang": st.sampled_from(["en", "zh", "fr", None]), "lang_score": shares},
    optional={name: st.integers(0, 60) if t == pa.int32() else shares for name, t in Signals.adds.items()},
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(rows, max_size=20),
    st.sampled_from(
        [
            Judge(),
            Judge(keep_languages=("zh", "fr"), min_lang_score=0.25),
            Judge(packs=("zh", "code"), override={"zh": {"max_kana_share": 0.1}}, without=("code.min_letter_share",)),
        ]
    ),
    st.integers(0, 20),
)
def test_as_one_by_one(documents: list[dict[str, Any]], judge: Judge, cut: int) -> None:
    whole = batch(*documents)
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
