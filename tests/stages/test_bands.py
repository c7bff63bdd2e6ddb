"""What bands propose: Meeting and Screen against the rules in plain Python."""

import random
from itertools import groupby

import numpy as np
import pytest

from stages.bands import WINDOW, Meeting, Screen
from stages.minhash import bands as band_keys

BAND = np.dtype([("key", "<u8"), ("order", "<u4"), ("check", "<u4"), ("doc", "<u4")])
Row = tuple[int, int, int, int]


def met(rows: list[Row], cuts: list[int]) -> tuple[list[tuple[int, int, int]], int]:
    """-> (document, group, order) of all members; members of crowded groups"""
    meeting, found = Meeting(), []
    records = np.array(sorted(rows), BAND)
    for begin, end in zip([0, *cuts], [*cuts, len(rows)], strict=True):
        if end > begin:
            found.append(meeting.take(records[begin:end]))
    found.append(meeting.end())
    return [tuple(member) for part in found for member in part.T.tolist()], meeting.crowded


def groups(rows: list[Row]) -> list[list[Row]]:
    """Of more than one member; of one text in a group the first."""
    found = []
    for _, own in groupby(sorted(rows), key=lambda row: row[0]):
        texts = [next(same) for _, same in groupby(own, key=lambda row: row[:3])]
        if len(texts) > 1:
            found.append(texts)
    return found


@pytest.mark.parametrize("seed", range(6))
def test_members_whatever_the_blocks(seed: int) -> None:
    rng = random.Random(seed)
    rows: list[Row] = []
    sizes = [1, 2, 3, WINDOW - 1, WINDOW, WINDOW + 1, 2 * WINDOW, 3 * WINDOW + 1]
    for size in [*sizes, *(rng.randrange(1, 9) for _ in range(20))]:
        key = rng.getrandbits(64)
        for doc in rng.sample(range(10_000), size):
            row = (key, rng.choice([7, rng.getrandbits(32)]), rng.getrandbits(32), doc)
            rows += [row, (*row[:3], row[3] + 20_000)][: rng.randrange(1, 3)]  # the same text again, later
    rng.shuffle(rows)
    want_large, want_small = set(), []
    for own in groups(rows):
        if len(own) > WINDOW:
            want_large |= {(doc, key, order) for key, order, _, doc in own}
        else:
            want_small.append(sorted(doc for _, _, _, doc in own))
    for cuts in ([], [1], sorted(rng.sample(range(len(rows)), 9)), [*range(1, len(rows))]):
        found, crowded = met(rows, cuts)
        assert crowded == len(want_large)
        assert {member for member in found if member in want_large} == want_large
        small: dict[int, list[int]] = {}
        for doc, group, order in (member for member in found if member not in want_large):
            assert order == 0
            small.setdefault(group, []).append(doc)
        assert sorted(sorted(docs) for docs in small.values()) == sorted(want_small)


def test_the_same_few_in_many_bands_are_one_group() -> None:
    rows = [(key, key, doc, doc) for key in range(18) for doc in (4, 5, 9)]
    rows += [(99, 99, doc, doc) for doc in (4, 5)]
    found, _ = met(rows, [])
    assert len(found) == 18 * 3 + 2
    assert len(set(found)) == 3 + 2
    assert len({group for _, group, _ in found}) == 2


def test_nothing_meets() -> None:
    assert met([], []) == ([], 0)
    assert met([(1, 2, 3, 4)], []) == ([], 0)
    assert met([(1, 2, 3, 4), (1, 2, 3, 5), (2, 2, 3, 5)], [1]) == ([], 0)  # a text that is there twice


# -- Screen ------------------------------------------------------------------------------------------------------------


def screened(groups_: list[np.ndarray], least: int, step: int) -> list[tuple[int, int]]:
    """Pairs of members, numbered through all groups."""
    signatures = np.concatenate([np.empty((0, 8), np.uint32), *groups_])
    group = np.repeat(np.arange(len(groups_)) * 7, [len(g) for g in groups_]).astype(np.uint64)
    doc = np.arange(len(signatures), dtype=np.uint64)
    screen = Screen(8, least)
    blocks = [slice(at, at + step) for at in range(0, len(doc), step)]
    found = [screen.take(group[own], doc[own], signatures[own]) for own in blocks]
    assert all(pairs.dtype == np.uint64 for pairs in found)
    return [tuple(pair) for pairs in found for pair in pairs.T.tolist()]


def near(i: int, j: int, window: int) -> bool:
    """Whether member i is compared with member j before it, where the ring holds `window` members."""
    return i < WINDOW or j < WINDOW // 2 or i - j <= window


def roots(pairs: list[tuple[int, int]], n: int) -> list[int]:
    label = list(range(n))
    for one, other in pairs:
        low, high = sorted((label[one], label[other]))
        label = [low if own == high else own for own in label]
    return label


def signatures(rng: np.random.Generator, n: int, kinds: int) -> np.ndarray:
    """Of a few kinds, with two or three positions of eight changed: some pairs of a kind agree, and not all."""
    made = rng.integers(0, 2**32, (kinds, 8), np.uint32)[rng.integers(0, kinds, n)]
    for row in made:
        row[rng.choice(8, rng.integers(0, 4), replace=False)] = rng.integers(0, 2**32)
    return made


