"""What the program asks of a tokenizer, whichever library reads it."""

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from corpus.errors import InputError

# Marks that end a document in tokenizers of the field, the likeliest first. A card overrules them.
END_OF_DOCUMENT = (
    "<eod>",
    "<|endoftext|>",
    "<|end_of_text|>",
    "<|endofdoc|>",
    "<｜end▁of▁sentence｜>",
    "<EOT>",
    "</s>",
    "<eos>",
    "<|eos|>",
)


class Tokenizer(Protocol):
    """Text to ids, as one of the libraries does it.

    vocab_size  ids lie in [0, vocab_size); some may stand for nothing
    special     marks that stand for no text, by the text that names them: a document that spells one out is encoded
                as any other text
    wanted      of these, the one that ends a document as a card has it; empty where none does
    unknown     id of what cannot be written, None where everything can
    by_library  why ids come from the library, several times slower; empty where they are computed here
    """

    vocab_size: int
    special: dict[str, int]
    wanted: str
    unknown: int | None
    by_library: str

    def encode(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """n texts -> ids of all of them one after the other ((tokens,) int32), how many each has ((n,) int64)."""
        ...

    def decode(self, ids: Sequence[int]) -> str:
        """The text that ids of a whole document stand for."""
        ...

    def pieces(self) -> list[bytes]:
        """What each id stands for: vocab_size values, empty for marks and for ids that stand for nothing."""
        ...

    def spelled(self) -> np.ndarray:
        """bool[vocab_size]: ids of single bytes, with which text is spelled that is in no piece."""
        ...


def end_of_document(model: Tokenizer, name: str) -> int:
    """Id that ends a document. InputError where there is none, or where text that spells the mark becomes it."""
    mark = _mark(model, name)
    found, _ = model.encode(pa.array([mark]))
    if model.special[mark] in found:
        raise InputError(
            f"tokenizer `{name}`: a document that spells out {mark} would be taken for its own end, for the mark is a "
            f'piece of text there. Make it a control symbol, or name another in a card.toml: [encode] eod = "…"'
        )
    return model.special[mark]


def _mark(model: Tokenizer, name: str) -> str:
    if model.wanted:
        if model.wanted not in model.special:
            raise InputError(
                f"tokenizer `{name}`: its card says eod = {model.wanted!r}, which is none of its marks: "
                f"{_listed(model.special)}."
            )
        return model.wanted
    for mark in END_OF_DOCUMENT:
        if mark in model.special:
            return mark
    raise InputError(
        f"tokenizer `{name}` has no end of document: none of its marks ({_listed(model.special)}) has a well-known "
        f'name. Name one in a card.toml beside it: [encode] eod = "…"'
    )


def _listed(marks: Iterable[str]) -> str:
    some = sorted(marks)
    return (", ".join(some[:12]) + (", …" if some[12:] else "")) or "it has none"


def joined(found: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Ids of each text -> as `Tokenizer.encode` gives them."""
    counts = np.fromiter(map(len, found), np.int64, len(found))
    return np.concatenate([np.zeros(0, np.int32), *(np.asarray(ids, np.int32) for ids in found)]), counts
