"""Tokenizers of Hugging Face: a `tokenizer.json`, read by the library `tokenizers`.

What is asked of the file is its vocabulary and how text becomes pieces. Marks around a document (its post-processor),
truncation and padding are left out. Marks in a document are text: `encode_special_tokens` says so to the library, for
added tokens that are special. The mark that ends a document is made special where the file forgot to.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from corpus.errors import InputError
from corpus.tokenizer import END_OF_DOCUMENT, joined
from corpus.tokenizer_file import TokenizerFile

_BATCH = 256  # documents handed over at a time


class HuggingFace:
    """A `Tokenizer`. InputError where the library cannot read the file."""

    def __init__(self, file: TokenizerFile, name: str) -> None:
        try:
            from tokenizers import Tokenizer as Library  # an extra, and only for who has such a tokenizer
        except ImportError:
            raise InputError(
                f"tokenizer `{name}` is read by the library tokenizers, which is missing. "
                f"Remedy: pip install 'corpus-compiler[tokenizers]'."
            ) from None
        # One task has one core. Threads of the library change no id, and would take the cores of other tasks.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        self.wanted = file.said.eod
        try:
            told = json.loads(file.data)
            added = [one for one in told.get("added_tokens") or [] if _is_mark(one, self.wanted)]
            for one in added:
                one["special"] = True
            self.library = Library.from_str(json.dumps(told))
        except Exception as error:  # the library raises plain Exception
            raise InputError(f"tokenizer `{name}` is no tokenizer.json that the library can read: {error}") from error
        self.library.encode_special_tokens = True
        self.library.no_truncation()
        self.library.no_padding()
        self.special = {str(one["content"]): int(one["id"]) for one in added}
        self.vocab_size = max(self.library.get_vocab(with_added_tokens=True).values(), default=-1) + 1
        self.bytes_of = _Bytes(told)
        mark = told["model"].get("unk_token")
        self.unknown = None if mark is None or self.bytes_of.every else self.library.token_to_id(mark)
        self.by_library = "a `tokenizer.json` is read by `tokenizers`"

    def encode(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        texts = ["" if text is None else text for text in column.to_pylist()]
        found: list[list[int]] = []
        for at in range(0, len(texts), _BATCH):
            some = self.library.encode_batch_fast(texts[at : at + _BATCH], add_special_tokens=False)
            found += [one.ids for one in some]
        return joined(found)

    def decode(self, ids: Sequence[int]) -> str:
        return str(self.library.decode(list(map(int, ids)), skip_special_tokens=False))

    def pieces(self) -> list[bytes]:
        marks = {*self.special.values(), self.unknown}
        found = [b""] * self.vocab_size
        for piece, number in self.library.get_vocab(with_added_tokens=True).items():
            if number not in marks:
                found[number] = self.bytes_of.piece(piece)
        return found

    def spelled(self) -> np.ndarray:
        out = np.zeros(self.vocab_size, dtype=bool)
        for piece, number in self.library.get_vocab(with_added_tokens=True).items():
            out[number] = self.bytes_of.is_byte(piece)
        return out


def _is_mark(added: dict[str, Any], wanted: str) -> bool:
    return bool(added["special"]) or added["content"] == wanted or added["content"] in END_OF_DOCUMENT


class _Bytes:
    """How pieces of a file stand for bytes: by letters for bytes (GPT-2), by names for bytes beside pieces of text
    with U+2581 for a space (converted SentencePiece), or as they are. `every`: every byte has a piece."""

    def __init__(self, told: dict[str, Any]) -> None:
        kinds = set(_types({name: told.get(name) for name in ("pre_tokenizer", "decoder")}))
        vocabulary = told["model"].get("vocab") or {}
        names = set(vocabulary) if isinstance(vocabulary, dict) else {piece for piece, _ in vocabulary}
        self.letters = _letters() if "ByteLevel" in kinds else None
        self.named = bool(told["model"].get("byte_fallback"))
        self.spaced = bool(kinds & {"Metaspace", "Replace", "ByteFallback"})
        self.every = names.issuperset(self.letters or _NAMES) if self.letters or self.named else False

    def is_byte(self, piece: str) -> bool:
        if self.letters is not None:
            return len(piece) == 1 and self.letters.get(piece, 0) >= 0x80
        return self.named and piece in _NAMES

    def piece(self, piece: str) -> bytes:
        if self.letters is not None and all(letter in self.letters for letter in piece):
            return bytes(self.letters[letter] for letter in piece)
        if self.named and piece in _NAMES:
            return bytes([_NAMES[piece]])
        return (piece.replace("\u2581", " ") if self.spaced else piece).encode()


_NAMES = {f"<0x{byte:02X}>": byte for byte in range(256)}


def _letters() -> dict[str, int]:
    """The letter that GPT-2 writes for each byte: itself where it is printed, else one from U+0100 on."""
    printed = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printed]
    return {chr(byte): byte for byte in printed} | {chr(0x100 + i): byte for i, byte in enumerate(others)}


def _types(value: Any) -> list[str]:
    """Every `type` in a nested description."""
    if isinstance(value, dict):
        own = [str(value["type"])] if "type" in value else []
        return own + [kind for inner in value.values() for kind in _types(inner)]
    return [kind for inner in value for kind in _types(inner)] if isinstance(value, list) else []
