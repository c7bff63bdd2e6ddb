"""Leaders: inside a family, who stays and who leaves, each by a comparison of shingle sets.

Members come in order of rank, best first. Each is compared with *representatives*, members before it; the first kept
one that it duplicates is its *leader*, and it leaves. Where there is none it stays, and leads. So every document that
leaves was itself compared with one that stays; nothing leaves because a chain of others links it.

**Duplicate**: the Jaccard similarity of the shingle sets is at least the threshold, and they are no two pages of one
template.

**Template**: pages that share most of their shingles, since a site prints the same frame around different content.
They are told apart by the shingles that are rare. In a family the *document frequency* of a shingle is the number of
members that hold it. Of a pair, the median frequency of the shared shingles says how many pages share the frame; a
shingle held by less than half as many is rare. Where at least TEMPLATE_PAGES share it, the similarity is taken again
over rare shingles. Below RARE_SIMILARITY the two are pages of one template, if both have content of their own, or if
one is the bare frame and the other has a passage in it. *Content* is what is rare and not in the other, beyond what
errors explain: an error in one copy makes as many rare shingles there as it takes frequent ones away, which all the
other copies have. So noisy copies stay together, and two fillings of one form do not. An article on several sites,
with the navigation of each around it, looks the same, and stays several: a site's own lines are for `repeats` and
`cut` to take out before.

**Representatives**: up to CANDIDATES members are compared. In families of more members they are looked up: each member
is filed under KEYS of its shingles, those of the smallest hashes among shingles that between 2 and 64 members hold (the
content of a page, not its frame), then those of the frame. Representatives that share most of them come first. A family
that outgrows a tile of TILE_HASHES is decided tile by tile; leaders go on to the next tile up to half of its size, and
those that do not are counted.

Memory: about 60 bytes for each hash of a tile, 130 MB.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numba as nb
import numpy as np

from stages.shingle_sets import NO_LIMIT

TEMPLATE_PAGES = 3
RARE_SIMILARITY = 0.5
NOISE_SHARE, NOISE = 0.2, 5  # rare shingles that errors explain: one in five of an inserted word is new
PASSAGE = 20  # shingles: 24 words or 27 characters
CANDIDATES = 64
KEYS = 16
FREQUENT = 64  # members
TILE_HASHES = 2 << 20

ALONE, NEAR, TEMPLATE, APART = 0, 1, 2, 3  # relation of a member to its partner


@nb.njit(cache=True, nogil=True)
def _number(hashes, begin, end, offsets, slot_hash, slot_id, slot_stamp, stamp, mask, ids, df):  # type: ignore[no-untyped-def]
    """Small numbers for the hashes of a family, and how many of its members hold each."""
    made = np.int32(0)
    for j in range(begin, end):
        value = hashes[j]
        slot = np.int64(value >> np.uint64(24)) & mask
        while slot_stamp[slot] == stamp and slot_hash[slot] != value:
            slot = (slot + 1) & mask
        if slot_stamp[slot] != stamp:
            slot_stamp[slot], slot_hash[slot], slot_id[slot] = stamp, value, made
            df[made] = 0
            made += np.int32(1)
        ids[j - offsets] = slot_id[slot]
        df[slot_id[slot]] += 1
    return made


@nb.njit(cache=True, nogil=True)
def _size(hashes, begin, end, limit):  # type: ignore[no-untyped-def]
    if limit == NO_LIMIT:
        return end - begin
    size = 0
    for j in range(begin, end):
        size += hashes[j] <= limit
    return size


@nb.njit(cache=True, nogil=True)
def _rare(a, b, hashes, ids, base, bounds, limit, df, mark, hit, pair, tally):  # type: ignore[no-untyped-def]
    """-> (similarity over rare shingles or -1 where there is no frame, whether the two are pages of one template)"""
    most = tally.size - 1
    tally[:] = 0
    shared = 0
    for j in range(bounds[b], bounds[b + 1]):
        if hashes[j] <= limit and mark[ids[j - base]] == a + 1:
            hit[ids[j - base]] = pair
            tally[min(np.int64(df[ids[j - base]]), most)] += 1
            shared += 1
    median = 0
    below = tally[0]
    while 2 * below < shared:
        median += 1
        below += tally[median]
    if median < TEMPLATE_PAGES:
        return -1.0, False
    rare_shared = 0
    for frequency in range((median + 1) // 2):
        rare_shared += tally[frequency]
    own = np.zeros(2, np.int64)  # of those, rare
    whole = np.zeros(2, np.int64)  # not in the other
    passage = np.zeros(2, np.int64)  # longest run of own ones
    for side in range(2):
        page = a if side == 0 else b
        run = 0
        for j in range(bounds[page], bounds[page + 1]):
            one = ids[j - base]
            if hashes[j] > limit:
                continue
            if hit[one] == pair:
                run = 0
                continue
            whole[side] += 1
            if 2 * df[one] >= median:
                run = 0
                continue
            own[side] += 1
            run += 1
            passage[side] = max(passage[side], run)
    everything = rare_shared + own[0] + own[1]
    if everything == 0:
        return -1.0, False
    similarity = rare_shared / everything
    if similarity >= RARE_SIMILARITY:
        return similarity, False
    content = np.zeros(2, np.bool_)
    for side in range(2):
        noise = whole[1 - side] - own[1 - side]
        content[side] = own[side] - noise > NOISE_SHARE * own[side] + NOISE
    if content[0] and content[1]:
        return similarity, True
    for side in range(2):
        if content[side] and passage[side] >= PASSAGE and whole[1 - side] < PASSAGE:
            return similarity, True
    return similarity, False


@nb.njit(cache=True, nogil=True)
def _keys(member, hashes, ids, base, bounds, df, keys):  # type: ignore[no-untyped-def]
    """The shingles (their numbers) that a member is filed under. -> how many"""
    best = np.empty((2, KEYS), np.uint64)
    number = np.empty((2, KEYS), np.int32)
    size = np.zeros(2, np.int64)
    for j in range(bounds[member], bounds[member + 1]):
        one = ids[j - base]
        if df[one] < 2:
            continue
        side = 0 if df[one] <= FREQUENT else 1
        at = size[side]
        if at == KEYS:
            if hashes[j] >= best[side, KEYS - 1]:
                continue
            at -= 1
        else:
            size[side] += 1
        while at > 0 and best[side, at - 1] > hashes[j]:
            best[side, at], number[side, at] = best[side, at - 1], number[side, at - 1]
            at -= 1
        best[side, at], number[side, at] = hashes[j], one
    frame = min(size[1], max(KEYS // 4, KEYS - size[0]))
    content = min(size[0], KEYS - frame)
    for i in range(content):
        keys[i] = number[0, i]
    for i in range(frame):
        keys[content + i] = number[1, i]
    return content + frame


@nb.njit(cache=True, nogil=True)
def _file(member, keys, count, heads, filed, entry_next, entry_member, entries):  # type: ignore[no-untyped-def]
    for i in range(count):
        if filed[keys[i]] < CANDIDATES:
            filed[keys[i]] += 1
            entry_next[entries], entry_member[entries] = heads[keys[i]], member
            heads[keys[i]] = entries
            entries += 1
    return entries


@nb.njit(cache=True, nogil=True)
def _candidates(keys, count, heads, entry_next, entry_member, first, score, found):  # type: ignore[no-untyped-def]
    """Up to CANDIDATES members that share most keys, in order of rank. `score` is zero before and after. -> how many"""
    touched = np.empty(KEYS * CANDIDATES, np.int64)
    size = 0
    by_score = np.zeros(KEYS + 1, np.int64)
    for i in range(count):
        entry = heads[keys[i]]
        while entry >= 0:
            one = entry_member[entry]
            if score[one - first] == 0:
                touched[size] = one
                size += 1
            else:
                by_score[score[one - first]] -= 1
            score[one - first] += 1
            by_score[score[one - first]] += 1
            entry = entry_next[entry]
    touched = np.sort(touched[:size])
    room = CANDIDATES
    cut = KEYS
    while cut > 1 and by_score[cut] < room:
        room -= by_score[cut]
        cut -= 1
    made = 0
    for one in touched:
        own = score[one - first]
        score[one - first] = 0
        if own > cut or (own == cut and room > 0):
            if own == cut:
                room -= 1
            found[made] = one
            made += 1
    return made


@nb.njit(cache=True, nogil=True)
def _decide(
    hashes,
    bounds,
    limits,
    standing,
    families,
    old,
    kept,
    least,
    templates,
    followers,
    partner,
    similarity,
    rare,
    relation,
    cluster,
):  # type: ignore[no-untyped-def]
    """families (f + 1,): members of each. The first `old` members were decided before: `kept` says how. `followers`:
    only those that stand are representatives."""
    largest = members = np.int64(0)
    for f in range(families.size - 1):
        largest = max(largest, bounds[families[f + 1]] - bounds[families[f]])
        members = max(members, families[f + 1] - families[f])
    slots = np.int64(16)
    while slots < 2 * largest:
        slots *= 2
    slot_hash = np.empty(slots, np.uint64)
    slot_id = np.empty(slots, np.int32)
    slot_stamp = np.zeros(slots, np.int64)
    ids = np.empty(largest, np.int32)
    df = np.empty(largest, np.int32)
    mark = np.zeros(largest, np.int64)
    hit = np.zeros(largest, np.int64)
    heads = np.empty(largest, np.int64)
    filed = np.empty(largest, np.int64)
    crowd = members > CANDIDATES
    entry_next = np.empty(members * KEYS if crowd else 1, np.int64)
    entry_member = np.empty(members * KEYS if crowd else 1, np.int64)
    score = np.zeros(members, np.int64)
    tally = np.zeros(1024, np.int64)
    keys = np.empty(KEYS, np.int32)
    found = np.empty(CANDIDATES, np.int64)
    pair = np.int64(0)
    for f in range(families.size - 1):
        first, end = families[f], families[f + 1]
        decided = old if f == 0 else 0
        base = bounds[first]
        mask = np.int64(16)
        while mask < 2 * (bounds[end] - base):
            mask *= 2
        distinct = _number(
            hashes, base, bounds[end], base, slot_hash, slot_id, slot_stamp, np.int64(f + 1), mask - 1, ids, df
        )
        crowded = end - first > CANDIDATES
        entries = np.int64(0)
        if crowded:
            heads[:distinct] = -1
            filed[:distinct] = 0
        for i in range(first, end):
            if crowded:
                count = _keys(i, hashes, ids, base, bounds, df, keys)
            if i >= first + decided:
                for j in range(bounds[i], bounds[i + 1]):
                    mark[ids[j - base]] = i + 1
                if i - first <= CANDIDATES:
                    size = i - first
                    for c in range(size):
                        found[c] = first + c
                else:
                    size = _candidates(keys, count, heads, entry_next, entry_member, first, score, found)
                kept[i], cluster[i], partner[i], relation[i] = 1, i, -1, ALONE
                similarity[i] = rare[i] = 0
                for turn in range(2):  # kept representatives, then those that left
                    if standing[i] or (turn == 1 and kept[i] == 0):
                        break
                    for c in range(size):
                        r = found[c]
                        if (kept[r] == 0) != (turn == 1) or (followers and standing[r] == 0):
                            continue
                        limit = min(limits[i], limits[r])
                        one = _size(hashes, bounds[i], bounds[i + 1], limit)
                        two = _size(hashes, bounds[r], bounds[r + 1], limit)
                        if max(one, two) == 0 or min(one, two) / max(one, two) < least:
                            continue
                        shared = 0
                        for j in range(bounds[r], bounds[r + 1]):
                            shared += hashes[j] <= limit and mark[ids[j - base]] == i + 1
                        alike = shared / (one + two - shared)
                        if alike < least:
                            continue
                        rarely, template = alike, False
                        if templates and end - first >= TEMPLATE_PAGES:
                            pair += 1
                            rarely, template = _rare(i, r, hashes, ids, base, bounds, limit, df, mark, hit, pair, tally)
                            if rarely < 0:
                                rarely = alike
                        if template:
                            if relation[i] == ALONE or (relation[i] == TEMPLATE and alike > similarity[i]):
                                partner[i], relation[i], similarity[i], rare[i] = r, TEMPLATE, alike, rarely
                            continue
                        partner[i], similarity[i], rare[i], cluster[i] = r, alike, rarely, cluster[r]
                        kept[i], relation[i] = (0, NEAR) if turn == 0 else (1, APART)
                        break
                    if relation[i] == NEAR or relation[i] == APART:
                        break
            else:
                cluster[i] = i
            if followers and standing[i] == 0:
                continue
            if crowded and (kept[i] or i - first < CANDIDATES):
                entries = _file(i, keys, count, heads, filed, entry_next, entry_member, entries)


class Members(NamedTuple):
    """n members of families, best first in each: `key` (family), `doc`, `hi` and `lo` (id), all (n,) uint64; `standing`
    (n,) uint8: those that stay whatever they are like; their shingle sets as `hashes`, `bounds` (n + 1,) and `limits`
    (n,); `leader`, `leader_hi`, `leader_lo`: of their cluster, (n,) uint64, which means something for those that were
    decided."""

    key: np.ndarray
    doc: np.ndarray
    hi: np.ndarray
    lo: np.ndarray
    limits: np.ndarray
    standing: np.ndarray
    leader: np.ndarray
    leader_hi: np.ndarray
    leader_lo: np.ndarray
    hashes: np.ndarray
    bounds: np.ndarray

    def take(self, chosen: np.ndarray) -> "Members":
        """Those at some positions, in order."""
        sets = [self.hashes[self.bounds[i] : self.bounds[i + 1]] for i in chosen]
        sizes = np.array([len(one) for one in sets], np.int64)
        columns = (column[chosen] for column in self[:9])
        hashes = np.concatenate([np.empty(0, np.uint64), *sets])
        return Members(*columns, hashes, np.append(0, np.cumsum(sizes)).astype(np.int64))

    def join(self, other: "Members") -> "Members":
        columns = (np.concatenate(pair) for pair in zip(self[:10], other[:10], strict=True))
        return Members(*columns, np.concatenate([self.bounds, other.bounds[1:] + self.bounds[-1]]))


class Decided(NamedTuple):
    """`members`, and of each (n,): whether it stays, its partner's id (0: none), both similarities, relation."""

    members: Members
    kept: np.ndarray
    partner_hi: np.ndarray
    partner_lo: np.ndarray
    similarity: np.ndarray
    rare: np.ndarray
    relation: np.ndarray


