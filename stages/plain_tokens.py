"""What a classifier of quality sees of a text: plain tokens, each with a space behind it, of windows spread over it.

- words of letters and each Han character and kana alone, as the key of a document has them (`stages/key.py`): lower
  case, without accents, usual width, one form of those that are simplified, traditional or variants of each other. A
  page and its traditional mirror score alike
- digits as `0`, `00`, `000` or `0000`, by how many stand together, four or more alike
- each other mark and symbol alone, as it is; apostrophes vanish
- `<n>` where a line ends, once for any number of empty lines, and not before the first token

`<` and `_` are tokens of their own, so no text spells out `<n>`, `</s>` or `__label__`. Numbers differ from page to
page, and their lengths tell prices, years and telephones apart; line ends tell menus and lists from prose. No
dictionary cuts Chinese: n-grams of tokens find the words, and what stands between them.

Of a text of more than `windows` * `window_bytes` bytes only so many windows are read, evenly spread from its beginning
to its end: what is read depends on the text alone, and the work on one document is bounded. A window begins and ends
between characters, and not inside a word of ASCII letters and digits of up to 64 bytes.
"""

import numpy as np
from numba import njit

from stages import key
from stages.characters import DIGIT, SPACE, TABLE_SIZE, decode, far_kind, kinds
from stages.key import CODES, GAP, NOTHING, SINGLE

_EDGE_BYTES = 64
_MOST_DIGITS = 4
_LINE = np.frombuffer(b"<n> ", np.uint8)
_NONE, _WORD, _DIGITS = 0, 1, 2


def tables() -> tuple[np.ndarray, np.ndarray]:
    """What `write_tokens` takes as its tables: kinds of characters, and what the key makes of them."""
    return kinds(), key.table()


@njit(cache=True, nogil=True)
def room(text_bytes, windows, window_bytes):  # type: ignore[no-untyped-def]
    """Bytes that the tokens of a text may take: `a` and a line end become `a <n> `."""
    return 3 * min(text_bytes, windows * (window_bytes + _EDGE_BYTES + 4)) + 8


@njit(cache=True, nogil=True)
def write_tokens(data, begin, end, windows, window_bytes, tables, out, at):  # type: ignore[no-untyped-def]
    """Write the tokens of the text at `begin`..`end` to `out` from `at` on -> their end. `out` must have `room`."""
    first = at
    after = begin
    for number in range(windows):
        start, after = window_at(data, begin, end, windows, window_bytes, number, after)
        if start < after:
            at = _write(data, start, after, tables, out, at, first)
    return at


@njit(cache=True, nogil=True)
def window_at(data, begin, end, windows, window_bytes, number, after):  # type: ignore[no-untyped-def]
    """Where window `number` of the text at `begin`..`end` begins and ends, the one before it having ended at `after`.
    Of a text that is read as a whole the first window is all of it, and the others are empty."""
    if end - begin <= windows * window_bytes:
        return (begin if number == 0 else end), end
    start = begin
    if number > 0:
        start = max(after, _edge(data, begin + (end - begin - window_bytes) * number // (windows - 1), end))
    return start, (end if number == windows - 1 else _edge(data, min(start + window_bytes, end), end))


@njit(cache=True, nogil=True)
def write_all(data, bounds, windows, window_bytes, tables, out, ends):  # type: ignore[no-untyped-def]
    """Tokens of every text of a batch, one after another; `ends` (n,) int64: where those of each end."""
    at = 0
    for document in range(bounds.size - 1):
        begin, end = np.int64(bounds[document]), np.int64(bounds[document + 1])
        at = write_tokens(data, begin, end, windows, window_bytes, tables, out, at)
        ends[document] = at


@njit(cache=True, nogil=True)
def _edge(data, at, end):  # type: ignore[no-untyped-def]
    """The first place from byte `at` on where a window may begin or end."""
    stop = min(at + _EDGE_BYTES, end)
    while at < stop:
        byte = data[at]
        if not (byte & 0xC0 == 0x80 or 48 <= byte <= 57 or 97 <= byte | 32 <= 122):
            return at
        at += 1
    while at < end and data[at] & 0xC0 == 0x80:
        at += 1
    return at


@njit(cache=True, nogil=True)
def _write(data, place, end, tables, out, at, first):  # type: ignore[no-untyped-def]
    """Tokens of one window. `first` is where those of the text began."""
    kind_of, key_of = tables
    state = _NONE
    digits = 0
    after_line = at == first or (at - first >= 4 and out[at - 4] == 60 and out[at - 3] == 110 and out[at - 2] == 62)
    while place < end:
        code, size = np.uint32(data[place]), 1
        if state == _WORD and 97 <= code | 32 <= 122:  # most of what there is in English
            out[at] = code | 32
            at += 1
            place += 1
            continue
        if code >= 0x80:
            code, size = decode(data, place, end)
        place += size
        if code >= CODES:
            continue
        kind = kind_of[code] if code < TABLE_SIZE else far_kind(code)
        packed = key_of[code]
        role = (packed >> np.uint64(40)) & np.uint64(0xFF)
        if role == NOTHING:
            continue
        if (state != _NONE and (kind == DIGIT) != (state == _DIGITS)) or (state == _WORD and role in (GAP, SINGLE)):
            out[at] = 32
            at += 1
            state = _NONE
        if kind == SPACE:
            if code == 10 and not after_line:
                for step in range(4):
                    out[at + step] = _LINE[step]
                at += 4
                after_line = True
            continue
        after_line = False
        if kind == DIGIT:
            digits = digits + 1 if state == _DIGITS else 1
            state = _DIGITS
            if digits <= _MOST_DIGITS:
                out[at] = 48
                at += 1
            continue
        if role == GAP:
            for step in range(size):
                out[at + step] = data[place - size + step]
            at += size
        else:
            for _ in range((packed >> np.uint64(32)) & np.uint64(0xFF)):
                out[at] = packed & np.uint64(0xFF)
                packed >>= np.uint64(8)
                at += 1
        if role in (GAP, SINGLE):
            out[at] = 32
            at += 1
        else:
            state = _WORD
    if state != _NONE:
        out[at] = 32
        at += 1
    return at
