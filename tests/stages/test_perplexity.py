"""Perplexity by an n-gram model that is trained here."""

import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import tiny_ngrams
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_ngrams import STAGE

from corpus import ngram_file
from corpus.errors import InputError
from corpus.kneser_ney import Estimate
from corpus.ngram_file import STEPS, Ngrams
from stages.perplexity import PERPLEXITY_SIGNALS, Perplexity, perplexity
from stages.perplexity_kernel import ALL_COST, BYTES, COST, UNITS, UNKNOWN, WORST_BYTES, WORST_COST

ENGLISH = (
    "The harbour was quiet in the morning, and the boats that had come in during the night lay side by side along the "
    "wall. A woman who sold bread to the crews walked down from the town with her basket.\n"
)
CHINESE = "清晨的港口很安静，夜里归来的船只沿着堤岸一字排开。卖面包的妇人提着篮子从镇上走下来。\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Ngrams:
    path = tmp_path_factory.mktemp("perplexity") / "m"
    words = ENGLISH.split()
    tiny_ngrams.write(path, [ENGLISH, CHINESE, *(" ".join(words[at : at + 9]) for at in range(len(words)))])
    return STAGE.load({"m": path})


def measured(model: Ngrams, *texts: str | None, **parameters: int) -> dict[str, list[float]]:
    stage = Perplexity(model="m", **parameters)
    columns = stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), model)
    assert {name: column.type for name, column in columns.items()} == PERPLEXITY_SIGNALS == stage.adds
    return {name: column.to_pylist() for name, column in columns.items()}


def test_known_text_surprises_less_than_its_words_in_disorder_and_these_less_than_what_is_unknown(
    model: Ngrams,
) -> None:
    words = ENGLISH.split()
    for text, disordered, unknown in (
        (ENGLISH, " ".join(words[1::2] + words[::2]), "Przykład zdania w języku, którego model nie zna."),
        (CHINESE, CHINESE[::-1], "鑛業權設定登錄"),
    ):
        known, shuffled, foreign = measured(model, text, disordered, unknown)["perplexity"]
        assert known < shuffled / 1.5
        assert known < foreign / 1.5


def test_a_text_without_words_has_none(model: Ngrams) -> None:
    assert measured(model, "", None, " \n ", "12, 34; (5)") == {"perplexity": [0.0] * 4, "perplexity_worst": [0.0] * 4}