class Leaders:
    """Decides families that come in order, the members of each in order of rank. `threshold` is on the similarity.
    `followers`: those that do not stand are compared with those that do, and not with each other. `evicted` counts
    leaders that not every later member of their family was compared with."""

    def __init__(self, threshold: float, templates: bool = True, followers: bool = False) -> None:
        self.evicted = 0
        self._threshold, self._templates, self._followers = threshold, templates, followers
        self._old: Members | None = None

    def decide(self, members: Members, more: bool) -> Decided:
        """`more`: the last family goes on in the next call."""
        old = self._old
        continues = old is not None and len(old.key) and len(members.key) and old.key[0] == members.key[0]
        before = len(old.key) if continues and old is not None else 0
        if continues and old is not None:
            members = old.join(members)
        n = len(members.key)
        families = np.append(np.flatnonzero(np.append(True, members.key[1:] != members.key[:-1])), n).astype(np.int64)
        kept, relation = np.ones(n, np.uint8), np.zeros(n, np.uint8)
        partner, cluster = np.full(n, -1), np.arange(n)
        similarity, rare = np.zeros(n), np.zeros(n)
        if n:
            args = (before, kept, self._threshold, self._templates, self._followers)
            out = (partner, similarity, rare, relation, cluster)
            _decide(*members[9:], members.limits, members.standing, families, *args, *out)
        leader = [np.append(own[:before], own[cluster[before:]]) for own in self._leaders(members, before)]
        members = members._replace(leader=leader[0], leader_hi=leader[1], leader_lo=leader[2])
        self._old = self._carry(members, kept, int(families[-2])) if more and n else None
        partners = (np.where(partner >= 0, ids[partner], np.uint64(0)) for ids in (members.hi, members.lo))
        found = (kept, *partners, similarity, rare, relation)
        fresh = members.take(np.arange(before, n)) if before else members
        return Decided(fresh, *(values[before:] for values in found))

    @staticmethod
    def _leaders(members: Members, before: int) -> Iterator[np.ndarray]:
        """What each member would lead as: new ones as themselves, older ones as the leader of their cluster."""
        for carried, own in zip(members[6:9], members[1:4], strict=True):
            yield np.concatenate([carried[:before], own[before:]])

    def _carry(self, members: Members, kept: np.ndarray, first: int) -> Members:
        leads = kept[first:] & members.standing[first:] if self._followers else kept[first:]
        leaders = first + np.flatnonzero(leads)
        sizes = np.diff(members.bounds)[leaders]
        fit = int(np.searchsorted(np.cumsum(sizes), TILE_HASHES // 2, "right"))
        self.evicted += len(leaders) - fit
        return members.take(leaders[:fit])
