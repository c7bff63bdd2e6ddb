"""Leaders: who stays, against the rules of the module's docstring in plain Python; families, tiles and look-ups."""

import random

import numpy as np
import pytest

from stages import leaders as code
from stages.leaders import ALONE, APART, CANDIDATES, NEAR, TEMPLATE, Leaders, Members

NO_LIMIT = 2**64 - 1
Family = list[list[int]]  # shingle sets, best first
Verdict = tuple[bool, int, float, float, int, int]  # stays, partner, similarity, rare similarity, relation, leader


def members(families: list[Family], first: int = 0, key: int = 0, standing: list[bool] | None = None) -> Members:
    sets = [one for family in families for one in family]
    n = len(sets)
    doc = np.arange(first, first + n, dtype=np.uint64)
    keys = np.repeat(np.arange(key, key + len(families), dtype=np.uint64), [len(f) for f in families])
    zero = np.zeros(n, np.uint64)
    stands = np.array(standing or [False] * n, np.uint8)
    hashes = np.array([value for one in sets for value in one], np.uint64)
    bounds = np.cumsum([0, *map(len, sets)], dtype=np.int64)
    return Members(
        key=keys, doc=doc, hi=doc + np.uint64(1 << 40), lo=doc + 1, limits=np.full(n, NO_LIMIT, np.uint64),
        standing=stands, leader=zero, leader_hi=zero, leader_lo=zero, hashes=hashes, bounds=bounds,
    )  # fmt: skip


def decided(leaders: Leaders, own: Members, more: bool = False) -> list[Verdict]:
    """Partners and leaders by document number."""
    found = leaders.decide(own, more)
    n = len(own.key)
    assert found.members.doc.tolist() == own.doc.tolist()
    partner = np.where(found.partner_lo > 0, found.partner_lo.astype(np.int64) - 1, -1)
    assert ((found.partner_hi == 0) == (partner < 0)).all()
    assert (found.members.leader_lo == found.members.leader + np.uint64(1)).all()
    columns = (found.kept != 0, partner, found.similarity, found.rare, found.relation, found.members.leader)
    rows = list(zip(*(np.asarray(column).tolist() for column in columns), strict=True))
    assert len(rows) == n
    return rows


def by_the_rules(family: Family, first: int, threshold: float, standing: list[bool] | None = None) -> list[Verdict]:
    """Without templates, for families of which every two are compared."""
    sets = [set(one) for one in family]
    done: list[Verdict] = []
    for i, own in enumerate(sets):
        alike = [(j, len(own & sets[j]) / len(own | sets[j])) for j in range(i) if own | sets[j]]
        alike = [(j, share) for j, share in alike if share >= threshold and not (standing and standing[i])]
        stay = [(j, share) for j, share in alike if done[j][0]]
        for j, share in (stay or alike)[:1]:
            done.append((not stay, first + j, share, share, NEAR if stay else APART, done[j][5]))
        if not alike:
            done.append((True, -1, 0.0, 0.0, ALONE, first + i))
    return done


