"""UTF-8, GBK or Big5 that was read as windows-1252 or ISO-8859-1: Ã© for é, ä½\xa0å¥½ or ÄãºÃ for 你好.

Both sets read every byte as one character, so the bytes are known (windows-1252 leaves five undefined, which browsers
read as control characters: so do we), and the right text with them.

UTF-8: a piece is a run of whole characters in UTF-8. Right text has such only by chance: a capital with an accent
before a closing quotation mark (IRMÃ”), an é before … and ”. So a piece is believed where it reads as
- two characters or more of Chinese, Japanese or Korean, all usual ones, or two letters or more of another script,
- a quotation mark, dash, sign or full-width form that takes three bytes, or a pictograph, unless â or another letter
  stands there before a quotation mark or letter,
- a Latin letter or sign, where what stands there could not be the end of a capitalised word.
Other pieces are read again where they hold no more letters than the believed ones of their text, and no accented letter
of it is left over that is part of no piece; or else where the same holds of their line.

A space may stand for the byte A0 inside a character of three bytes, since no-break spaces easily become spaces; it is
taken for one in a run of several Chinese characters only.

GBK and Big5: a line, or a run of it, that holds nothing but ASCII and such letters, if it reads as Chinese that costs
no more than right text does (`wrong_pairs.py`); four letters at least, and not one of them repeated, as in rulers and
boxes.
"""

import re
from bisect import bisect
from typing import NamedTuple

import numpy as np

from stages.byte_pairs import BIG5, BIG5_COMMON, FREQUENT, GB_COMMON, GBK, HAN, KANA, SIGN, traits
from stages.wrong_pairs import bits_of

_SPECIALS = {
    ord(bytes((byte,)).decode("cp1252", "ignore") or chr(byte)): byte for byte in range(0x80, 0xA0)
}  # what windows-1252 has for 80 to 9F
_TO_BYTE = np.arange(max(_SPECIALS) + 1, dtype=np.uint32)
_TO_BYTE[list(_SPECIALS)] = list(_SPECIALS.values())
_PIECE = re.compile(
    "(?:[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
    "|[\xe1-\xef](?: [\x80-\xbf]|[\x80-\xbf] (?=[\xe1-\xef][\x80-\xbf ]{2})))+"
)
_HIGH = re.compile("[\x80-\xff]")
_ACCENTED = re.compile("[\xc0-\xd6\xd8-\xf6\xf8-\xff]")
_BESIDE = re.compile("[\xa1-\xaa\xac-\xba\xbc-\xff]")
_SEGMENT = re.compile("[^\n\u0100-\U0010ffff]+")
_LETTERS = re.compile("[\x80-\xff]+[\x40-\x7e]?(?:[\x80-\xff]+[\x40-\x7e]?)*")
# What may follow a letter in right text: quotation marks, dots, dashes, trade marks, spaces.
_CLOSING = frozenset("\x91\x92\x93\x94\x85\x96\x97\x99\x9b\xa0\xa9\xae\xbb")
_LETTERS_OF_1252 = frozenset("\x83\x8a\x8c\x8e\x9a\x9c\x9e\x9f")
_OPENING = frozenset("\x93\x91\x84\x8b\xab\"'(")
_USUAL = GB_COMMON | BIG5_COMMON | FREQUENT | SIGN | KANA
STRONG, WEAK = 2, 1
_MIN_LETTERS = 4
# Bits a character; what a line of accented letters reads as by chance costs 14 and more.
_MAX_BITS, _MAX_BITS_MANY = 11.0, 12.5
_MANY = 8  # characters


class Repaired(NamedTuple):
    text: str
    utf8: int  # pieces read again
    gbk: int  # lines or runs
    big5: int


def repaired(text: str) -> Repaired:
    # GBK and Big5 first: two of their pairs may be UTF-8 by chance, while UTF-8 reads in them as rare characters.
    counts = {GBK: 0, BIG5: 0}
    text = _double_bytes(text, _bytes(text), counts)
    text, pieces = _utf8(text, _bytes(text))
    return Repaired(text, pieces, counts[GBK], counts[BIG5])


