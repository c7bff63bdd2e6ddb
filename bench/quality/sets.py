"""The texts: good ones by source, and labelled ones. Development data as `--data` holds it."""

from collections.abc import Iterable
from pathlib import Path

from bench.quality.bad import LEAST_CHARS, digest
from bench.spam.planting import records

FOLDERS = {"zh": "zh", "en": "pile"}
NOT_PROSE = ("github", "dm_mathematics")
MOST_TEXTS = 300  # of a source
PIECE_CHARS = 6000
BOOK_CHARS = 60_000


def good(data: Path, language: str, most: int = MOST_TEXTS) -> dict[str, list[str]]:
    """Texts by source, those of the lowest digests, of 100 characters or more; of each the first 6,000 characters, but
    books are cut into pieces: a source of few books is one source all the same."""
    found = {}
    for path in sorted((data / FOLDERS[language]).glob("*.jsonl.zst")):
        name = path.name.partition(".")[0].replace("_", "-")
        if name.replace("-", "_") not in NOT_PROSE:
            pieces = (piece for record in records(path) for piece in _pieces(record["text"]))
            found[name] = sorted(set(pieces), key=digest)[:most]
    return found


def _pieces(text: str) -> Iterable[str]:
    last = len(text) if len(text) > BOOK_CHARS else 1
    return (p for at in range(0, last, PIECE_CHARS) if len(p := text[at : at + PIECE_CHARS]) >= LEAST_CHARS)


def folds(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """Every other source, in alphabetical order: what is learned from in one turn is measured on in the other."""
    ordered = sorted(names)
    return ordered[0::2], ordered[1::2]


def labelled(data: Path, name: str, least_chars: int) -> dict[str, list[str]]:
    """Texts by label, each once. Mail without its headers, which name the filters that labelled it."""
    found: dict[str, dict[str, None]] = {}
    for record in records(data / "quality" / f"{name}.jsonl.zst"):
        text = record["text"]
        if name.startswith("email"):
            text = text.partition("\n\n")[2]
        if len(text) >= least_chars:
            found.setdefault((record.get("meta") or record)["label"], {})[text[:PIECE_CHARS]] = None
    return {label: list(texts) for label, texts in found.items()}
