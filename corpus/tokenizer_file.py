"""A tokenizer as one asset: its file, what a card beside it adds, and the library that will read it.

A SentencePiece model says everything itself, and its bytes are the asset. The others do not: a list of tiktoken ranks
says neither how text is cut before merging nor which ids are marks, a `tokenizer.json` does not say which of its marks
ends a document, and both give other ids when their library changes. So the asset is then a line of JSON with the file
behind it; its digest covers all of that, and nothing else of the card. The table of a card that counts:

    model = "cl100k_base.tiktoken"

    [encode]
    eod     = "<|endoftext|>"                  # the mark that ends a document
    pattern = '''…'''                          # tiktoken: what is merged on its own
    special = { "<|endoftext|>" = 100257 }     # tiktoken: marks and their ids
"""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import InputError

CARD = "card.toml"
SENTENCEPIECE, HUGGING_FACE, TIKTOKEN = "sentencepiece", "tokenizers", "tiktoken"
_HEAD = b"corpus-tokenizer 1 "
_EXTRA = "Remedy: pip install 'corpus-compiler[tokenizers]'"


class Said(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The table `[encode]` of a card: what the file itself does not say."""

    eod: str = ""
    pattern: str = ""
    special: dict[str, int] = {}


class TokenizerFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """`library`: the distribution that reads `data`, and its version; none for SentencePiece, whose stage names it."""

    library: str
    version: str = ""
    said: Said = Said()
    data: bytes = b""


def model_in(folder: Path) -> Path | None:
    """The file that the folder of a tokenizer stands for: the `model` of its card, else the one with a usual name.
    InputError where the card names no file of the folder."""
    card = _card(folder)
    if "model" in card:
        name = card["model"]
        if not isinstance(name, str) or Path(name).name != name or not (folder / name).is_file():
            raise InputError(f"{folder / CARD}: model: got {name!r}. Expected the name of a file beside the card.")
        return folder / name
    usual = (folder / name for name in ("tokenizer.model", "tokenizer.json"))
    return next((path for path in usual if path.is_file()), None)


def asset(path: Path) -> bytes:
    """What the asset at `path` consists of: the bytes of the file, unless it is a tokenizer that needs more than them.
    InputError on a card that cannot be used, and where the library that reads the tokenizer is not installed."""
    data = path.read_bytes()
    library = _library_of(path)
    if not library:
        return data
    said = _said(path)
    if library == SENTENCEPIECE:
        return data if said == Said() else _joined(TokenizerFile(library, said=said), data)
    return _joined(TokenizerFile(library, _version(library, path), said), data)


def parts(data: bytes, name: str) -> TokenizerFile:
    """The parts of an asset. A file as it is will do, without what a card would add. InputError where the library of
    this machine is not the one that the asset was made for."""
    if not data.startswith(_HEAD):
        return TokenizerFile(HUGGING_FACE if data.lstrip()[:1] == b"{" else SENTENCEPIECE, data=data)
    head, _, body = data[len(_HEAD) :].partition(b"\n")
    found = msgspec.json.decode(head, type=TokenizerFile)
    if found.version and _version(found.library, name) != found.version:
        raise InputError(
            f"tokenizer `{name}`: the build began with {found.library} {found.version}, here is "
            f"{version(found.library)}. Install the same version everywhere."
        )
    return msgspec.structs.replace(found, data=body)


def _joined(head: TokenizerFile, data: bytes) -> bytes:
    return _HEAD + msgspec.json.encode(head, order="sorted") + b"\n" + data


def _library_of(path: Path) -> str:
    """ "" for an asset that is no tokenizer."""
    if path.suffix == ".tiktoken":
        return TIKTOKEN
    if path.name == "tokenizer.json":
        return HUGGING_FACE
    return SENTENCEPIECE if path.suffix == ".model" and (path.parent / CARD).is_file() else ""


def _version(library: str, of: object) -> str:
    try:
        return version(library)
    except PackageNotFoundError:
        raise InputError(f"tokenizer `{of}` is read by the library {library}, which is missing. {_EXTRA}.") from None


def _card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid TOML: {error}") from None


def _said(path: Path) -> Said:
    card = _card(path.parent)
    if card.get("model", path.name) != path.name:  # the card of another file in the folder
        return Said()
    try:
        return msgspec.convert(card.get("encode", {}), Said)
    except msgspec.ValidationError as error:
        raise InputError(f"{path.parent / CARD}: [encode]: {error}") from None
