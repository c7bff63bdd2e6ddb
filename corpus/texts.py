"""What an n-gram model is trained on: a TOML file that names sources of good text.

    name = "zh-en"
    held_out_share = 0.05          # of the documents, by a hash of their text: measured, never learned from
    [[source]]                     # as in a manifest of a corpus, and
    name   = "encyclopedia"
    format = "jsonl"               # pile | jsonl | warc | wet | parquet | text
    files  = ["encyclopedia/*.jsonl.zst"]
    max_documents = 50_000         # those with the lowest hashes
    [[source]]
    name   = "forum"
    held_out = true                # the whole of it
    ...
    [model]
    order = 3
    max_ngrams = 4_000_000         # 11 bytes each

Paths of files are not part of what is trained: their content is.
"""

from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import RecipeError
from corpus.ngram_file import MOST_ORDER
from corpus.recipe import Source, by_kind, check_fields, convert, field_names, make_reader, read_sources, read_toml
from corpus.stage import Reader


class Text(Source, frozen=True, kw_only=True):
    """A source of good text."""

    max_documents: int = 50_000
    held_out: bool = False


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`order`: units of the longest n-grams. `max_ngrams`: kept, of all lengths. `max_units`: learned from; where there
    are more, documents with the lowest hashes."""

    order: int = 3
    max_ngrams: int = 4_000_000
    max_units: int = 1 << 25


class Texts(msgspec.Struct, frozen=True):
    """The file as the program sees it."""

    path: Path
    name: str
    seed: int
    held_out_share: float
    sources: tuple[Text, ...]
    readers: dict[str, Reader]
    model: Model


_FIELDS = ("name", "about", "seed", "held_out_share", "source", "model")


def load(path: Path, readers: Any, roots: dict[str, str] | None = None) -> Texts:
    """Decode the file; `readers` is the closed union of readers, `roots` overrides the roots of sources by name.
    RecipeError on anything wrong."""
    raw = read_toml(path)
    check_fields(path, raw, _FIELDS)
    kinds = by_kind(readers)
    sources: tuple[Text, ...] = read_sources(path, raw, kinds, roots or {}, Text)
    made = {source.name: make_reader(path, i, source, kinds, raw) for i, source in enumerate(sources)}
    model = convert(path, "$.model", raw.get("model", {}), Model, field_names(Model), raw)
    found = Texts(
        path, raw.get("name", path.stem), raw.get("seed", 0), raw.get("held_out_share", 0.05), sources, made, model
    )
    _check(found)
    return found


def _check(found: Texts) -> None:
    where = f"{found.path}: $"
    if not isinstance(found.name, str) or not found.name:
        raise RecipeError(f"{where}.name: got {found.name!r}. Expected a name.")
    if not isinstance(found.seed, int) or not 0 <= found.seed < 2**31:
        raise RecipeError(f"{where}.seed: got {found.seed!r}. Expected a whole number between 0 and 2**31 - 1.")
    if not isinstance(found.held_out_share, float) or not 0 < found.held_out_share < 1:
        raise RecipeError(f"{where}.held_out_share: got {found.held_out_share!r}. Expected a number between 0 and 1.")
    for i, source in enumerate(found.sources):
        if source.max_documents < 1:
            raise RecipeError(f"{where}.source[{i}].max_documents: got {source.max_documents}. Expected 1 or more.")
    if all(source.held_out for source in found.sources):
        raise RecipeError(f"{where}.source: all sources are held out. A model needs one to learn from.")
    if not 2 <= found.model.order <= MOST_ORDER:
        raise RecipeError(f"{where}.model.order: got {found.model.order}. Expected 2 to {MOST_ORDER}.")
    for name in ("max_ngrams", "max_units"):
        if getattr(found.model, name) < 1:
            raise RecipeError(f"{where}.model.{name}: got {getattr(found.model, name)}. Expected 1 or more.")