def random_family(rng: random.Random, size: int) -> Family:
    """Around one frame: pages, noisy copies, copies of pages, and strangers."""
    frame = [rng.getrandbits(64) for _ in range(rng.choice([1, 5, 40, 120]))]
    made: Family = []
    while len(made) < size:
        base = list(rng.choice(made)) if made and rng.random() < 0.5 else list(frame)
        for _ in range(rng.choice([0, 1, 2, len(frame) // 12])):
            if base:
                base[rng.randrange(len(base))] = rng.getrandbits(64)
        made.append(
            list(dict.fromkeys(base + [rng.getrandbits(64) for _ in range(rng.choice([0, 0, 2, len(frame) // 8]))]))
        )
    return made + [[]] * rng.randrange(2)


def close(got: list[Verdict], want: list[Verdict]) -> bool:
    return all(
        g[:2] + g[4:] == w[:2] + w[4:] and abs(g[2] - w[2]) < 1e-9 and abs(g[3] - w[3]) < 1e-9
        for g, w in zip(got, want, strict=True)
    )


def many(rng: random.Random) -> list[Family]:
    families = [random_family(rng, rng.choice([1, 1, 2, 3, 4, 12, 40, 70])) for _ in range(12)]
    frame = [rng.getrandbits(64) for _ in range(300)]
    for count in (3, 9, 70):
        families.append([frame + [rng.getrandbits(rng.choice([60, 64])) for _ in range(25)] for _ in range(count)])
    return [*families, families[0], families[3], *families[-3:]]  # the same hashes again


@pytest.mark.parametrize("seed", range(15))
def test_families_in_one_call_as_by_the_rules(seed: int) -> None:
    rng = random.Random(seed)
    families = [family[:65] for family in many(rng)]
    standing = [rng.random() < 0.2 for family in families for _ in family]
    want, first = [], 0
    for family in families:
        want += by_the_rules(family, first, 0.8, standing[first:])
        first += len(family)
    got = decided(Leaders(0.8, False), members(families, standing=standing))
    assert close(got, want)
    assert {g[4] for g in got} >= {ALONE, NEAR}


@pytest.mark.parametrize("seed", range(8))
def test_what_one_family_leaves_in_the_tables_the_next_does_not_see(seed: int) -> None:
    """With templates: a family in a call with others is decided as in a call of its own."""
    families = many(random.Random(seed))
    alone, first = [], 0
    for number, family in enumerate(families):
        alone += decided(Leaders(0.8), members([family], first, number))
        first += len(family)
    assert decided(Leaders(0.8), members(families)) == alone
    assert TEMPLATE in {v[4] for v in alone}


def test_a_leader_is_named_by_rank_not_by_number() -> None:
    """Document numbers name the result, and nothing else: shifted, they shift the result."""
    families = many(random.Random(5))
    here = decided(Leaders(0.8), members(families))
    there = decided(Leaders(0.8), members(families, 10**6, 77))
    shifted = [(v[0], v[1] + 10**6 if v[1] >= 0 else -1, *v[2:5], v[5] + 10**6) for v in here]
    assert there == shifted


def test_nothing_and_families_of_one() -> None:
    leaders = Leaders(0.8)
    for more in (False, True):
        assert decided(leaders, members([]), more) == []
    assert decided(leaders, members([[[]]])) == [(True, -1, 0.0, 0.0, ALONE, 0)]
    assert decided(leaders, members([[[1]], [[1]], [[1]]])) == [(True, -1, 0.0, 0.0, ALONE, n) for n in range(3)]
    assert [v[0] for v in decided(leaders, members([[[], [], []]]))] == [True] * 3  # nothing to compare
    assert leaders.evicted == 0


def test_a_part_of_a_set_exactly_at_the_threshold() -> None:
    """55 of 100 hashes are 0.55, and 0.55 is at least 0.55."""
    got = decided(Leaders(0.55), members([[list(range(100)), list(range(55))]]))
    assert [v[0] for v in got] == [True, False]


@pytest.mark.parametrize("size", [CANDIDATES, CANDIDATES + 1])
@pytest.mark.parametrize("seed", range(4))
def test_64_members_before_are_all_compared(size: int, seed: int) -> None:
    family = random_family(random.Random(seed), size)[:size]
    got = decided(Leaders(0.8, False), members([family]))
    assert close(got, by_the_rules(family, 0, 0.8))


@pytest.mark.parametrize("size", [66, 500])
def test_copies_are_looked_up_in_a_crowded_family(size: int) -> None:
    """Pages of a frame; the second half are copies, with 3 of 130 hashes changed, of those of the first half."""
    rng = random.Random(size)
    frame = [rng.getrandbits(64) for _ in range(110)]
    pages = [frame + [rng.getrandbits(64) for _ in range(20)] for _ in range(size // 2)]
    copies = [list(page) for page in pages]
    for copy in copies:
        for at in rng.sample(range(130), 3):
            copy[at] = rng.getrandbits(64)
    leaders = Leaders(0.8)
    got = decided(leaders, members([[[1, 2, 3]], pages + copies, [[1, 2, 3]]]))[1:-1]
    assert [v[0] for v in got[: len(pages)]] == [True] * len(pages)
    gone = [(v[1] - 1, i) for i, v in enumerate(got[len(pages) :]) if not v[0]]
    assert all(of == i for of, i in gone)
    assert len(gone) >= 0.98 * len(pages)
    assert leaders.evicted == 0


@pytest.mark.parametrize("seed", range(8))
def test_a_family_over_tiles_keeps_whom_it_keeps_whole(seed: int) -> None:
    """Without templates: leaders go on from tile to tile, so only `apart` may be missed. A new family starts afresh."""
    rng = random.Random(seed)
    family, after = random_family(rng, 60)[:60], random_family(rng, 5)
    whole = by_the_rules(family, 0, 0.8)
    cuts = sorted(rng.sample(range(1, 60), rng.randrange(1, 6)))
    leaders = Leaders(0.8, False)
    got = []
    for begin, end in zip([0, *cuts[:-1]], cuts, strict=True):
        got += decided(leaders, members([family[begin:end]], begin), True)
    rest = [family[cuts[-1] :], after]
    got += decided(leaders, members(rest, cuts[-1]))
    assert [v[0] for v in got[:60]] == [v[0] for v in whole]
    for i, (mine, theirs) in enumerate(zip(got, whole, strict=False)):
        if not mine[0]:
            assert mine[:5] == theirs[:5]
            assert mine[5] == got[mine[1]][5]
        else:
            assert mine[4] in (ALONE, theirs[4]), i
    assert close(got[60:], by_the_rules(after, len(family), 0.8))
    assert leaders.evicted == 0


def test_leaders_that_do_not_fit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(code, "TILE_HASHES", 100)  # 50 hashes go on: five sets
    strangers = [[10 * n + i for i in range(10)] for n in range(8)]
    leaders = Leaders(0.8)
    assert all(v[0] for v in decided(leaders, members([strangers]), True))
    assert leaders.evicted == 3
    got = decided(leaders, members([[strangers[7], strangers[4], strangers[0]]], 8))
    assert [(v[0], v[1], v[5]) for v in got] == [(True, -1, 8), (False, 4, 4), (False, 0, 0)]
    assert leaders.evicted == 3


def test_thinned_sets_are_compared_up_to_the_lower_limit() -> None:
    """Of the hashes up to 100 the two share 8 of 10; those above are not looked at, on either side."""
    own = members([[[1, 2, 3, 4, 5, 6, 7, 8, 9, 100], [1, 2, 3, 4, 5, 6, 7, 8, *range(101, 200)]]])
    for limits in ([100, NO_LIMIT], [NO_LIMIT, 100], [100, 180]):
        got = decided(Leaders(0.8), own._replace(limits=np.array(limits, np.uint64)))
        assert got[1][:3] == (False, 0, 0.8)
    assert decided(Leaders(0.8), own)[1][0]