def test_width_case_and_script_do_not_matter(model: Ngrams) -> None:
    texts = (ENGLISH, ENGLISH.upper(), "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in ENGLISH))
    assert len(set(measured(model, *texts)["perplexity"])) == 1
    assert len(set(measured(model, "卖面包的妇人", "賣麵包的婦人")["perplexity"])) == 1


def test_marks_digits_and_line_ends_of_ascii_are_context_and_no_more(model: Ngrams) -> None:
    one, marked = STAGE.sums(pa.array(["harbour town", "harbour (1) / 2022;\n town\n!"]), model)
    assert marked[BYTES] == one[BYTES] == len("harbourtown")
    assert marked[UNITS] == one[UNITS] + 9
    assert STAGE.sums(pa.array(["港，口"]), model)[0, BYTES] == 9


def test_the_exponent_is_that_of_three_bytes() -> None:
    assert perplexity(np.array([8 * STEPS, 0, 7 * STEPS]), np.array([3, 0, 6])).tolist() == pytest.approx(
        [256.0, 0.0, 2**3.5], rel=1e-6
    )
    assert perplexity(np.array([10**12]), np.array([1])).tolist() == [2.0**64]


def test_the_worst_run_is_where_the_bad_lines_are(model: Ngrams) -> None:
    bad = "Zlecenie przyjmujemy całodobowo telefonicznie lub przez formularz kontaktowy " * 2
    good, mixed, alone = (ENGLISH * 3, ENGLISH * 2 + bad + ENGLISH, bad)
    found = measured(model, good, mixed, alone, run_bytes=100)
    assert found["perplexity_worst"][0] < 2 * found["perplexity"][0]
    assert found["perplexity_worst"][1] > 3 * found["perplexity"][0]
    assert (
        found["perplexity"][0] < found["perplexity"][1] < found["perplexity"][2] <= found["perplexity_worst"][1] * 1.5
    )
    whole = STAGE.sums(pa.array([CHINESE]), model)[0]
    assert (whole[WORST_COST], whole[WORST_BYTES]) == (whole[COST], whole[BYTES])  # less than one run and a half


words = st.lists(st.sampled_from(["a", "b", "c", "dd", "我", "们", "1", "\n", "，", "zz"]), min_size=1, max_size=40)


@given(st.lists(words, min_size=1, max_size=4), words, st.integers(2, 4), st.sampled_from([10**6, 30]))
@settings(max_examples=40, deadline=None)
def test_costs_are_those_of_the_longest_ngrams_that_are_there(
    tmp_path_factory: pytest.TempPathFactory, learned: list[list[str]], asked: list[str], order: int, most: int
) -> None:
    path = tmp_path_factory.mktemp("perplexity") / "m"
    texts = [" ".join(one) for one in learned]
    if not STAGE.units(pa.array(texts)).any():
        return
    found = tiny_ngrams.write(path, texts, order, most)
    stage = Perplexity(model="m", run_bytes=7)
    text = pa.array([" ".join(asked)])
    sums = stage.sums(text, stage.load({"m": path}))[0]
    units = stage.units(text)[1:]
    assert sums[UNITS] == len(units)
    bits = [-math.log2(probability(found, units[: at + 1][-order:])) for at in range(len(units))]
    assert abs(sums[ALL_COST] / STEPS - sum(bits)) <= len(units) * order / STEPS
    singles = ngram_file.longer(np.full(len(units), ngram_file.START), units)
    assert sums[UNKNOWN] == (~np.isin(singles, found.orders[0].hash)).sum()
    counted = [one for one in asked if one not in ("1", "\n")]
    assert sums[BYTES] == sum(len(one.encode()) for one in counted)
    assert 0 <= sums[COST] <= sums[ALL_COST]
    assert sums[WORST_COST] * sums[BYTES] >= sums[COST] * sums[WORST_BYTES]


def probability(found: Estimate, gram: np.ndarray) -> float:
    """Of the last unit behind the others."""
    weight = 1.0
    for first in range(len(gram)):
        place = where(found, gram[first:])
        if place >= 0:
            return weight * float(found.orders[len(gram) - first - 1].p[place])
        behind = where(found, gram[first:-1]) if first < len(gram) - 1 else -1
        if behind >= 0:
            weight *= float(found.orders[len(gram) - first - 2].b[behind])
    return weight * found.unknown


def where(found: Estimate, gram: np.ndarray) -> int:
    value = np.array([ngram_file.START])
    for unit in gram[::-1]:
        value = ngram_file.longer(value, unit)
    hashes = found.orders[len(gram) - 1].hash
    place = int(np.searchsorted(hashes, value[0]))
    return place if place < len(hashes) and hashes[place] == value[0] else -1


@given(
    st.lists(st.sampled_from([ENGLISH, CHINESE, "", "x", ENGLISH * 40, CHINESE * 90]), max_size=6), st.integers(0, 6)
)
@settings(max_examples=20, deadline=None)
def test_batches_do_not_matter(model: Ngrams, texts: list[str], cut: int) -> None:
    whole = pa.array(texts, pa.string())
    parts = [STAGE.sums(whole[:cut], model), STAGE.sums(whole[cut:], model)]
    assert np.concatenate(parts).tolist() == STAGE.sums(whole, model).tolist()


def test_of_a_long_text_windows_are_read(model: Ngrams) -> None:
    text = pa.array([CHINESE * 400])
    assert STAGE.sums(text, model)[0, UNITS] < 8 * (512 + 72)
    (sample,) = STAGE.samples(text)
    assert 8 * 512 <= len(sample) <= 8 * (512 + 72)
    assert set(sample.decode()) <= set(CHINESE)
    assert STAGE.samples(pa.array([CHINESE, "", " a"])) == [CHINESE.strip().encode(), b"", b"a"]


def test_parameters_and_models_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="windows must be at least 2"):
        Perplexity(model="m", windows=1)
    tiny_ngrams.write(tmp_path / "m", [ENGLISH])
    other = (tmp_path / "m").read_bytes().replace(b'"plain_tokens":1', b'"plain_tokens":0')
    (tmp_path / "m").write_bytes(other)
    with pytest.raises(InputError, match="train it anew"):
        STAGE.load({"m": tmp_path / "m"})
