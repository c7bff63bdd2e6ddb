"""N-gram probabilities by interpolated modified Kneser-Ney smoothing, from a run of units.

Chen and Goodman, An Empirical Study of Smoothing Techniques for Language Modeling (1998, section 3.6), in the form of
Heafield, Pouzyrevsky, Clark and Koehn, Scalable Modified Kneser-Ney Language Model Estimation (2013). With a(g) what an
n-gram counts, c its context, s its end without the first unit, and V the vocabulary with one unit for all unknown ones:

    a(g)   how often g occurs, where g has the full length; else how many different units stand before it, the
           beginning of a text being one
    D(a)   a - (a + 1) Y t(a+1) / t(a), where t(a) n-grams of that length count a, and Y = t(1) / (t(1) + 2 t(2)); for
           a = 1, 2, and 3 or more. 0.5, 1 and 1.5 where a t is 0 or a D is not in 0..a, as in texts that are very small
    p(g) = (a(g) - D(a(g))) / A(c) + b(c) p(s),   A(c) the sum of a over all n-grams with that context,
    b(c) = sum of D(a) over those, / A(c);        p(s) = 1 / V below one unit

An n-gram is kept where it occurs `least` times: of three units and more a number that is raised until the model fits,
of two half of that, single units always. What is not kept counts whole in b(c), so probabilities still add up to 1. As
`least` never falls with length, the context and the end of an n-gram that is kept are kept.

A text begins with no context: what stands first in it is asked as a single unit, the next as a pair, and so on.

Sums are of whole numbers, probabilities of sums, products and quotients alone, and logarithms are looked up, so the
same texts give the same model on every machine. Memory: about 60 bytes a unit of text and 60 for each n-gram kept.
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from corpus.logarithms import surprisal_steps
from corpus.ngram_file import MOST, START, STEPS, longer

SEPARATOR = np.uint64(0)
_FALLBACK = (0.5, 1.0, 1.5)
_PART_UNITS = 1 << 21  # sorted at a time
_MOST_LEAST = 1 << 16

Discounts = tuple[float, float, float]


class Order(NamedTuple):
    """The n-grams of one length that are kept, by rising `hash` (n,) uint64. `p`: probability of the last unit behind
    the others; `b`: the weight of shorter n-grams behind it, 1 where nothing longer is kept. float64."""

    hash: np.ndarray
    p: np.ndarray
    b: np.ndarray


class Estimate(NamedTuple):
    """`orders`: from single units on. `unknown`: probability of a unit that is not among them."""

    orders: list[Order]
    unknown: float
    least: tuple[int, ...]
    discounts: tuple[Discounts, ...]

    def rows(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Hashes, surprisals and backoffs of all n-grams, the latter in steps of 2**-10 bits."""
        steps = [(surprisal_steps(one.p, STEPS, MOST), surprisal_steps(one.b, STEPS, MOST)) for one in self.orders]
        hashes = np.concatenate([one.hash for one in self.orders])
        return hashes, np.concatenate([p for p, _ in steps]), np.concatenate([b for _, b in steps])


def estimate(units: np.ndarray, order: int, most_ngrams: int) -> Estimate:
    """`units` (T,) uint64: hashes of units, `SEPARATOR` between texts. At most `most_ngrams` n-grams are kept, if
    single units leave room for that. ValueError where there is no unit."""
    grams = _all_hashes(units, order)
    if not np.any(units != SEPARATOR):
        raise ValueError("there is no unit to learn from")
    least = _least(grams, most_ngrams)
    orders: list[Order] = []
    discounts: list[Discounts] = []
    unknown = 0.0
    for n in range(1, order + 1):
        found = _count(grams, n, least[n - 1], orders[-1].hash if orders else None)
        own = _discounts(found.frequencies)
        discounts.append(own)
        taken = np.array([0.0, *own])
        ones, twos, more = found.kept.T
        weight = (ones * own[0] + twos * own[1] + more * own[2] + found.lost) / np.maximum(found.total, 1)
        if n == 1:
            behind = np.full(len(found.hash), 1.0 / (len(found.hash) + 1))
            unknown = float(weight[0] / (len(found.hash) + 1))
        else:
            before = orders[-1]
            before.b[found.total > 0] = weight[found.total > 0]
            behind = before.p[np.searchsorted(before.hash, found.end)]
        own_share = (found.count - taken[np.minimum(found.count, 3)]) / found.total[found.context]
        p = own_share + weight[found.context] * behind
        orders.append(Order(found.hash, p, np.ones(len(p))))
    return Estimate(orders, unknown, least, tuple(discounts))


def _all_hashes(units: np.ndarray, order: int) -> list[np.ndarray]:
    """[n][i]: hash of the n units that end with unit i, 0 where a text has not so many; n from 0 to `order`."""
    grams = [np.where(units == SEPARATOR, np.uint64(0), START)]
    for n in range(1, order + 1):
        known = units[: len(units) - n + 1] if n > 1 else units
        longest = np.zeros(len(units), np.uint64)
        inside = (grams[-1][n - 1 :] != 0) & (known != SEPARATOR)
        longest[n - 1 :] = np.where(inside, longer(grams[-1][n - 1 :], known), np.uint64(0))
        grams.append(longest)
    return grams


