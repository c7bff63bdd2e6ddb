"""What a classifier of texts is trained on: a TOML file that names sources, each with the class of its documents.

    name = "zh-quality"
    good = "high"                  # the class that is kept: cutoffs are reckoned by its losses. Default: that of the
                                   # first source
    held_out_share = 0.1           # of the documents, by a hash of what the model sees of them
    [[source]]                     # as in a manifest of a corpus, and
    name   = "encyclopedia"
    class  = "high"
    format = "jsonl"               # pile | jsonl | warc | wet | parquet | text
    files  = ["encyclopedia/*.jsonl.zst"]
    max_documents = 50_000         # those with the lowest hashes
    weight = 2                     # times that the trainer sees each of them in a pass
    [[source]]
    name   = "forum"
    class  = "high"
    held_out = true                # the whole of it: measured, never trained on
    ...
    [class.high]
    max_documents = 100_000        # over its sources
    [model]
    word_ngrams = 2

Paths of files are not part of what is trained: their content is.
"""

import re
from pathlib import Path
from typing import Any

import msgspec

from corpus.errors import RecipeError
from corpus.recipe import (
    Source,
    by_kind,
    check_fields,
    convert,
    field_names,
    make_reader,
    nearest,
    read_sources,
    read_toml,
)
from corpus.stage import Reader

MOST_NGRAM = 8  # that the stage `quality` reads
_NAME = re.compile(r"[a-z0-9-]+\Z")
_CLASS = re.compile(r"[a-z][a-z0-9_]*\Z")


class Examples(Source, frozen=True, kw_only=True, rename={"of": "class"}):
    """A source whose documents are all of one class."""

    of: str
    max_documents: int = 50_000
    weight: int = 1
    held_out: bool = False


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of fastText. Vectors of 16 numbers are added at once by the kernel that scores; 2**18 buckets of them
    are 16 MB. A token must occur `min_count` times to have a vector of its own; runs of tokens need not."""

    dim: int = 16
    word_ngrams: int = 2
    buckets: int = 1 << 18
    min_count: int = 2
    epochs: int = 5
    learning_rate: float = 0.5
    loss: str = "softmax"


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`max_documents` of a class, over all of its sources that are trained on."""

    max_documents: int = 1 << 40


class Classes(msgspec.Struct, frozen=True):
    """The file as the program sees it. `names`: the classes, in the order in which sources name them."""

    path: Path
    name: str
    seed: int
    good: str
    held_out_share: float
    good_loss: float
    sources: tuple[Examples, ...]
    readers: dict[str, Reader]
    names: tuple[str, ...]
    limits: dict[str, Limits]
    model: Model


_FIELDS = ("name", "about", "seed", "good", "held_out_share", "good_loss", "source", "class", "model")


def load(path: Path, readers: Any, roots: dict[str, str] | None = None) -> Classes:
    """Decode the file; `readers` is the closed union of readers, `roots` overrides the roots of sources by name.
    RecipeError on anything wrong."""
    raw = read_toml(path)
    check_fields(path, raw, _FIELDS)
    kinds = by_kind(readers)
    sources: tuple[Examples, ...] = read_sources(path, raw, kinds, roots or {}, Examples)
    made = {source.name: make_reader(path, i, source, kinds, raw) for i, source in enumerate(sources)}
    names = tuple(dict.fromkeys(source.of for source in sources))
    limits = {
        name: convert(path, f"$.class.{name}", table, Limits, field_names(Limits), raw)
        for name, table in raw.get("class", {}).items()
    }
    found = Classes(
        path,
        raw.get("name", path.stem),
        raw.get("seed", 0),
        raw.get("good", names[0]),
        raw.get("held_out_share", 0.1),
        raw.get("good_loss", 0.01),
        sources,
        made,
        names,
        limits,
        convert(path, "$.model", raw.get("model", {}), Model, field_names(Model), raw),
    )
    _check(found)
    return found


def _check(found: Classes) -> None:
    where = f"{found.path}: $"
    if not isinstance(found.name, str) or not _NAME.match(found.name):
        raise RecipeError(f"{where}.name: got {found.name!r}. Expected lower-case letters, digits and hyphens.")
    if not isinstance(found.seed, int) or not 0 <= found.seed < 2**31:
        raise RecipeError(f"{where}.seed: got {found.seed!r}. Expected a whole number between 0 and 2**31 - 1.")
    for name in ("held_out_share", "good_loss"):
        value = getattr(found, name)
        if not isinstance(value, float) or not 0 < value < 1:
            raise RecipeError(f"{where}.{name}: got {value!r}. Expected a number between 0 and 1.")
    for i, source in enumerate(found.sources):
        if not _CLASS.match(source.of):
            raise RecipeError(
                f"{where}.source[{i}].class: got {source.of!r}. Expected lower-case letters, digits and underscores."
            )
        for name in ("max_documents", "weight"):
            if getattr(source, name) < 1:
                raise RecipeError(f"{where}.source[{i}].{name}: got {getattr(source, name)}. Expected 1 or more.")
    if len(found.names) < 2:
        raise RecipeError(f"{where}.source: all sources are of class {found.names[0]!r}. A classifier needs two.")
    if found.good not in found.names:
        advice = nearest(str(found.good), list(found.names))
        raise RecipeError(f"{where}.good: got {found.good!r}: no source is of it. {advice}")
    for name, limit in found.limits.items():
        if name not in found.names:
            raise RecipeError(f"{where}.class.{name}: no source is of it. {nearest(name, list(found.names))}")
        if limit.max_documents < 1:
            raise RecipeError(f"{where}.class.{name}.max_documents: got {limit.max_documents}. Expected 1 or more.")
    if found.model.loss not in ("softmax", "hs"):
        raise RecipeError(f"{where}.model.loss: got {found.model.loss!r}. Expected `softmax` or `hs`.")
    for name in ("dim", "word_ngrams", "buckets", "min_count", "epochs"):
        if getattr(found.model, name) < 1:
            raise RecipeError(f"{where}.model.{name}: got {getattr(found.model, name)}. Expected 1 or more.")
    if found.model.word_ngrams > MOST_NGRAM:
        raise RecipeError(f"{where}.model.word_ngrams: got {found.model.word_ngrams}. Expected at most {MOST_NGRAM}.")
    if found.model.learning_rate <= 0:
        raise RecipeError(f"{where}.model.learning_rate: got {found.model.learning_rate}. Expected more than 0.")
