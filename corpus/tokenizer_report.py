"""The report on a tokenizer, before anything is encoded with it: what text costs, what would be lost, what it learned.

Texts are survivors of a build, or documents of files. A tokenizer fails where a text does not come back byte for byte,
where text becomes a mark, or where no mark ends a document.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from corpus.errors import InputError
from corpus.examples import read_documents
from corpus.recipe import Source
from corpus.stage import Reader
from corpus.survivors import Sample, window
from corpus.tokenizer_measure import Figures, Measure, longest, probes, script
from corpus.tokens import optimal_dtype

LONGEST = 40  # pieces that are listed
# Formats of files by how their names end, without what compresses them.
FORMATS = {".jsonl": "jsonl", ".json": "jsonl", ".parquet": "parquet", ".txt": "text", ".md": "text", ".wet": "wet"}
_COMPRESSED = (".zst", ".gz", ".xz", ".bz2")


# -- texts -------------------------------------------------------------------------------------------------------------


def add_sample(measure: Measure, sample: Sample) -> None:
    """Survivors, by source and language."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in sample.chosen:
        groups.setdefault((one.source, one.language), []).append(one.text)
    for (source, language), texts in groups.items():
        measure.add(source, language, texts)


class File(Source, frozen=True, kw_only=True):
    """A file as a source of its own."""

    max_documents: int


class Files(msgspec.Struct, frozen=True):
    seed: int
    readers: dict[str, Reader]


def format_of(path: Path) -> str:
    """ "" where the name of a file does not say what is in it."""
    name = path.name.lower()
    for ending in _COMPRESSED:
        name = name.removesuffix(ending)
    return FORMATS.get(Path(name).suffix, "")


def add_files(
    measure: Measure, places: Iterable[Path], reader_of: Callable[[str], Reader], documents: int, document_bytes: int
) -> None:
    """Of each file `documents` of its documents, those with the lowest hashes, by script. InputError where a file
    cannot be read, or a name does not say how; files of such names in a folder are passed over."""
    for place in places:
        found = sorted(one for one in place.rglob("*") if format_of(one)) if place.is_dir() else [place]
        if not found:
            raise InputError(f"{place}: no file here has a name that ends in {', '.join(FORMATS)}.")
        for path in found:
            kind = format_of(path)
            if not kind:
                raise InputError(f"{path}: what is in it? Names may end in {', '.join(FORMATS)}, and be compressed.")
            name = path.relative_to(place).as_posix() if place.is_dir() else path.name
            source = File(name=name, format=kind, files=(path.name,), root=str(path.parent), max_documents=documents)
            asked = Files(0, {name: reader_of(kind)})
            _, texts = read_documents(asked, source, lambda some: _windows(some, document_bytes))
            groups: dict[str, list[str]] = {}
            for key in sorted(texts):
                text = texts[key].decode()
                groups.setdefault(script(text), []).append(text)
            for language, own in sorted(groups.items()):
                measure.add(name, language, own)


def _windows(texts: pa.Array, document_bytes: int) -> list[bytes]:
    return [window(text, len(text), document_bytes).encode() for text in texts.to_pylist()]


# -- figures -----------------------------------------------------------------------------------------------------------


def figures(measure: Measure, name: str, sha256: str, end: int | InputError) -> dict[str, Any]:
    """The report as plain values. `end` is the id that ends a document, or why there is none."""
    model, found = measure.model, measure.found
    pieces = model.pieces()
    usual = np.array([bool(piece) for piece in pieces], dtype=bool) & ~measure.spelled
    met = found.counts > 0
    total = _sum(found.groups.values())
    report: dict[str, Any] = {
        "tokenizer": name,
        "sha256": sha256,
        "vocab_size": model.vocab_size,
        "dtype": optimal_dtype(model.vocab_size).name,
        "end_of_document": end if isinstance(end, int) else None,
        "by_library": model.by_library,
        "pieces": int(usual.sum()),
        "byte_pieces": int(measure.spelled.sum()),
        "unused_pieces": int((usual & ~met).sum()),
        "all": _told(total),
        "languages": _by(found.groups, 1, "language"),
        "sources": _by(found.groups, 0, "source"),
        "groups": [
            {"source": source, "language": language, **_told(own)} for (source, language), own in found.groups.items()
        ],
        "marks": [
            {"mark": mark, "id": model.special[mark], "times": times, "documents": documents}
            | {"became": int(found.counts[model.special[mark]])}
            for mark, (times, documents) in found.marks.items()
        ],
        "probes": msgspec.to_builtins(probes(model)),
        "differences": msgspec.to_builtins(found.differences),
        "longest_han": msgspec.to_builtins(longest(pieces, found.counts, LONGEST, han=True)),
        "longest": msgspec.to_builtins(longest(pieces, found.counts, LONGEST, han=False)),
    }
    report["failures"] = list(_failures(report, end))
    return report


def _sum(groups: Iterable[Figures]) -> Figures:
    total = Figures()
    for one in groups:
        total.add(one)
    return total


def _by(groups: dict[tuple[str, str], Figures], part: int, name: str) -> list[dict[str, Any]]:
    sums: dict[str, Figures] = {}
    for key, one in groups.items():
        sums.setdefault(key[part], Figures()).add(one)
    ranked = sorted(sums.items(), key=lambda item: (-item[1].text_bytes, item[0]))
    return [{name: value, **_told(own)} for value, own in ranked]


def _told(own: Figures) -> dict[str, Any]:
    """`spelled_share` is of bytes: that share of the text is in no piece."""
    tokens, size = max(1, own.tokens), max(1, own.text_bytes)
    return msgspec.to_builtins(own) | {
        "bytes_per_token": own.text_bytes / tokens,
        "characters_per_token": own.characters / tokens,
        "unknown_share": own.unknown / tokens,
        "spelled_share": own.spelled / size,
    }


def _failures(report: dict[str, Any], end: int | InputError) -> Iterable[str]:
    every = report["all"]
    if every["changed"]:
        yield (
            f"{every['changed']:,} of {every['documents']:,} documents do not come back: {every['lost_bytes']:,} bytes "
            f"lost, {every['gained_bytes']:,} that were not there"
        )
    for probe in report["probes"]:
        if probe["lost"]:
            yield f"does not come back: {probe['what']}"
        if probe["made"]:
            yield f"text becomes a mark: {probe['what']}"
    for one in report["marks"]:
        if one["became"]:
            yield f"text became {one['mark']} {one['became']:,} times"
    if isinstance(end, InputError):
        yield str(end)
