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

from stages.lid import Lid, heads

ENGLISH = "the quick brown fox jumps over the lazy dog and then it sleeps in the warm sun"
CHINESE = "我们在这里说明公司的产品和价格，大家可以到网站上看一看，也可以打电话来问。"
REAL = Path(sys.prefix) / "share" / "corpus" / "assets" / "lid.176.ftz"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fastText model that tells en, zh and de apart."""
    folder = tmp_path_factory.mktemp("lid")
    german = "der schnelle braune Fuchs springt über den faulen Hund und schläft dann in der warmen Sonne"
    lines = []
    for label, text in (("en", ENGLISH), ("zh", CHINESE), ("de", german)):
        step = max(len(text) // 40, 1)
        lines += [f"__label__{label} {text[start:]}" for start in range(0, len(text) - 10, step)]
    (folder / "train.txt").write_text("\n".join(lines * 10), encoding="utf-8")
    model = fasttext.train_supervised(
        str(folder / "train.txt"), thread=1, dim=8, minn=1, maxn=3, bucket=2000, epoch=20, lr=0.5, verbose=0
    )
    model.save_model(str(folder / "tiny.bin"))
    return folder / "tiny.bin"


def batch(*texts: str | None) -> pa.RecordBatch:
    return pa.record_batch({"text": pa.array(texts, pa.string())})


def lists(columns: dict[str, pa.Array]) -> tuple[list[str], list[float]]:
    return columns["lang"].to_pylist(), columns["lang_score"].to_pylist()


def test_labels_and_scores_are_fasttexts(tiny: Path) -> None:
    stage = Lid(model="tiny.bin")
    assert stage.assets == ("tiny.bin",)
    model = stage.load({"tiny.bin": tiny})
    columns = stage.apply(batch(ENGLISH, CHINESE, "Fuchs springt über den\nfaulen Hund", "", None, "1, 2, 3!"), model)
    assert {name: column.type for name, column in columns.items()} == Lid.adds
    lang, score = lists(columns)
    assert lang == ["en", "zh", "de", "und", "und", "und"]
    assert score[3:] == [0, 0, 0]
    for text, label, got in zip((ENGLISH, CHINESE, "Fuchs springt über den faulen Hund"), lang, score, strict=False):
        (wanted,), (probability,) = model.predict(text)
        assert wanted == f"__label__{label}"
        assert abs(got - min(probability, 1)) <= 2**-13
        assert got * 4096 == round(got * 4096)
        assert 0 < got <= 1


def test_loading_is_silent(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Lid(model="tiny.bin").load({"tiny.bin": tiny})
    assert capfd.readouterr() == ("", "")


@given(
    st.lists(
        st.sampled_from([ENGLISH, CHINESE, "", "short", "der schnelle Fuchs springt über\n", "。" * 40]), max_size=8
    )
)
@settings(max_examples=30, deadline=None)
def test_batching_changes_nothing(tiny: Path, texts: list[str]) -> None:
    stage = Lid(model="tiny.bin")
    model = stage.load({"tiny.bin": tiny})
    whole = stage.apply(batch(*texts), model)
    single = [lists(stage.apply(batch(text), model)) for text in texts]
    assert lists(whole) == ([lang for (lang,), _ in single], [score for _, (score,) in single])


def test_only_the_first_bytes_are_judged() -> None:
    seen: list[str] = []

    class Recorder:
        def predict(self, lines: list[str]) -> tuple[list[list[str]], list[list[float]]]:
            seen.extend(lines)
            # As fastText does: certainty a little above 1, and no label for a line it knows nothing of.
            return [["__label__xx"], []][: len(lines)], [[1.00001], []][: len(lines)]

    stage = Lid(max_bytes=10, min_letter_bytes=6)
    lang, score = lists(stage.apply(batch("中文\n文字字", "a b c d e f g h", "abcdef\n\n\n\nxyz"), Recorder()))
    assert seen == ["中文 文", "abcdef    "]  # 字 would begin at byte 10, and no line end may reach fastText
    assert (lang, score) == (["xx", "und", "und"], [1, 0, 0])


def test_without_enough_letters_the_model_is_not_asked() -> None:
    lang, score = lists(Lid().apply(batch("", "123 456 …，。", "九个汉字以下"), None))
    assert (lang, score) == (["und"] * 3, [0] * 3)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=4), st.integers(1, 30))
@settings(max_examples=200, deadline=None)
def test_heads(texts: list[str], max_bytes: int) -> None:
    cut, letter_bytes = heads(pa.array(texts, pa.string()), max_bytes)
    for text, head, count in zip(texts, cut.to_pylist(), letter_bytes.tolist(), strict=True):
        assert head == text.encode()[:max_bytes].decode(errors="ignore").replace("\n", " ")
        ascii_letters = sum(char.isalpha() for char in head if char.isascii())
        assert ascii_letters <= count <= len(head.encode())


def test_heads_of_a_slice() -> None:
    cut, letter_bytes = heads(pa.array(["zz", "a1", None, "中。b"]).slice(1), 99)
    assert cut.to_pylist() == ["a1", "", "中。b"]
    assert letter_bytes.tolist() == [1, 0, 4]


@pytest.mark.parametrize(
    "wrong", [{"max_bytes": 0}, {"min_letter_bytes": 0}, {"min_letter_bytes": 11, "max_bytes": 10}]
)
def test_bad_parameters(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="bytes must"):
        Lid(**wrong)


@pytest.mark.skipif(not REAL.is_file(), reason="lid.176.ftz is not here: python scripts/fetch_lid.py")
def test_the_real_model() -> None:
    stage = Lid()
    model = stage.load({"lid.176.ftz": REAL})
    texts = [
        ENGLISH,
        CHINESE,
        "我們在這裡說明公司的產品和價格，大家可以到網站上看一看，也可以打電話來問，歡迎提出寶貴的意見。",
        "これは日本語の文章です。文字コードを判定するために、かなと漢字を混ぜて書いています。",
        "이것은 한국어로 쓴 글입니다. 문자 집합을 알아내기 위해 여러 낱말을 섞어서 씁니다.",
        "Это обычный русский текст, по которому нужно определить язык страницы.",
    ]
    columns = stage.apply(batch(*texts), model)
    assert columns["lang"].to_pylist() == ["en", "zh", "zh", "ja", "ko", "ru"]
    assert min(columns["lang_score"].to_pylist()) > 0.5
    assert np.all(columns["lang_score"].to_numpy() <= 1)


def test_a_sure_glance_is_believed_and_an_unsure_one_is_not() -> None:
    asked: list[list[str]] = []

    class Model:
        def predict(self, lines: list[str]) -> tuple[list[list[str]], list[list[float]]]:
            asked.append(lines)
            return [["__label__aa"] if "sure" in x else ["__label__bb"] for x in lines], [
                [0.95 if "sure" in x else 0.5] for x in lines
            ]

    texts = ["sure " * 20, "doubt " * 20 + "sure", "doubt " * 4 + "words"]
    batch = pa.record_batch([pa.array(texts)], names=["text"])
    got = Lid(glance_bytes=40).apply(batch, Model())
    assert [len(x) for x in asked[0]] == [40, 40, 29]
    assert asked[1:] == [[texts[1]]]  # the third is unsure too, but there is no more of it
    assert got["lang"].to_pylist() == ["aa", "aa", "bb"]
