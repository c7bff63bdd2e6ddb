"""UTF-8 that was read as GBK or Big5: 浣犲ソ, which is 你好.

A run is what the wrong charset writes as pairs of bytes which, one after the other, are valid UTF-8. Right text hardly
ever is: a character of three bytes begins with E0 to EF, which no common character of GB2312 does. A run is believed
(`strong`) where it reads as two Chinese characters or kana or more, nearly all of them usual, while half
of what stands there is rare; or as a quotation mark or dash (鈥檚 is ’s). A shorter run goes with a strong one in its
document where its line holds ASCII and runs alone.

Pairs swallow the ASCII letter behind an odd byte (of 鐨刟 the second is 84 61), and encoding again brings it back. An
odd byte before a space, digit or line end is lost: it shows as U+FFFD, as ? or not at all. The character that it ended
cannot be known, so it becomes U+FFFD, and is counted. U+FFFD before anything else stands for the byte 80, which no pair
begins with: that loses nothing. So does ? where a byte inside a character must follow.
"""

import numpy as np
from numba import njit

from stages.byte_pairs import BIG5_COMMON, FREQUENT, GB_COMMON, HAN, KANA, LISTED, SIGN, pairs, traits

STRONG, WEAK = 2, 1
_LONG = 64  # characters of a run that is not believed, beyond which no other run is looked for inside: bounds the work
_MARK = 0xFFFD
_EURO = 0x20AC  # browsers read the single byte 80 of GBK as €
_USUAL = GB_COMMON | BIG5_COMMON | FREQUENT | SIGN | KANA
_NOT_RARE = GB_COMMON | FREQUENT | SIGN  # level 1 of Big5 holds a third of what UTF-8 read as GBK shows


@njit(cache=True, nogil=True)
def walk(codes, start, end, table, bits, out, counts):  # type: ignore[no-untyped-def]
    """Read on from `start` while the bytes are valid UTF-8.

    codes   (n,) uint32: a text; `table` and `bits` are `pairs` and `traits` of `byte_pairs.py`
    out     (>= 3 * (end - start) + 3,) uint8: receives what the run reads as, in UTF-8; may be of length 0
    counts  (8,) int64: receives, of the run: wrong characters that are not ASCII, of these rare ones, characters read
            that are not ASCII, of these usual ones, Han and kana, quotation marks and dashes,
            lost characters, bytes written

    -> end of the run (`start` where there is none). It ends behind a usual character, since right text that follows may
    be valid UTF-8 by chance for a character or two, and then reads as rare letters."""
    wrong = rare = read = usual = east = quotes = lost = 0
    need = 0  # continuation bytes that the character being read still lacks
    code = 0
    low, high = 0x80, 0xBF  # what the next of them may be
    wrote = 0
    last = start
    writes = out.size > 0
    at = start
    begun = 0  # where in `out` the character being read begins
    fine = False  # the last character read that is not ASCII is a usual one
    while at < end:
        here = np.int64(codes[at])
        pair = np.int64(table[here]) if here < 0x10000 else np.int64(0)
        following = np.int64(0)
        if at + 1 < end and codes[at + 1] < 0x10000:
            following = np.int64(0x8000) if codes[at + 1] == _MARK else np.int64(table[codes[at + 1]])
        first, second, size = np.int64(0), np.int64(0), 0
        if need > 0 and (here == _MARK or here == 0x3F or here == 0x0A or (here < 0x40 and need == 1)):
            alone = at + 1 < end and codes[at + 1] >= 0x40
            shown = here == _MARK or (here == 0x3F and need == 2 and (following >> 8) & 0xC0 == 0x80)
            if shown and alone and low <= 0x80:
                first, size = np.int64(0x80), 1
            elif need == 1 and wrong > 0:
                # The last byte of a character is lost; what shows it is lost goes with it.
                if here == _MARK or here == 0x3F:
                    wrong += here == _MARK
                    at += 1
                lost += 1
                read += 1
                need = 0
                if writes:
                    out[begun] = 0xEF
                    out[begun + 1] = 0xBF
                    out[begun + 2] = 0xBD
                    wrote = begun + 3
                last = at
                _note(counts, wrong, rare, read, usual, east, quotes, lost, wrote)
                continue
            else:
                break
        elif here == 0x0A:
            break
        elif here < 0x80:
            first, size = here, 1
        elif here == _EURO and need > 0 and (need != 1 or (following >> 8) & 0xC0 != 0x80):
            first, size = np.int64(0x80), 1
        elif pair > 0xFF:
            first, second, size = pair >> 8, pair & 0xFF, 2
        else:
            break
        if here >= 0x80:
            wrong += 1
            rare += (bits[here] & _NOT_RARE) == 0 if here < 0x10000 else 1
        valid = True
        for step in range(size):
            byte = first if step == 0 else second
            if need == 0:
                begun = wrote
                if byte < 0x80:
                    code = byte
                elif 0xC2 <= byte < 0xE0:
                    need, code, low, high = 1, byte & 0x1F, 0x80, 0xBF
                elif 0xE0 <= byte < 0xF0:
                    need, code = 2, byte & 0x0F
                    low, high = (0xA0 if byte == 0xE0 else 0x80), (0x9F if byte == 0xED else 0xBF)
                elif 0xF0 <= byte < 0xF5:
                    need, code = 3, byte & 0x07
                    low, high = (0x90 if byte == 0xF0 else 0x80), (0x8F if byte == 0xF4 else 0xBF)
                else:
                    valid = False
                    break
            else:
                if not low <= byte <= high:
                    valid = False
                    break
                code = code << 6 | (byte & 0x3F)
                need -= 1
                low, high = 0x80, 0xBF
                if need == 0:
                    read += 1
                    if code < 0x10000:
                        fine = (bits[code] & (_USUAL | LISTED)) != 0
                        usual += (bits[code] & _USUAL) != 0
                        east += (bits[code] & (HAN | KANA)) != 0 or 0x3000 <= code < 0x3040 or 0xFF00 < code < 0xFF5F
                        quotes += 0x2010 <= code <= 0x2026
                    else:
                        fine = 0x1F000 <= code < 0x1FB00
                        usual += fine
            if writes:
                out[wrote] = byte
            wrote += 1
        if not valid:
            break
        at += 1
        if need == 0 and fine and here >= 0x80:
            last = at
            _note(counts, wrong, rare, read, usual, east, quotes, lost, wrote)
    if at == end and need == 1 and wrong > 0:
        if writes:
            out[begun] = 0xEF
            out[begun + 1] = 0xBF
            out[begun + 2] = 0xBD
        last = at
        _note(counts, wrong, rare, read + 1, usual, east, quotes, lost + 1, begun + 3)
    return last