@pytest.mark.parametrize("step", [1, 7, 10_000])
@pytest.mark.parametrize("kinds", [1, 4, 40])
def test_pairs_are_a_forest_over_what_agrees_in_the_window(step: int, kinds: int) -> None:
    rng = np.random.default_rng(kinds)
    sizes = [1, 2, 31, 32, 33, WINDOW - 1, WINDOW, WINDOW + 1, WINDOW + 33, 300]
    made = [signatures(rng, size, kinds) for size in sizes]
    pairs = screened(made, 6, step)
    first = np.cumsum([0, *sizes]).tolist()
    agreeing = []
    for begin, own in zip(first, made, strict=False):
        for i in range(len(own)):
            equal = (own[:i] == own[i]).sum(axis=1) >= 6
            agreeing += [(begin + i, begin + j) for j in np.flatnonzero(equal) if near(i, int(j), WINDOW // 2 - 1)]
    assert set(pairs) <= set(agreeing)
    want = roots(agreeing, first[-1])
    assert roots(pairs, first[-1]) == want
    assert len(pairs) == first[-1] - len(set(want))
    assert kinds > 4 or len(pairs) > 200


def test_a_member_meets_the_last_half_window_before_it() -> None:
    rng = np.random.default_rng(0)
    own = rng.integers(0, 2**32, (200, 8), np.uint32)
    own[150] = own[150 - WINDOW // 2 + 1]
    assert screened([own], 8, 1000) == [(150, 150 - WINDOW // 2 + 1)]


def test_those_out_of_the_window_do_not_meet() -> None:
    rng = np.random.default_rng(0)
    own = rng.integers(0, 2**32, (200, 8), np.uint32)
    own[150] = own[150 - WINDOW // 2]
    own[170] = own[WINDOW // 2]
    own[190] = own[WINDOW // 2 - 1]  # among the first, which stay
    assert screened([own], 8, 1000) == [(190, WINDOW // 2 - 1)]


def test_a_tree_outlives_the_member_that_held_it_together() -> None:
    """A hub in the ring agrees with all; when it leaves, its tree stays one, so that a second hub adds one pair."""
    for hub in (40, 50, 63):
        own = np.random.default_rng(hub).integers(0, 2**32, (140, 8), np.uint32)
        own[hub] = np.arange(8)
        spokes = [n for n in range(41, hub + 32) if n != hub and n % 3 == 0]
        for n in spokes:
            own[n, :4] = own[hub, :4]
            own[n, 4:] = n
        late = hub + 33  # the hub has left
        own[late] = np.arange(8)
        pairs = screened([own], 4, 10_000)
        joined = [n for n in spokes if n < late]
        assert len(pairs) == len(joined) + 1
        assert len({roots(pairs, 140)[n] for n in (hub, late, *joined)}) == 1


@pytest.mark.parametrize("hub", [33, 40, 63])
def test_who_takes_a_place_does_not_take_the_tree(hub: int) -> None:
    """Members hung on the hub; another takes its place. One that agrees with both has a pair with each."""
    own = np.random.default_rng(hub).integers(0, 2**32, (hub + 40, 8), np.uint32)
    spoke, heir, late = hub + 5, hub + WINDOW // 2, hub + WINDOW // 2 + 3
    own[spoke, :4] = own[hub, :4]
    own[late, :4], own[late, 4:] = own[spoke, :4], own[heir, 4:]
    pairs = screened([own], 4, 10_000)
    assert len(pairs) == 3
    assert set(pairs) == {(spoke, hub), (late, spoke), (late, heir)}


@pytest.mark.parametrize("least", [1, 8])
def test_nothing_to_screen(least: int) -> None:
    assert screened([], least, 5) == []
    assert screened([np.zeros((1, 8), np.uint32)] * 3, least, 2) == []
    assert screened([np.zeros((2, 8), np.uint32)] * 2, least, 3) == [(1, 0), (3, 2)]


def test_groups_do_not_see_each_other() -> None:
    same = np.zeros((WINDOW + 40, 8), np.uint32)
    other = np.ones((3, 8), np.uint32)
    pairs = screened([same, other, same[:2]], 8, 50)
    assert len(pairs) == len(same) - 1 + 2 + 1
    assert {(one < len(same), other < len(same)) for one, other in pairs} == {(True, True), (False, False)}


def test_the_share_of_pairs_that_meet_is_that_of_banding() -> None:
    """1 - (1 - s**7)**18, for signatures whose positions are equal with probability s."""
    rng = np.random.default_rng(7)
    for s in (0.6, 0.7, 0.8):
        one = rng.integers(0, 2**32, (4000, 126), np.uint32)
        other = np.where(rng.random(one.shape) < s, one, one + np.uint32(1))
        share = (band_keys(one, 18, 7) == band_keys(other, 18, 7)).any(axis=1).mean()
        want = 1 - (1 - s**7) ** 18
        assert abs(share - want) < 4 * np.sqrt(want * (1 - want) / 4000)
