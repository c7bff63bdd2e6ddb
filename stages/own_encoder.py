"""SentencePiece's ids without the library, for models of which that is proved (decision 19), else not at all.

`open_pieces` says whether: `why_not` of the model is "". White space is prepared as the model asks, then
`stages/segments.py` does the work. Two kinds of text go to the library all the same, for it treats them in ways of its
own: what is not UTF-8, and U+2581 where the model takes white space out.
"""

from importlib.metadata import version

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sentencepiece import SentencePieceProcessor

from stages import pieces
from stages.characters import utf8
from stages.known_segments import known
from stages.piece_tables import build
from stages.segments import ROOM, encode_texts, scratch
from stages.unigram import BEST_CHARS

PROVED = ("0.2.3",)  # versions of the library whose source was read for what is done here
CELLS = 1 << 16  # segments that are remembered: 4 MB
# Texts encoded at a time: their ids, or their copies for the library, are all that is held beside the result.
BATCH_BYTES = 4 << 20


def open_pieces(model: bytes) -> "OwnEncoder | None":
    """None where the ids of this model are left to the library; `why_not(model)` says why."""
    found, reason = _read(model)
    return OwnEncoder(model, found) if found is not None and not reason else None


def why_not(model: bytes) -> str:
    """Why the ids of a model are left to the library; "" where they are not."""
    return _read(model)[1]


def _read(model: bytes) -> tuple[pieces.Pieces | None, str]:
    if version("sentencepiece") not in PROVED:
        return None, f"sentencepiece {version('sentencepiece')} may give other ids than {', '.join(PROVED)}"
    try:
        found = pieces.read(model)
    except ValueError as error:
        return None, str(error)
    return found, pieces.why_not(found)


class OwnEncoder:
    """Encodes one text after the other; what it remembers changes the time, not the ids. Not for several threads."""

    def __init__(self, model: bytes, found: pieces.Pieces | None = None, cells: int = CELLS) -> None:
        """`model`: one for which `why_not` says nothing; `found`: what `pieces.read` gives for it."""
        self.model = model
        self.pieces = pieces.read(model) if found is None else found
        self.unigram = self.pieces.model == pieces.UNIGRAM
        self.tables, self.merges = build(self.pieces)
        self.known = known(cells)
        self.scratch = scratch(BEST_CHARS, self.tables, self.unigram)
        space_is_known = self.tables.alone[self.tables.code_of[ord(" ")]] >= 0
        self.most_ids = 1 if space_is_known else 3  # of a byte

    def encode(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """n texts -> ids of all of them one after the other ((tokens,) int32), and how many each has ((n,) int64).
        A null counts as an empty text."""
        marked = pc.match_substring(column, pieces.SPACE_MARK)
        if pc.any(marked).as_py():
            if self.pieces.remove_extra_whitespaces:
                return self._by_the_library(column)
            column = pc.replace_substring(column, pieces.SPACE_MARK, " ")
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            return self._by_the_library(column)
        return self._encode(self._spaced(column))

    def _encode(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        data, bounds = utf8(column)
        data.flags.writeable = bounds.flags.writeable = False  # other flags would be another kernel to compile
        counts = np.zeros(len(column), np.int64)
        parts = [np.zeros(0, np.int32)]
        out = np.zeros(0, np.int32)
        first = 0
        while first < len(column):
            last = _batch_end(bounds, first)
            room = self.most_ids * int(bounds[last] - bounds[first]) + ROOM
            if len(out) < room:
                out = np.empty(room, np.int32)
            done = total = 0
            while done < last - first:
                own = bounds[first : last + 1]
                done, total, needs = encode_texts(
                    *(data, own, done, self.tables, self.merges, self.unigram),
                    *(self.known, self.scratch, out, counts[first:last], total),
                )
                if needs:
                    self.scratch = scratch(needs, self.tables, self.unigram)
            if len(self.scratch.codes) > BATCH_BYTES:
                self.scratch = scratch(BEST_CHARS, self.tables, self.unigram)
            parts.append(out[:total].copy())
            first = last
        return np.concatenate(parts), counts

    def _spaced(self, column: pa.Array) -> pa.Array:
        """Texts with their white space as the model wants it, spaces being spaces still."""
        if self.pieces.remove_extra_whitespaces:
            column = pc.replace_substring_regex(pc.ascii_trim(column, " "), "  +", " ")
        if self.pieces.add_dummy_prefix:
            ends = ["", " "] if self.pieces.whitespace_as_suffix else [" ", ""]
            filled = pc.binary_join_element_wise(ends[0], column, ends[1], "")
            column = pc.if_else(pc.equal(pc.binary_length(column), 0), column, filled)
        return column

    def _by_the_library(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        processor = SentencePieceProcessor()
        processor.LoadFromSerializedProto(self.model)
        return by_library(column, processor)


def by_library(column: pa.Array, processor: SentencePieceProcessor) -> tuple[np.ndarray, np.ndarray]:
    """What `OwnEncoder.encode` gives, from the library."""
    data, bounds = utf8(column)
    view = memoryview(data)
    parts = [np.zeros(0, np.int32)]
    counts = np.zeros(len(column), np.int64)
    first = 0
    while first < len(column):
        last = _batch_end(bounds, first)
        texts = [bytes(view[a:b]) for a, b in zip(bounds[first:last], bounds[first + 1 : last + 1], strict=True)]
        found = processor.encode(texts, out_type="numpy", num_threads=1)
        counts[first:last] = [len(ids) for ids in found]
        parts.append(np.concatenate(found))
        first = last
    return np.concatenate(parts), counts


def _batch_end(bounds: np.ndarray, first: int) -> int:
    """All texts from `first` on that fit into a batch of bytes, at least one."""
    last = int(np.searchsorted(bounds, int(bounds[first]) + BATCH_BYTES, side="right")) - 1
    return min(max(last, first + 1), len(bounds) - 1)
