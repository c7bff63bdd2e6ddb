"""The n-gram model against the formulas written out, one n-gram at a time."""

import math
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import kneser_ney, ngram_file
from corpus.errors import InputError
from corpus.kneser_ney import Estimate, estimate
from corpus.logarithms import power_of_two, surprisal_steps
from corpus.ngram_file import START, entry_of, longer

Gram = tuple[int, ...]
MANY = 10**6
LOOKED_UP = ngram_file.STEPS


def units_of(texts: list[list[int]]) -> np.ndarray:
    flat = [unit for text in texts for unit in (0, *(spread(one) for one in text))]
    return np.array(flat, np.uint64)


def spread(unit: int) -> int:
    return (unit * 0x9E3779B97F4A7C15 + 12345) % 2**64


def hash_of(gram: Gram) -> np.uint64:
    found = np.array([START])
    for unit in reversed(gram):
        found = longer(found, np.array([spread(unit)], np.uint64))
    return found[0]


class Plain:
    """p(unit | context) for texts of whole numbers, by the formulas of `kneser_ney`."""

    def __init__(self, texts: list[list[int]], order: int, least: tuple[int, ...]) -> None:
        self.raw: Counter[Gram] = Counter()
        left: defaultdict[Gram, set[int]] = defaultdict(set)
        for text in texts:
            for end in range(len(text)):
                for n in range(1, min(order, end + 1) + 1):
                    gram = tuple(text[end - n + 1 : end + 1])
                    self.raw[gram] += 1
                    left[gram].add(text[end - n] if end >= n else -1)
        self.count = {g: c if len(g) == order else len(left[g]) for g, c in self.raw.items()}
        self.kept = {g for g, c in self.raw.items() if c >= least[len(g) - 1]}
        self.vocabulary = len({g for g in self.raw if len(g) == 1}) + 1
        self.discounts = [self._discounts(n) for n in range(1, order + 1)]
        self.after: defaultdict[Gram, list[Gram]] = defaultdict(list)
        for gram in self.raw:
            self.after[gram[:-1]].append(gram)
        self.p = cache(self.p)  # type: ignore[method-assign]

    def _discounts(self, n: int) -> list[float]:
        t = Counter(c for g, c in self.count.items() if len(g) == n)
        if not all(t[a] for a in (1, 2, 3, 4)):
            return [0.5, 1.0, 1.5]
        y = t[1] / (t[1] + 2 * t[2])
        found = [a - (a + 1) * y * t[a + 1] / t[a] for a in (1, 2, 3)]
        return found if all(0 < d < a for a, d in enumerate(found, 1)) else [0.5, 1.0, 1.5]

    def p(self, unit: int, context: Gram) -> float:
        shorter = self.p(unit, context[1:]) if context else 1 / self.vocabulary
        after = self.after.get(context, [])
        if not after:
            return shorter
        discounts = self.discounts[len(context)]
        whole = sum(self.count[g] for g in after)
        loose = sum(discounts[min(self.count[g], 3) - 1] if g in self.kept else self.count[g] for g in after)
        gram = (*context, unit)
        own = self.count[gram] - discounts[min(self.count[gram], 3) - 1] if gram in self.kept else 0
        return own / whole + loose / whole * shorter


texts_of_few = st.lists(st.lists(st.integers(1, 6), max_size=30), min_size=1, max_size=6).filter(any)


@given(texts_of_few, st.integers(1, 4), st.sampled_from([MANY, 40, 15]))
@settings(max_examples=60, deadline=None)
def test_probabilities_are_those_of_the_formulas(texts: list[list[int]], order: int, most: int) -> None:
    found = estimate(units_of(texts), order, most)
    plain = Plain(texts, order, found.least)
    for n, one in enumerate(found.orders, 1):
        kept = sorted((int(hash_of(g)), g) for g in plain.kept if len(g) == n)
        assert one.hash.tolist() == [h for h, _ in kept]
        wanted = [plain.p(g[-1], g[:-1]) for _, g in kept]
        np.testing.assert_allclose(one.p, wanted, rtol=1e-12)
    assert math.isclose(found.unknown, plain.p(-5, ()), rel_tol=1e-12)
    assert sum(len(one.hash) for one in found.orders) <= max(most, len(found.orders[0].hash)) or order == 1


@given(texts_of_few, st.integers(2, 4), st.sampled_from([MANY, 25]))
@settings(max_examples=40, deadline=None)
def test_probabilities_add_up_to_one(texts: list[list[int]], order: int, most: int) -> None:
    found = estimate(units_of(texts), order, most)
    known = sorted({unit for text in texts for unit in text})
    for context in [(), (1,), (2, 1), (1, 1), (3, 2, 1)]:
        whole = sum(backed_off(found, unit, context[-(order - 1) :]) for unit in [*known, -5])
        assert math.isclose(whole, 1, rel_tol=1e-9)