def _bytes(text: str) -> str:
    """The text with what windows-1252 has for 80 to 9F as U+0080 to U+009F."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    mapped = np.where(codes < len(_TO_BYTE), _TO_BYTE[np.minimum(codes, len(_TO_BYTE) - 1)], codes)
    return mapped.astype("<u4").tobytes().decode("utf-32-le")


def _utf8(text: str, plain: str) -> tuple[str, int]:
    found = []
    for piece in _PIECE.finditer(plain):
        read = _read(piece[0])
        if read is not None:
            found.append((piece.start(), piece.end(), read, _belief(plain, piece.start(), piece.end(), read)))
    if not any(belief == STRONG for *_, belief in found):
        return text, 0
    if not _whole(plain, found, 0, len(plain)):
        found = _by_line(plain, found)
    parts, at = [], 0
    for start, end, read, _ in found:
        parts += [text[at:start], read]
        at = end
    return "".join((*parts, text[at:])), len(found)


Piece = tuple[int, int, str, int]


def _whole(plain: str, found: list[Piece], start: int, end: int) -> bool:
    """Whether each accented letter between start and end is part of a piece, and half of these letters are believed."""
    strong = sum(last - first for first, last, _, belief in found if belief == STRONG)
    if 2 * strong < sum(last - first for first, last, _, _ in found):
        return False
    for first, last, _, _ in found:
        if _ACCENTED.search(plain, start, first):
            return False
        start = last
    return not _ACCENTED.search(plain, start, end)


def _by_line(plain: str, found: list[Piece]) -> list[Piece]:
    """The pieces that are believed, and all pieces of a line that holds nothing else."""
    kept: list[Piece] = []
    lines: dict[int, list[Piece]] = {}
    ends = [found.start() for found in re.finditer("\n", plain)]
    for piece in found:
        lines.setdefault(bisect(ends, piece[0]), []).append(piece)
    for line, pieces in lines.items():
        start = ends[line - 1] + 1 if line else 0
        end = ends[line] if line < len(ends) else len(plain)
        strong = [piece for piece in pieces if piece[3] == STRONG]
        kept += pieces if strong and _whole(plain, pieces, start, end) else strong
    return kept


def _read(piece: str) -> str | None:
    try:
        return piece.replace(" ", "\xa0").encode("latin-1").decode()
    except UnicodeDecodeError:
        return None


def _kind(char: str) -> str:
    """h: usual in Chinese, Japanese or Korean; s: a sign of three bytes; e: pictograph; l: Latin letter or sign of
    Latin-1; v: a Latin letter of three bytes; o: a letter of another script; x: the rest."""
    code = ord(char)
    if code >= 0x10000:
        return "e" if 0x1F000 <= code < 0x1FB00 else "x"
    if 0xA0 <= code < 0x180 or 0x218 <= code < 0x21C or code in (0x1A0, 0x1A1, 0x1AF, 0x1B0, 0x259):
        return "l"
    if 0x1E00 <= code < 0x1F00:
        return "v"
    if 0x2010 <= code < 0x2800 or code in (0xFEFF, 0xFFFD):
        return "s"
    bits = traits()[code]
    if bits & _USUAL:
        return "s" if bits & SIGN and not bits & HAN else "h"
    return "o" if (0x370 <= code < 0x10FF or 0xAC00 <= code < 0xD7A4) and char.isalpha() else "x"


def _belief(plain: str, start: int, end: int, read: str) -> int:
    kinds = "".join(map(_kind, read))
    east = kinds.count("h") + kinds.count("s")
    odd = kinds.count("x")
    if " " in plain[start:end] and (east < 2 or east < len(kinds)):
        return 0
    before, after = plain[start - 1 : start], plain[end : end + 1]
    if not east and (_BESIDE.match(before) or _BESIDE.match(after)):
        return 0  # some of many odd letters in a row: not UTF-8
    if len(kinds) > 1:
        return STRONG if len(kinds) - odd >= 4 * odd else 0
    second, last = plain[start + 1], plain[end - 1]
    beside = "a" <= before <= "z" or "a" <= after <= "z"
    if kinds == "e" or (kinds == "s" and second not in _CLOSING and second not in _LETTERS_OF_1252):
        return STRONG
    if kinds == "v":
        return STRONG if last not in _CLOSING or "a" <= after <= "z" else WEAK
    if kinds == "l" and (beside or before not in _OPENING):
        sign = plain[start] == "\xc2" and last >= "\xa0" and not before.isalpha()
        return STRONG if beside or sign or last not in _CLOSING else WEAK
    return 0 if odd else WEAK


def _double_bytes(text: str, plain: str, counts: dict[str, int]) -> str:
    """Lines in GBK or Big5. `plain` has the same characters as bytes, those apart that are no bytes. Where most of the
    text is one of them, what is left of its lines needs less evidence."""
    segments = [part for part in _SEGMENT.finditer(plain) if _HIGH.search(part[0])]
    if sum(len(_HIGH.findall(part[0])) for part in segments) < _MIN_LETTERS:
        return text
    found: dict[int, tuple[int, str, str]] = {}
    together = _chinese("\n".join(part[0] for part in segments))
    for part in segments:
        if together is None:
            found |= _in_segment(plain, *part.span())
        elif sure := _chinese(part[0], together[0]):
            found[part.start()] = (part.end(), *sure)
    read = sum(len(_HIGH.findall(plain, start, end)) for start, (end, _, _) in found.items())
    if found and 4 * read > 3 * sum(len(_HIGH.findall(part[0])) for part in segments):
        most = max(
            (GBK, BIG5), key=lambda codec: sum(len(again) for _, chosen, again in found.values() if chosen == codec)
        )
        found = {start: one for start, one in found.items() if one[1] == most}
        for part in segments:
            if part.start() not in found and (sure := _chinese(part[0], most)):
                found[part.start()] = (part.end(), *sure)
    parts, at = [], 0
    for start in sorted(found):
        end, codec, again = found[start]
        if start >= at:
            counts[codec] += 1
            parts += [text[at:start], again]
            at = end
    return "".join((*parts, text[at:]))


def _in_segment(plain: str, start: int, end: int) -> dict[int, tuple[int, str, str]]:
    """-> by start, what is Chinese of a line: all of it, or runs of letters."""
    if whole := _chinese(plain[start:end]):
        return {start: (end, *whole)}
    runs = ((run, _chinese(run[0])) for run in _LETTERS.finditer(plain, start, end))
    return {run.start(): (run.end(), *sure) for run, sure in runs if sure}


def _chinese(letters: str, expected: str = "") -> tuple[str, str] | None:
    """-> (codec, what the letters read as), where that is Chinese beyond doubt, or is so in the expected codec."""
    high = _HIGH.findall(letters)
    if not expected and (len(high) < _MIN_LETTERS or len(set(high)) < _MIN_LETTERS):
        return None
    best = None
    for codec in (expected,) if expected else (GBK, BIG5):
        try:
            read = letters.encode("latin-1").decode(codec)
        except UnicodeDecodeError:
            continue
        wide = [char for char in read if char >= "\x80"]
        bits = [int(traits()[min(ord(char), 0xFFFF)]) for char in wide]
        level = GB_COMMON | BIG5_COMMON if codec == GBK else BIG5_COMMON
        han = [bit for bit in bits if bit & HAN]
        usual = sum(bit & (level | FREQUENT) != 0 for bit in han)
        other = sum(not bit & (HAN | SIGN) for bit in bits)
        if not expected and (
            len(set(wide)) < min(4, 1 + len(wide) // 2)
            or 2 * len(han) < len(wide)
            or 10 * usual < 9 * len(han)
            or 20 * other > len(wide)
        ):
            continue
        cost = bits_of("".join(wide)) / max(1, len(wide))
        limit = _MAX_BITS if len(wide) < _MANY else _MAX_BITS_MANY
        if (expected or cost <= limit) and (best is None or cost < best[0]):
            best = (cost, codec, read)
    return None if best is None else best[1:]
