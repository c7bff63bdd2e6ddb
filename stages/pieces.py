"""The pieces of a SentencePiece model, and whether its ids can be computed without the library.

A model file is a protocol buffer. The fields that decide ids are few (`sentencepiece_model.proto`), so they are read
here by their numbers: the library does not tell which pieces are user-defined, nor how white space is treated.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

UNIGRAM, BPE = 1, 2
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = 1, 2, 3, 4, 5, 6
SPACE_MARK = "\u2581"

_MOST_CHARS = 0xFFFF  # different ones in all pieces: they are numbered in 16 bits
_MOST_PIECE_BYTES = 1000
_MOST_WITHIN = 64  # user-defined symbols that begin another: the library looks at no more


class Pieces(NamedTuple):
    """texts   bytes of each piece, as in the file: a space is U+2581
    scores  (V,) float32
    kinds   (V,) uint8: NORMAL, UNKNOWN, …
    model   UNIGRAM, BPE, or another kind that is not computed here
    charsmap                 text is changed before it is looked up
    add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces, whitespace_as_suffix, byte_fallback"""

    texts: list[bytes]
    scores: np.ndarray
    kinds: np.ndarray
    model: int
    charsmap: bool
    add_dummy_prefix: bool
    remove_extra_whitespaces: bool
    escape_whitespaces: bool
    whitespace_as_suffix: bool
    byte_fallback: bool


def read(model: bytes) -> Pieces:
    """ValueError where the bytes are no protocol buffer."""
    texts, scores, kinds = [], [], []
    trainer: dict[int, object] = {}
    normalizer: dict[int, object] = {}
    for number, value in _fields(model):
        if number == 1:
            piece = dict(_fields(_bytes(value)))
            texts.append(_bytes(piece.get(1, b"")))
            scores.append(struct.unpack("<f", _bytes(piece.get(2, b"\0\0\0\0")))[0])
            kinds.append(piece.get(3, NORMAL))
        elif number == 2:
            trainer |= dict(_fields(_bytes(value)))
        elif number == 3:
            normalizer |= dict(_fields(_bytes(value)))
    return Pieces(
        texts=texts,
        scores=np.array(scores, np.float32),
        kinds=np.array(kinds, np.uint8),
        model=int(trainer.get(3, UNIGRAM)),  # type: ignore[call-overload]
        charsmap=normalizer.get(2, b"") != b"",
        add_dummy_prefix=bool(normalizer.get(3, True)),
        remove_extra_whitespaces=bool(normalizer.get(4, True)),
        escape_whitespaces=bool(normalizer.get(5, True)),
        whitespace_as_suffix=bool(trainer.get(24, False)),
        byte_fallback=bool(trainer.get(35, False)),
    )


def why_not(pieces: Pieces) -> str:
    """Why the ids of this model are left to the library; "" where `stages/segments.py` gives the same ones."""
    own = [text for text, kind in zip(pieces.texts, pieces.kinds, strict=True) if kind == USER_DEFINED]
    symbols = set(own)
    usable = [
        text
        for text, kind in zip(pieces.texts, pieces.kinds, strict=True)
        if kind in (NORMAL, USER_DEFINED) and pieces.model in (UNIGRAM, BPE)
    ]
    chars = {char for text in usable for char in text.decode(errors="replace")}
    reasons = [
        (pieces.model not in (UNIGRAM, BPE), f"its kind, {pieces.model}, is not unigram (1) or BPE (2)"),
        (pieces.charsmap, "its normalisation changes the text"),
        (not pieces.escape_whitespaces, "it leaves spaces as they are (escape_whitespaces = false)"),
        (int((pieces.kinds == UNKNOWN).sum()) != 1, "it has no unknown piece, or several"),
        (pieces.model == BPE and bool((pieces.kinds == UNUSED).any()), "unused pieces of BPE are taken apart again"),
        (not np.isfinite(pieces.scores).all(), "a score is not finite"),
        (len(set(pieces.texts)) != len(pieces.texts), "two pieces are equal"),
        (not usable, "it has no piece that a text could hold"),
        (len(chars) >= _MOST_CHARS, f"its pieces hold {len(chars):,} characters; at most {_MOST_CHARS - 1:,}"),
        (max(map(len, pieces.texts), default=0) > _MOST_PIECE_BYTES, f"a piece is over {_MOST_PIECE_BYTES} bytes long"),
        (not all(map(_is_text, usable)), "a piece is not UTF-8, or holds a NUL"),
        (any(_within(text, symbols) > _MOST_WITHIN for text in own), "its user-defined symbols begin one another"),
        (
            pieces.remove_extra_whitespaces and any(b" " in text or SPACE_MARK.encode() in text for text in own),
            "white space is taken out, but not of user-defined symbols",
        ),
        (
            pieces.byte_fallback and int((pieces.kinds == BYTE).sum()) != 256,
            "not every byte has a piece",
        ),
    ]
    return next((reason for holds, reason in reasons if holds), "")


def byte_ids(pieces: Pieces) -> np.ndarray:
    """(256,) int32: the piece of each byte, -1 without byte fallback."""
    found = np.full(256, -1, np.int32)
    if pieces.byte_fallback:
        for number in np.flatnonzero(pieces.kinds == BYTE):
            found[int(pieces.texts[number][3:5], 16)] = number
    return found


def piece_scores(pieces: Pieces) -> tuple[np.ndarray, np.float32]:
    """What each piece adds to a path of unigrams ((V,) float32), and an unknown character: `unigram_model.cc` of
    sentencepiece 0.2.3, `GetUserDefinedScore`, whose length is in bytes, and `kUnkPenalty`."""
    scores = pieces.scores.copy()
    for number in np.flatnonzero(pieces.kinds == USER_DEFINED):
        scores[number] = np.float32(0.1 * (len(pieces.texts[number]) - 1))
    normal = pieces.scores[pieces.kinds == NORMAL]
    lowest = normal.min() if normal.size else np.finfo(np.float32).max
    return scores, np.float32(lowest - np.float32(10))


def _is_text(text: bytes) -> bool:
    try:
        return "\0" not in text.decode() and text != b""
    except UnicodeDecodeError:
        return False


def _within(text: bytes, symbols: set[bytes]) -> int:
    return sum(text[:size] in symbols for size in range(1, len(text) + 1))


def _bytes(value: object) -> bytes:
    if not isinstance(value, bytes):
        raise ValueError("a field of the model has another type than it should")
    return value


def _fields(message: bytes) -> Iterator[tuple[int, object]]:
    """Number and value of each field: an int, or the bytes of all that is longer."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        if key & 7 == 0:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        size = {1: 8, 5: 4}.get(key & 7)
        if key & 7 == 2:
            size, at = _varint(message, at)
        if size is None or at + size > len(message):
            raise ValueError("not a protocol buffer")
        yield key >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError("not a protocol buffer")
