"""Tokenizers of tiktoken: a file of ranks, `base64 rank` on each line, with a pattern and marks from its card.

Nothing is fetched: `tiktoken.get_encoding` would ask the network, so the encoding is made of the file. Text is encoded
by `encode_ordinary`, to which no mark is known.
"""

import base64
import binascii
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from corpus.errors import InputError
from corpus.tokenizer import joined
from corpus.tokenizer_file import TokenizerFile


class Tiktoken:
    """A `Tokenizer`. Every byte has a rank, so every text can be written. InputError on a file or card that says too
    little."""

    unknown = None
    by_library = "ranks are read by tiktoken"

    def __init__(self, file: TokenizerFile, name: str) -> None:
        import tiktoken  # an extra, and only for who has such a tokenizer

        said = file.said
        if not said.pattern:
            raise InputError(
                f"tokenizer `{name}`: ranks of tiktoken do not say how text is cut. Name their folder, with a "
                f'card.toml: model = "….tiktoken", and [encode] with `pattern`, `special` and `eod`.'
            )
        self.ranks = _ranks(file.data, name)
        self.special, self.wanted = dict(said.special), said.eod
        taken = set(self.ranks.values())
        for mark, number in self.special.items():
            if number in taken or number < 0:
                raise InputError(f"tokenizer `{name}`: its card gives {mark} the id {number}, which is that of a rank.")
            taken.add(number)
        self.vocab_size = max(taken) + 1
        try:
            self.encoding = tiktoken.Encoding(
                name, pat_str=said.pattern, mergeable_ranks=self.ranks, special_tokens=self.special
            )
        except ValueError as error:
            raise InputError(f"tokenizer `{name}`: its card's pattern cannot be used: {error}") from error

    def encode(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        return joined([self.encoding.encode_ordinary(text) if text else [] for text in column.to_pylist()])

    def decode(self, ids: Sequence[int]) -> str:
        return self.encoding.decode_bytes(list(map(int, ids))).decode(errors="replace")

    def pieces(self) -> list[bytes]:
        found = [b""] * self.vocab_size
        for piece, number in self.ranks.items():
            found[number] = piece
        return found

    def spelled(self) -> np.ndarray:
        return np.array([len(piece) == 1 and piece[0] >= 0x80 for piece in self.pieces()], dtype=bool)


def _ranks(data: bytes, name: str) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        if not line:
            continue
        piece, _, rank = line.partition(b" ")
        try:
            ranks[base64.b64decode(piece, validate=True)] = int(rank)
        except (binascii.Error, ValueError) as error:
            raise InputError(f"tokenizer `{name}`: line {number} is no `base64 rank`: {line[:60]!r}") from error
    if len(set(ranks.values())) != len(ranks):
        raise InputError(f"tokenizer `{name}`: two of its pieces have the same rank.")
    missing = [byte for byte in range(256) if bytes([byte]) not in ranks]
    if missing:
        raise InputError(
            f"tokenizer `{name}`: {len(missing)} bytes have no rank, the first of them {missing[0]:#04x}, so there is "
            f"text that it cannot write."
        )
    return ranks