def _least(grams: list[np.ndarray], most_ngrams: int) -> tuple[int, ...]:
    """How often n-grams of each length must occur."""
    histograms = []
    for hashes in grams[1:]:
        own = np.sort(hashes[hashes != 0])
        first = np.flatnonzero(np.concatenate([[True], own[1:] != own[:-1]])) if len(own) else np.zeros(0, np.int64)
        times = np.diff(np.append(first, len(own)))
        # [k]: n-grams that occur k times or more
        histograms.append(np.bincount(np.minimum(times, _MOST_LEAST), minlength=_MOST_LEAST + 1)[::-1].cumsum()[::-1])
    for least in range(1, _MOST_LEAST):
        wanted = tuple(1 if n == 0 else (least + 1) // 2 if n == 1 else least for n in range(len(histograms)))
        if sum(int(had[k]) for had, k in zip(histograms, wanted, strict=True)) <= most_ngrams:
            return wanted
    return wanted


class _Counted(NamedTuple):
    """K n-grams kept, C contexts. `count`: a(g); `end`: hash without the first unit; `context`: 0..C. Of contexts:
    `total`, `kept` (C, 3) how many n-grams that are kept count 1, 2, 3 or more, `lost` what all others count.
    `frequencies` [a]: how many n-grams count a, for a to 4."""

    hash: np.ndarray
    count: np.ndarray
    end: np.ndarray
    context: np.ndarray
    total: np.ndarray
    kept: np.ndarray
    lost: np.ndarray
    frequencies: np.ndarray


def _count(grams: list[np.ndarray], n: int, least: int, contexts: np.ndarray | None) -> _Counted:
    """n-grams of length `n` by their context. `contexts`: hashes of those one shorter that are kept, None for n = 1."""
    order = len(grams) - 1
    size = 1 if contexts is None else len(contexts)
    total, lost, kept = np.zeros(size, np.int64), np.zeros(size, np.int64), np.zeros((size, 3), np.int64)
    frequencies = np.zeros(5, np.int64)
    parts = [(np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.int64))]
    for places in _parts(grams, n):
        hashes = grams[n][places]
        if n < order:
            before = grams[n + 1][places]  # 0: a text begins here
            ranked = np.lexsort((before, hashes))
            before = before[ranked]
        else:
            before = None
            ranked = np.argsort(hashes, kind="stable")
        hashes = hashes[ranked]
        new = np.concatenate([[True], hashes[1:] != hashes[:-1]])
        first = np.flatnonzero(new)
        times = np.diff(np.append(first, len(hashes)))
        count = times
        if before is not None:
            count = np.add.reduceat(new | np.concatenate([[True], before[1:] != before[:-1]]), first, dtype=np.int64)
        frequencies += np.bincount(np.minimum(count, 5), minlength=6)[:5]
        place = places[ranked[first]]
        if contexts is None:
            context = np.zeros(len(first), np.int64)
            known = np.ones(len(first), bool)
        else:
            wanted = grams[n - 1][place - 1]
            context = np.searchsorted(contexts, wanted)
            context[context == size] = 0
            known = contexts[context] == wanted if size else np.zeros(len(wanted), bool)
        stays = known & (times >= least)
        goes = known & ~stays
        _add(lost, context[goes], count[goes])
        _add(total, context[known], count[known])
        _add(kept.reshape(-1), 3 * context[stays] + np.minimum(count[stays], 3) - 1, np.ones(stays.sum(), np.int64))
        parts.append((hashes[first][stays], count[stays], grams[n - 1][place[stays]], context[stays]))
    hashes, count, end, context = (np.concatenate([part[at] for part in parts]) for at in range(4))
    ranked = np.argsort(hashes, kind="stable")
    return _Counted(hashes[ranked], count[ranked], end[ranked], context[ranked], total, kept, lost, frequencies)


@njit(cache=True, nogil=True)
def _add(out, at, numbers):  # type: ignore[no-untyped-def]
    for i in range(at.size):
        out[at[i]] += numbers[i]


def _parts(grams: list[np.ndarray], n: int) -> list[np.ndarray]:
    """Places of all n-grams of that length, equal ones in one part."""
    places = np.flatnonzero(grams[n])
    number = len(places) // _PART_UNITS + 1
    of = grams[n][places] % np.uint64(number)
    return [own for own in (places[of == part] for part in range(number)) if len(own)]


def _discounts(frequencies: np.ndarray) -> Discounts:
    t = [int(one) for one in frequencies]
    if min(t[1:5]) == 0:
        return _FALLBACK
    y = t[1] / (t[1] + 2 * t[2])
    found = tuple(a - (a + 1) * y * t[a + 1] / t[a] for a in (1, 2, 3))
    if not all(0 < one < a for a, one in zip((1, 2, 3), found, strict=True)):
        return _FALLBACK
    return found[0], found[1], found[2]
