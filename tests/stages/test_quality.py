"""Scores of the stage `quality` beside fastText's own, the tokens that a model sees, and what is refused."""

from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import InputError
from stages import quality_account
from stages.quality import Model, Quality

CLASSES = ("high", "low", "ad")
WORDS = {
    "high": "清晨的港口很安静，夜里归来的船只沿着堤岸排开。 The harbour was quiet in the morning",
    "low": "首页 关于我们 联系我们 上一页 下一页\nHome\nLogin\nRegister",
    "ad": "厂家直销 价格优惠 电话 13800000000 buy cheap now www.example.com",
}
KINDS: dict[str, dict[str, object]] = {
    "softmax": {},
    "tree": {"loss": "hs", "wordNgrams": 3},
    "parts of words": {"minn": 2, "maxn": 3, "dim": 10, "bucket": 1999},
    "words alone": {"wordNgrams": 1},
    "quantized": {},
}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[fasttext.FastText._FastText, Model]]:
    """Each kind of model as the library and as the stage have it."""
    folder = tmp_path_factory.mktemp("quality")
    stage = Quality(model="m", classes=CLASSES)
    rng = np.random.default_rng(1)
    lines = []
    for times, (label, words) in enumerate(WORDS.items(), 30):
        for token in [list(stage.tokens(pa.array([words]))[0].decode().split())] * times:
            lines.append(f"__label__{label} " + " ".join(rng.permutation(token)[:15]) + " " + " ".join(token))
    (folder / "t").write_text("\n".join(lines) + "\n", encoding="utf-8")
    common = {"thread": 1, "dim": 16, "wordNgrams": 2, "bucket": 4096, "epoch": 25, "lr": 0.5, "verbose": 0, "maxn": 0}
    found = {}
    for kind, own in KINDS.items():
        model = fasttext.train_supervised(str(folder / "t"), **(common | own))
        if kind == "quantized":
            model.quantize(str(folder / "t"), cutoff=300, qnorm=True, retrain=False, verbose=0)
        model.save_model(str(folder / "m"))
        found[kind] = model, stage.load({"m": folder / "m"})
    return found


def library_says(model: fasttext.FastText._FastText, stage: Quality, text: str) -> list[float]:
    """A softmax comes back with 1e-5 on top of each probability, a tree with as much at each of its branches."""
    labels, values = model.predict(stage.tokens(pa.array([text]))[0].decode(), k=-1)
    by_label = dict(zip(labels, values, strict=True))
    more = 0.0 if model.f.getArgs().loss == fasttext.FastText.loss_name.hs else 1e-5
    return [by_label[f"__label__{name}"] - more for name in CLASSES]


PIECES = st.sampled_from(
    [*WORDS.values(), "价格", "the harbour", "\n", "１３８", "é", "ſ", "__label__low", "</s>", "𠀀"]
)
TEXTS = st.lists(PIECES | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=12).map("".join)


@pytest.mark.parametrize("kind", KINDS)
@given(text=TEXTS, window_bytes=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_probabilities_are_the_librarys(both: dict, kind: str, text: str, window_bytes: int) -> None:
    library, model = both[kind]
    for stage in (Quality(model="m", classes=CLASSES), Quality(model="m", classes=CLASSES, window_bytes=window_bytes)):
        got = stage.scores(pa.array([text, text]), model)
        assert got[0] == pytest.approx(library_says(library, stage, text), abs=1e-5)
        assert np.array_equal(got[0], got[1])


def seen(text: str, **parameters: int) -> str:
    return Quality(model="m", **parameters).tokens(pa.array([text]))[0].decode()


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("Don't STOP the Café!", "dont stop the cafe !"),
        ("ＦＵＬＬ Width, Привет МИР", "full width , привет мир"),
        ("价格12345元。", "价 格 0000 元 。"),
        ("7 a12b 199", "0 a 00 b 000"),
        ("\n\na\n \nb\n", "a <n> b <n>"),
        ("<n></s>__label__x", "< n > < / s > _ _ label _ _ x"),
        ("ひらカナ한국어 말", "ひ ら カ ナ 한국어 말"),
        ("a\u200bb\u00adc \x00d", "abc d"),
        ("", ""),
        (" \t\n", ""),
    ],
)
def test_tokens(text: str, tokens: str) -> None:
    assert seen(text) == tokens


def test_scripts_of_chinese_are_one() -> None:
    assert seen("这个国家发展") == seen("這個國家發展")


