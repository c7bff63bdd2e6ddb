"""Language identification, with a tiny model trained here, and with the real one where it has been fetched."""

import sys
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.characters import utf8
from stages.chinese import character_table, weights
from stages.lid import Lid, Model
from stages.lid_kernel import COLUMNS, count
from stages.scripts import HANS, LATINS, NAMES, SCRIPT, bits_of, script_table

ENGLISH = "the quick brown fox jumps over the lazy dog and then it sleeps in the warm sun"
GERMAN = "der schnelle braune Fuchs springt über den faulen Hund und schläft dann in der warmen Sonne"
CHINESE = "我们在这里说明公司的产品和价格，大家可以到网站上看一看，也可以打电话来问。"
TRADITIONAL = "我們在這裡說明公司的產品和價格，大家可以到網站上看一看，也可以打電話來問。"
CANTONESE = "佢哋琴日喺屋企食咗飯，跟住就去咗街，嗰間舖頭啲嘢好平，你估佢買咗乜嘢返嚟？"
CLASSICAL = "學而時習之，不亦說乎？有朋自遠方來，不亦樂乎？人不知而不慍，不亦君子乎？子曰：君子不器。"
JAPANESE = "これは日本語の文章です。文字コードを判定するために、かなと漢字を混ぜて書いています。"
KOREAN = "이것은 한국어로 쓴 글입니다. 문자 집합을 알아내기 위해 여러 낱말을 섞어서 씁니다."
REAL = Path(sys.prefix) / "share" / "corpus" / "assets" / "lid.176.ftz"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fastText model that tells en, zh, de and ru apart."""
    folder = tmp_path_factory.mktemp("lid")
    lines = []
    russian = "Это обычный русский текст, по которому нужно определить язык страницы и её кодировку"
    for label, text in (("en", ENGLISH), ("zh", CHINESE), ("de", GERMAN), ("ru", russian)):
        step = max(len(text) // 40, 1)
        lines += [f"__label__{label} {text[start:]}" for start in range(0, len(text) - 10, step)]
    (folder / "train.txt").write_text("\n".join(lines * 10), encoding="utf-8")
    model = fasttext.train_supervised(
        str(folder / "train.txt"), thread=1, dim=8, minn=1, maxn=3, bucket=2000, epoch=20, lr=0.5, verbose=0
    )
    model.save_model(str(folder / "tiny.bin"))
    return folder / "tiny.bin"


@pytest.fixture(scope="module")
def tiny(path: Path) -> Model:
    return Lid(model="tiny.bin").load({"tiny.bin": path})


def batch(*texts: str | None) -> pa.RecordBatch:
    return pa.record_batch({"text": pa.array(texts, pa.string())})


def judge(model: Model, *texts: str | None, **parameters: Any) -> dict[str, list[Any]]:
    columns = Lid(**parameters).apply(batch(*texts), model)
    assert {name: column.type for name, column in columns.items()} == Lid.adds
    return {name: column.to_pylist() for name, column in columns.items()}


def labels(model: Model, *texts: str | None) -> list[str]:
    return judge(model, *texts)["lang_label"]


def test_labels_and_scores_are_fasttexts(path: Path, tiny: Model) -> None:
    library = fasttext.load_model(str(path))
    texts = (ENGLISH, GERMAN, "Fuchs springt über den\nfaulen Hund")
    got = judge(tiny, *texts)
    assert got["lang"] == got["lang_label"] == ["en", "de", "de"]
    for text, label, score in zip(texts, got["lang"], got["lang_score"], strict=True):
        (wanted,), (probability,) = library.predict(text.replace("\n", " "))
        assert wanted == f"__label__{label}"
        assert abs(score - min(probability, 1)) <= 2**-12
        assert score * 4096 == round(score * 4096)


def test_nothing_known(tiny: Model) -> None:
    got = judge(tiny, "", None, "1, 2, 3!", "…，。😀", "a b", "ᐃᓄᒃᑎᑐᑦ")
    assert got["lang"] == got["lang_label"] == ["und"] * 6
    assert {value for name in ("lang_score", "lang_letter_share", "lang_line_share") for value in got[name]} == {0}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        (CHINESE, "zh-Hans"),
        (TRADITIONAL, "zh-Hant"),
        (CANTONESE, "yue"),
        (CLASSICAL, "lzh"),
        (JAPANESE, "ja"),
        (KOREAN, "ko"),
        ("Καλημέρα", "el"),
        ("สวัสดี", "th"),
        ("ab", "und"),
        # Six characters are enough, and so is one; without a character of one script alone it is not known which.
        ("北京大观园", "zh-Hans"),
        ("好", "zh"),
        ("2015年6", "zh"),
        ("剛剛剝咗智慧齒", "zh-Hant"),
        ("港澳居民來往內地通行證", "zh-Hant"),
        # Kana, hangul and forms of one country.
        ("鲜の每日，我们的牛奶", "zh-Hans"),
        ("東京大学の研究", "ja"),
        ("働く気持ち", "ja"),
        ("発売記念図書券", "ja"),
        ("東京大学", "zh"),  # nothing says otherwise
        ("大韓民國의 首都는 서울特別市이다", "ko"),
        ("韩国首尔（서울）的天气很好，我们去了很多地方", "zh-Hans"),
        ("ヽ(≧▽≦)ノ 好喜欢", "zh-Hans"),
        # One 嘅 in a quotation, one 曰 in a sentence, one 的 in a proverb.
        ("他说的“嘅”字是粤语里的一个助词，我们在这里不用它", "zh-Hans"),
        ("我们都知道孔子曰的意思是孔子说", "zh-Hans"),
        # Product names do not make a text English.
        ("iPhone 14 Pro Max 手机壳 防摔 透明", "zh-Hans"),
    ],
)  # fmt: skip
def test_scripts_and_characters_decide(tiny: Model, text: str, label: str) -> None:
    assert labels(tiny, text) == [label]


def test_both_scripts_are_one_language(tiny: Model) -> None:
    got = judge(tiny, CHINESE, TRADITIONAL, CHINESE + TRADITIONAL, CANTONESE, CLASSICAL)
    assert got["lang"] == ["zh"] * 5
    assert got["lang_label"] == ["zh-Hans", "zh-Hant", "zh", "yue", "lzh"]
    assert got["hant_share"][:3] == [0, 1, pytest.approx(0.5, abs=0.1)]


def test_the_model_answers_in_the_script_of_the_text(tiny: Model) -> None:
    """The model knows one language in Cyrillic: whatever it is shown, Cyrillic is that language and Latin is not."""
    assert judge(tiny, "Абвгдежзи клмн опрст", "zzzz yyyy xxxx wwww")["lang"][0] == "ru"
    assert labels(tiny, "zzzz yyyy xxxx wwww")[0] in ("en", "de")


def test_a_mixed_text_is_what_the_model_says_in_either_script(tiny: Model) -> None:
    mostly_english = (ENGLISH + "\n") * 4 + "我们在这里说明公司的产品和价格"
    got = judge(tiny, mostly_english, CHINESE + " " + ENGLISH)
    assert got["lang"] == ["en", "zh"]
    assert 0.5 < got["lang_letter_share"][0] < 1
    assert got["lang_line_share"] == [pytest.approx(4 / 5, abs=1e-3), 1]


def test_mixed_language_shares(tiny: Model) -> None:
    text = "\n".join([CHINESE, ENGLISH, CHINESE, "", "1, 2, 3"])
    got = judge(tiny, text)
    han = sum("\u4e00" <= char <= "\u9fff" for char in text) * 3
    latin = sum(char.isascii() and char.isalpha() for char in text)
    assert got["lang"] == ["zh"]
    assert got["lang_letter_share"] == [pytest.approx(han / (han + latin), abs=2**-12)]
    assert got["lang_line_share"] == [pytest.approx(2 / 3, abs=2**-12)]
    assert got["lang_window_share"] == [1]


def test_windows_in_another_language(tiny: Model) -> None:
    half = (ENGLISH + " ") * 30, (GERMAN + " ") * 22
    mixed, pure = judge(tiny, "".join(half), ENGLISH * 50)["lang_window_share"]
    assert pure == 1
    assert 0.3 < mixed < 0.7


def test_long_texts_are_sampled_to_their_end(tiny: Model) -> None:
    boilerplate = (GERMAN + " ") * 2
    body = (ENGLISH + " ") * 200
    assert labels(tiny, boilerplate + body) == ["en"]
    got = judge(tiny, body + (GERMAN + " ") * 200, windows=2, window_bytes=500)
    assert got["lang_window_share"][0] == pytest.approx(0.5, abs=0.1)


@given(
    st.lists(
        st.sampled_from(
            [ENGLISH, CHINESE, "", "short", GERMAN + "\n", "。" * 40, JAPANESE, CANTONESE * 3, ENGLISH * 90]
        ),
        max_size=8,
    )
)
@settings(max_examples=30, deadline=None)
def test_batching_changes_nothing(tiny: Model, texts: list[str]) -> None:
    whole = judge(tiny, *texts)
    single = [judge(tiny, text) for text in texts]
    assert whole == {name: [one[name][0] for one in single] for name in Lid.adds}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=4))
@settings(max_examples=100, deadline=None)
def test_values_are_in_range(tiny: Model, texts: list[str]) -> None:
    got = judge(tiny, *texts)
    for name, kind in Lid.adds.items():
        if kind == pa.float32():
            assert all(0 <= value <= 1 for value in got[name])
    for lang, label in zip(got["lang"], got["lang_label"], strict=True):
        assert label == lang or (lang == "zh" and label in ("zh-Hans", "zh-Hant", "yue", "lzh"))


@given(st.lists(st.text(st.sampled_from("aZé我們的嘅之のアㅎ한ж\n,1😀𠀀"), max_size=30), max_size=4))
@settings(max_examples=100, deadline=None)
def test_counts(texts: list[str]) -> None:
    data, bounds = utf8(pa.array(texts, pa.string()))
    counts = np.zeros((len(texts), COLUMNS), np.int64)
    count(data, bounds, character_table(), *weights(), counts)
    for text, row in zip(texts, counts, strict=True):
        for number in range(1, len(NAMES)):
            own = [c for c in text if (script_table()[ord(c)] if ord(c) < 0x20000 else HANS) == number]
            assert row[number] == len("".join(own).encode())
        lines = [line for line in text.split("\n") if any(c not in ",1😀" for c in line)]
        assert row[-3:].sum() == len(lines)


def test_a_slice_of_a_column(tiny: Model) -> None:
    column = pa.array(["zz", ENGLISH, None, CHINESE]).slice(1)
    columns = Lid().apply(pa.record_batch({"text": column}), tiny)
    assert columns["lang"].to_pylist() == ["en", "und", "zh"]


def test_scripts_of_labels() -> None:
    assert bits_of("ru") == 1 << SCRIPT["cyrillic"]
    assert bits_of("en") == 1 << LATINS
    assert bits_of("sr") == 1 << LATINS | 1 << SCRIPT["cyrillic"]
    assert bits_of("zh") == 1 << HANS
    assert bits_of("hin_Deva") == -1  # a model with other labels may answer with any


@pytest.mark.parametrize("wrong", [{"windows": 1}, {"window_bytes": 0}, {"min_letter_bytes": 0}])
def test_bad_parameters(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        Lid(**wrong)


@pytest.mark.skipif(not REAL.is_file(), reason="lid.176.ftz is not here: python scripts/fetch_lid.py")
def test_the_real_model() -> None:
    model = Lid().load({"lid.176.ftz": REAL})
    russian = "Это обычный русский текст, по которому нужно определить язык страницы."
    got = judge(model, ENGLISH, CHINESE, TRADITIONAL, JAPANESE, KOREAN, russian, GERMAN)
    assert got["lang"] == ["en", "zh", "zh", "ja", "ko", "ru", "de"]
    assert min(got["lang_score"]) > 0.5
    library = fasttext.load_model(str(REAL))
    for at in (0, 5, 6):
        probability = library.predict((ENGLISH, russian, GERMAN)[max(at - 4, 0)])[1][0]
        assert got["lang_score"][at] == pytest.approx(min(probability, 1), abs=2**-12)