def backed_off(found: Estimate, unit: int, context: Gram) -> float:
    """p as a reader of the stored n-grams finds it: the longest one that is there, times the weights of contexts."""
    weight = 1.0
    for n in range(len(context), -1, -1):
        behind = context[len(context) - n :]
        place = where(found, (*behind, unit))
        if place >= 0:
            return weight * found.orders[n].p[place]
        if n and where(found, behind) >= 0:
            weight *= found.orders[n - 1].b[where(found, behind)]
    return weight * found.unknown


def where(found: Estimate, gram: Gram) -> int:
    hashes = found.orders[len(gram) - 1].hash
    place = int(np.searchsorted(hashes, hash_of(gram)))
    return place if place < len(hashes) and hashes[place] == hash_of(gram) else -1


@given(texts_of_few)
@settings(max_examples=30, deadline=None)
def test_the_order_of_texts_and_the_parts_sorted_at_a_time_change_nothing(texts: list[list[int]]) -> None:
    one = estimate(units_of(texts), 3, 30)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kneser_ney, "_PART_UNITS", 7)
        other = estimate(units_of(texts[::-1]), 3, 30)
    for a, b in zip(one.orders, other.orders, strict=True):
        assert [x.tobytes() for x in a] == [x.tobytes() for x in b]


def test_a_text_without_units_is_refused() -> None:
    with pytest.raises(ValueError, match="no unit"):
        estimate(np.zeros(3, np.uint64), 3, 10)


def write(path: Path, hashes: list[int]) -> ngram_file.Header:
    costs = np.arange(len(hashes))
    return ngram_file.save(
        path, np.array(hashes, np.uint64), costs, costs + 1, order=2, units={"x": 1}, vocabulary=2, unknown=7,
        counts=(len(hashes), 0), least=(1, 1), discounts=((0.5, 1.0, 1.5),) * 2,
    )  # fmt: skip


@given(
    st.lists(
        st.one_of(st.integers(0, 2**64 - 1), st.integers(2**64 - 50, 2**64 - 1)),
        unique_by=lambda h: h % 2**32,
        max_size=60,
        min_size=1,
    )
)
@settings(max_examples=40, deadline=None)
def test_every_entry_is_found_again(tmp_path_factory: pytest.TempPathFactory, hashes: list[int]) -> None:
    hashes = list({max(h % 2**32, 1): h for h in hashes}.values())
    path = tmp_path_factory.mktemp("ngrams") / "m"
    written = write(path, hashes)
    header, model = ngram_file.load(path)
    assert header == written
    for number, one in enumerate(hashes):
        entry = int(entry_of(model.table, model.places, np.uint64(one)))
        assert (entry >> 16 & 0xFFFF, entry & 0xFFFF) == (number, number + 1)
    marks = {max(h % 2**32, 1) for h in hashes}
    absent = next(h for h in range(2**64 - 1, 0, -1) if h % 2**32 not in marks)
    assert entry_of(model.table, model.places, np.uint64(absent)) == 0


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda data: b"", "begins with"),
        (lambda data: b"PK" + data[2:], "begins with"),
        (lambda data: data[:-8], "not the"),
        (lambda data: data[:40], "a header of"),
        (lambda data: data.replace(b'"order":2', b'"order":9'), "of order 9"),
        (lambda data: data.replace(b'"order"', b'"orter"'), "cannot be read"),
        (lambda data: data[:-8] + bytes([1] * 8), "no free slot"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, spoil: object, told: str) -> None:
    write(tmp_path / "m", [5, 6, 7])
    (tmp_path / "m").write_bytes(spoil((tmp_path / "m").read_bytes()))  # type: ignore[operator]
    with pytest.raises(InputError, match=told):
        ngram_file.load(tmp_path / "m")


@given(st.floats(1e-18, 1.0))
def test_logarithms_are_rounded_to_the_nearest_step(p: float) -> None:
    steps = int(surprisal_steps(np.array([p]), LOOKED_UP, 1 << 16)[0])
    assert abs(-math.log2(p) * LOOKED_UP - steps) <= 0.5 + 1e-9


@given(st.integers(-5000, 200_000))
def test_powers_of_two(steps: int) -> None:
    assert math.isclose(power_of_two(np.array([steps]), 4096)[0], 2.0 ** (steps / 4096), rel_tol=1e-14)


def test_what_is_more_than_the_most_is_cut() -> None:
    assert surprisal_steps(np.array([1.0, 1.0 + 2**-52, 2.0**-100]), 1024, 0xFFFF).tolist() == [0, 0, 0xFFFF]