@njit(cache=True, nogil=True, inline="always")
def _note(counts, wrong, rare, read, usual, east, quotes, lost, wrote):  # type: ignore[no-untyped-def]
    counts[0] = wrong
    counts[1] = rare
    counts[2] = read
    counts[3] = usual
    counts[4] = east
    counts[5] = quotes
    counts[6] = lost
    counts[7] = wrote


@njit(cache=True, nogil=True)
def belief(counts):  # type: ignore[no-untyped-def]
    """STRONG, WEAK or 0: how far a run with these `counts` is to be believed."""
    wrong, rare, read, usual, east, quotes, lost = (
        counts[0],
        counts[1],
        counts[2],
        counts[3],
        counts[4],
        counts[5],
        counts[6],
    )
    known = read - lost
    if 2 * rare < wrong or 5 * usual < 4 * known:
        return 0
    if 2 * lost <= read and (east >= 2 or (quotes >= 1 and quotes == known)):
        return STRONG
    return WEAK if east + quotes >= 1 or known == 0 else 0


@njit(cache=True, nogil=True)
def starts(pair):  # type: ignore[no-untyped-def]
    """Whether a character of these two bytes can begin a run: it holds the first two bytes of a longer character."""
    first, second = pair >> 8, pair & 0xFF
    return 0xE0 <= first < 0xF5 and 0x80 <= second < 0xC0


@njit(cache=True, nogil=True)
def runs(codes, table, bits, found):  # type: ignore[no-untyped-def]
    """Runs of a text that are believed at all: -> how many rows of `found` (start, end, belief, lost) were written."""
    counts = np.zeros(8, np.int64)
    nothing = np.zeros(0, np.uint8)
    number = 0
    at = 0
    before, reached = 0, 0  # a start that was not believed, and how far it read on
    while at < codes.size and number < found.shape[0]:
        here = codes[at]
        if here < 0x80 or here >= 0x10000 or not starts(table[here]):
            at += 1
            continue
        end = walk(codes, at, codes.size, table, bits, nothing, counts)
        sure = belief(counts) if end > at else 0
        if sure:
            # Rare characters at the beginning of a run keep it from being believed; what follows vouches for them.
            found[number, 0] = before if reached == end else at
            found[number, 1] = end
            found[number, 2] = sure
            found[number, 3] = counts[6]
            number += 1
            at = end
        else:
            if end > reached:
                before, reached = at, end
            at = end if end - at > _LONG else at + 1
    return number


def repaired(text: str, codec: str) -> tuple[str, int, int]:
    """-> (text with its runs of UTF-8 that was read as `codec` read again, how many, how many characters are lost)."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    found = np.zeros((len(codes) // 2 + 1, 4), np.int64)
    found = found[: runs(codes, pairs(codec), traits(), found)]
    if not (found[:, 2] == STRONG).any():
        return text, 0, 0
    parts, at, number, lost = [], 0, 0, 0
    alone = _alone(codes, found)
    for (start, end, belief_, lost_), whole in zip(found.tolist(), alone.tolist(), strict=True):
        if belief_ == STRONG or whole:
            parts += [text[at:start], reread(codes, start, end, pairs(codec))]
            at, number, lost = end, number + 1, lost + lost_
    return "".join((*parts, text[at:])), number, lost


def _alone(codes: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Whether the line of each run holds nothing but runs and ASCII: (runs,) bool."""
    odd = np.concatenate(([0], np.cumsum(codes >= 0x80)))
    ends = np.concatenate(([-1], np.flatnonzero(codes == 0x0A), [len(codes)]))
    line = np.searchsorted(ends, found[:, 0], side="right") - 1
    within = np.bincount(line, odd[found[:, 1]] - odd[found[:, 0]], len(ends))
    return within[line] == (odd[ends[line + 1]] - odd[ends[line] + 1])


def reread(codes: np.ndarray, start: int, end: int, pairs_: np.ndarray) -> str:
    """What a run, as `runs` found it, reads as."""
    out = np.empty(3 * (end - start) + 3, np.uint8)
    counts = np.zeros(8, np.int64)
    walk(codes, start, end, pairs_, traits(), out, counts)
    return out[: counts[7]].tobytes().decode()
