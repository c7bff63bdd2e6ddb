"""Our reading of fastText's models against the library itself."""

from pathlib import Path

import fasttext
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import InputError
from stages import fasttext_file
from stages.fasttext_kernel import add_window, best_label, token_cache

TEXTS = {
    "en": "the quick brown fox jumps over the lazy dog and then it sleeps in the warm sun",
    "de": "der schnelle braune Fuchs springt über den faulen Hund und schläft dann in der warmen Sonne",
    "zh": "我们在这里说明公司的产品和价格，大家可以到网站上看一看，也可以打电话来问。",
    "ru": "быстрая лиса прыгает через ленивую собаку, а потом спит на тёплом солнце",
}
KINDS = ("softmax", "hs", "quantized")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model of each kind; labels are not equally frequent, so that the tree is no accident."""
    folder = tmp_path_factory.mktemp("fasttext")
    lines = []
    for times, (label, text) in enumerate(TEXTS.items(), 5):
        lines += [f"__label__{label} {text[start:]}" for start in range(0, len(text) - 10, 2)] * times
    train = folder / "train.txt"
    train.write_text("\n".join(lines), encoding="utf-8")
    common = {"thread": 1, "dim": 16, "minn": 2, "maxn": 4, "bucket": 3000, "epoch": 8, "lr": 0.5, "verbose": 0}
    fasttext.train_supervised(str(train), **(common | {"dim": 10})).save_model(str(folder / "softmax"))
    model = fasttext.train_supervised(str(train), loss="hs", **common)
    model.save_model(str(folder / "hs"))
    model.quantize(str(train), cutoff=300, qnorm=True, retrain=False, verbose=0)
    model.save_model(str(folder / "quantized"))
    return {kind: folder / kind for kind in KINDS}


@pytest.fixture(scope="module")
def both(models: dict[str, Path]) -> dict[str, tuple[fasttext.FastText._FastText, fasttext_file.FastText]]:
    return {kind: (fasttext.load_model(str(path)), fasttext_file.load(path)) for kind, path in models.items()}


def judged(
    text: str, model: fasttext_file.FastText, allowed: int = -1, bits: tuple[int, ...] = ()
) -> tuple[str, float]:
    data = np.frombuffer(text.encode() or b" ", np.uint8)
    nodes = max(model.left.size, len(model.labels))
    beneath = np.full(nodes, 1, np.int64)
    for label, own in enumerate(bits):
        beneath[label] = own
    for node in range(len(bits), nodes if bits else 0):
        beneath[node] = beneath[model.left[node]] | beneath[model.right[node]]
    total = model.rows[model.end_of_line].copy()
    added = add_window(data, 0, len(data), model[1:], token_cache(total.size), total) + (model.end_of_line > 0)
    scratch = np.zeros(nodes + 2, np.int32), np.zeros(nodes + 2)
    label, score = best_label(total, added, model[1:], beneath, np.int64(allowed), *scratch)
    return ("" if label < 0 else model.labels[label]), score


PIECES = st.sampled_from(
    [*TEXTS.values(), "the", "fox", "über", "狐狸", "лиса", "x", "\t", " ", "\u00a0", "\u3000", "ab\0c"]
)


@pytest.mark.parametrize("kind", KINDS)
@given(parts=st.lists(PIECES | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=8))
@settings(max_examples=60, deadline=None)
def test_labels_and_scores_are_the_librarys(both: dict, kind: str, parts: list[str]) -> None:
    library, model = both[kind]
    text = " ".join(parts).replace("\n", " ").replace("\0", " ").replace("__label__", "")
    labels, scores = library.predict(text, k=2)
    label, score = judged(text, model)
    assert score == pytest.approx(min(scores[0], 1.1), abs=3e-5)
    if len(scores) < 2 or scores[0] - scores[1] > 1e-4:
        assert f"__label__{label}" == labels[0]


def test_what_was_trained_is_there(both: dict) -> None:
    assert len(both["quantized"][1].rows) == 301
    assert len(both["hs"][1].rows) == 1 + len(both["hs"][0].words) + 3000
    assert set(both["quantized"][1].labels) == set(TEXTS)
    for kind in ("softmax", "hs"):
        assert [judged(text, both[kind][1])[0] for text in TEXTS.values()] == list(TEXTS)


@pytest.mark.parametrize("kind", ["softmax", "hs"])
def test_only_what_is_allowed_is_answered(both: dict, kind: str) -> None:
    model = both[kind][1]
    bits = tuple(1 << number for number in range(4))
    scores = []
    for number in range(4):
        label, score = judged(TEXTS["de"], model, 1 << number, bits)
        assert label == model.labels[number]
        scores.append(score)
    assert sum(scores) == pytest.approx(1, abs=1e-3)
    assert judged(TEXTS["de"], model, 1 << 9, bits) == ("", 0.0)
    free = judged(TEXTS["de"], model, -1, bits)
    assert free[1] == max(scores)


def test_the_sum_of_a_text_is_that_of_its_parts(both: dict) -> None:
    model = both["hs"][1]
    text = " ".join(TEXTS.values()).encode()
    data = np.frombuffer(text, np.uint8)
    cut = text.index(b" fox")
    whole, parts = np.zeros(16, np.float32), np.zeros(16, np.float32)
    cache = token_cache(16)
    added = add_window(data, 0, len(data), model[1:], cache, whole)
    assert added == add_window(data, 0, cut, model[1:], cache, parts) + add_window(
        data, cut, len(data), model[1:], cache, parts
    )
    assert np.array_equal(whole, parts)


def test_what_is_no_model_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    data = models["hs"].read_bytes()
    for name, content, said in (
        ("text", b"no model at all", "begins with"),
        ("short", data[: len(data) // 2], "in the middle"),
        ("empty", b"", "ends at byte 0"),
        ("words", data[:200], "in the middle"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InputError, match=said):
            fasttext_file.load(path)


def test_word_ngrams_are_refused(tmp_path: Path) -> None:
    train = tmp_path / "train.txt"
    train.write_text("\n".join(f"__label__{label} {text}" for label, text in TEXTS.items()), encoding="utf-8")
    fasttext.train_supervised(str(train), wordNgrams=2, bucket=100, dim=2, thread=1, epoch=1, verbose=0).save_model(
        str(tmp_path / "model")
    )
    with pytest.raises(InputError, match="wordNgrams 2"):
        fasttext_file.load(tmp_path / "model")