@given(text=TEXTS, windows=st.integers(2, 5), window_bytes=st.integers(1, 60))
@settings(max_examples=80, deadline=None)
def test_tokens_are_utf8_between_single_spaces_and_bounded(text: str, windows: int, window_bytes: int) -> None:
    tokens = seen(text, windows=windows, window_bytes=window_bytes)
    assert "  " not in tokens
    assert "\n" not in tokens
    assert tokens == tokens.strip()
    assert len(tokens.encode()) <= 3 * windows * (window_bytes + 68)
    if len(text.encode()) <= windows * window_bytes:
        assert tokens == seen(text)


def test_windows_are_spread_from_the_beginning_to_the_end() -> None:
    text = " ".join(f"w{'abcdefghij'[n // 100]}" for n in range(1000))
    tokens = seen(text, windows=4, window_bytes=60).split()
    assert tokens[0] == "wa"
    assert tokens[-1] == "wj"
    assert sorted(set(tokens)) == ["wa", "wd", "wg", "wj"]
    assert 80 <= len(tokens) <= 84


def test_columns_are_rounded_and_do_not_depend_on_the_batch(both: dict) -> None:
    stage = Quality(model="m", classes=("ad", "high"), column="q")
    _, model = both["softmax"]
    model = model._replace(labels=model.labels[[2, 0]])
    texts = [*WORDS.values(), "", None]
    whole = stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), model)
    assert list(whole) == ["q_ad", "q_high"]
    assert {name: column.type for name, column in whole.items()} == stage.adds
    for name, column in whole.items():
        values = column.to_numpy()
        assert np.array_equal(values, np.rint(values * 4096) / 4096), name
        for row, text in enumerate(texts):
            alone = stage.apply(pa.record_batch({"text": pa.array([text], pa.string())}), model)
            assert alone[name].to_numpy()[0] == values[row]
    assert whole["q_high"].to_pylist()[0] > 0.9
    assert whole["q_ad"].to_pylist()[2] > 0.9
    assert whole["q_high"].to_pylist()[3] == whole["q_high"].to_pylist()[4]


def test_the_account_names_what_told(both: dict) -> None:
    stage = Quality(model="m", classes=("ad", "high"))
    _, model = both["softmax"]
    model = model._replace(labels=model.labels[[2, 0]])
    told = stage.account({"text": "电话 buy cheap 的港口很安静 zzz"}, model)
    assert [account.title.split(",")[0] for account in told] == [
        "tokens and n-grams that moved ad",
        "tokens and n-grams that moved high",
    ]
    for account, first, last in ((told[0], "buy cheap", "安 静"), (told[1], "安 静", "buy cheap")):
        values = {row["text"]: float(row["log-odds"]) for row in account.rows}
        assert values[first] > 0 > values[last]
        assert list(values.values()) == sorted(values.values(), reverse=True)
        assert "zzz" not in values
    assert stage.account({"text": "电话"}, both["parts of words"][1]) == []


def test_the_account_adds_up(both: dict) -> None:
    """The rows that it finds are the rows that the kernel adds."""
    _, model = both["quantized"]
    text = WORDS["high"] * 2
    stage = Quality(model="m", classes=CLASSES)
    tokens = stage.tokens(pa.array([text]))[0]
    places = quality_account._rows(tokens.decode(), model.numbers)
    mean = sum(times * model.numbers[0][row].astype(np.float64) for row, times in places.values())
    mean /= sum(times for _, times in places.values())
    weights = np.exp(model.numbers[6].astype(np.float64) @ mean)
    assert stage.scores(pa.array([text]), model)[0] == pytest.approx((weights / weights.sum())[model.labels], abs=1e-5)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"classes": ()}, "Expected one name or more"),
        ({"classes": ("high", "high")}, "each once"),
        ({"classes": ("High",)}, "classes: got 'High'"),
        ({"column": "2"}, "column: got '2'"),
        ({"windows": 1}, "windows must be at least 2"),
        ({"window_bytes": 0}, "window_bytes must be at least 1"),
    ],
)
def test_wrong_parameters_are_refused(parameters: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Quality(model="m", **parameters)


def test_a_class_that_the_model_lacks_is_named(both: dict, tmp_path: Path) -> None:
    both["softmax"][0].save_model(str(tmp_path / "m"))
    with pytest.raises(InputError, match=r"`m` has no class 'hihg'. Its classes: ad, high, low"):
        Quality(model="m", classes=("hihg",)).load({"m": tmp_path / "m"})
    (tmp_path / "m").write_bytes(b"no model")
    with pytest.raises(InputError, match="begins with"):
        Quality(model="m").load({"m": tmp_path / "m"})
