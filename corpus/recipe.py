"""The dataset manifest: a TOML file, decoded into frozen structs, wrong fields named with file, path and remedy.

What the file says is identity; where data lies (`root`) and how it is run are not.
"""

import difflib
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import msgspec
import pyarrow as pa

from corpus.errors import RecipeError
from corpus.mixture import Mixture
from corpus.stage import Reader, Stage
from corpus.tokenizer_training import Training

_NAME = re.compile(r"[a-z0-9-]+\Z")
_CLUSTER = re.compile(r"[0-9a-f]{32}\Z")


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where documents come from. `root` is a run-time value: moving the data changes nothing."""

    name: str
    format: str
    files: tuple[str, ...]
    root: str = "."
    exclude: tuple[str, ...] = ()
    subset: str = ""
    snapshot: str = ""
    licence: str = ""
    priority: int = 100  # who survives when a duplicate spans sources: the lowest
    max_lost_share: float = 0.05  # of its bytes and of its records, before the build stops
    read: dict[str, Any] = {}  # parameters of the reader


class Quarantine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record that killed its worker twice, left out by name."""

    source: str
    path: str
    record: int
    reason: str = "killed_worker"


class Remove(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must not be in the build: see `removal.py`."""

    list: str
    salt: str = ""  # of the hashes that the list is kept as; default: the seed


class Recipe(msgspec.Struct, frozen=True):
    """A manifest as the rest of the program sees it."""

    path: Path
    name: str
    seed: int
    sources: tuple[Source, ...]
    readers: dict[str, Reader]  # by source name
    stages: tuple[Stage, ...]
    mixture: Mixture
    quarantine: tuple[Quarantine, ...]
    remove: Remove | None = None
    training: Training = Training()  # of a tokenizer

    def chain(self, source: str) -> tuple[Stage, ...]:
        """Stages that a source goes through, its reader first."""
        own = (stage for stage in self.stages if not stage.only or source in stage.only)
        return (self.readers[source], *(stage.for_source(source) for stage in own))


def nearest(got: str, valid: list[str]) -> str:
    close = difflib.get_close_matches(got, valid, n=1, cutoff=0.5)
    return f"Did you mean `{close[0]}`?" if close else f"Valid names: {', '.join(sorted(valid))}."


def _at(data: Any, path: str) -> Any:
    """Value at a msgspec path such as `$.stage[2].min_score`, or None."""
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", path):
        try:
            data = data[name] if name else data[int(index)]
        except (KeyError, IndexError, TypeError, ValueError):
            return None
    return data


def convert(where: Path, base: str, data: Any, shape: Any, names: list[str], raw: Any) -> Any:
    try:
        return msgspec.convert(data, shape, strict=True)
    except msgspec.ValidationError as error:
        message = str(error)
        text, _, path = message.partition(" - at `")
        path = base + path.rstrip("`").removeprefix("$")
        unknown = re.match(r"Object contains unknown field `(.*)`", text)
        if unknown:
            name = unknown.group(1)
            inner = _names_at(shape, path.removeprefix(base)) or names
            raise RecipeError(f"{where}: {path}.{name}: no such field. {nearest(name, inner)}") from None
        missing = re.match(r"Object missing required field `(.*)`", text)
        if missing:
            raise RecipeError(f"{where}: {path}.{missing.group(1)}: this field is required and is missing.") from None
        value = _at(raw, path)
        raise RecipeError(f"{where}: {path}: got {value!r}. {text}.") from None
    except RecipeError as error:  # raised by a stage's own check of its parameters
        raise RecipeError(f"{where}: {base}{error}") from None


def _names_at(shape: Any, path: str) -> list[str]:
    """Fields of the struct at a msgspec path inside `shape`; none where no struct is there."""
    kind: Any = msgspec.inspect.type_info(shape)
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+|\.\.\.)\]", path):
        if index and name == "":
            kind = getattr(kind, "item_type", None) or getattr(kind, "value_type", None)
        else:
            fields = {field.encode_name: field.type for field in getattr(kind, "fields", ())}
            kind = fields.get(name) or getattr(kind, "value_type", None)
    return [field.encode_name for field in getattr(kind, "fields", ())] if path else []


def field_names(shape: type) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(shape)]


def _stage(where: Path, base: str, table: Any, kinds: dict[str, type[Stage]], raw: Any) -> Any:
    if not isinstance(table, dict):
        raise RecipeError(f"{where}: {base}: got {table!r}. Expected a table with a `kind`.")
    kind = table.get("kind")
    if kind is None:
        raise RecipeError(f"{where}: {base}.kind: this field is required and is missing. {nearest('', list(kinds))}")
    if kind not in kinds:
        raise RecipeError(f"{where}: {base}.kind: got {kind!r}. {nearest(str(kind), list(kinds))}")
    names = list(field_names(kinds[kind]))
    return convert(where, base, table, kinds[kind], names, raw)


def by_kind(union: Any) -> dict[str, type[Stage]]:
    """The stages of a closed union, by their `kind`."""
    members = get_args(union) or (union,)
    return {str(member.__struct_config__.tag): member for member in members}


def read_toml(path: Path) -> dict[str, Any]:
    """RecipeError where there is no such file, or where it is not TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"{path}: there is no such manifest.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from None


def check_fields(path: Path, raw: Mapping[str, Any], known: Sequence[str]) -> None:
    """RecipeError where a file has a field at its top that nothing reads."""
    for field in raw:
        if field not in known:
            raise RecipeError(f"{path}: $.{field}: no such field. {nearest(field, list(known))}")


_FIELDS = ("name", "seed", "source", "stage", "mixture", "quarantine", "remove", "about", "tokenizer")


def load(path: Path, stages: Any, readers: Any, roots: dict[str, str] | None = None) -> Recipe:
    """Decode a manifest. `stages` and `readers` are the closed unions of stage types; `roots` overrides the roots of
    sources by name. Relative roots are taken from the manifest's folder. RecipeError on anything wrong."""
    raw = read_toml(path)
    check_fields(path, raw, _FIELDS)
    name = raw.get("name", path.stem)
    if not isinstance(name, str) or not _NAME.match(name):
        raise RecipeError(f"{path}: $.name: got {name!r}. Expected lower-case letters, digits and hyphens.")
    seed = raw.get("seed", 0)
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise RecipeError(f"{path}: $.seed: got {seed!r}. Expected a whole number between 0 and 2**32 - 1.")
    for field in ("source", "stage", "quarantine"):
        if not isinstance(raw.get(field, []), list):
            raise RecipeError(f"{path}: $.{field}: got a single value. Write [[{field}]], once for each.")
    sources = read_sources(path, raw, by_kind(readers), roots or {})
    kinds = by_kind(stages)
    chain = tuple(_stage(path, f"$.stage[{i}]", table, kinds, raw) for i, table in enumerate(raw.get("stage", [])))
    reader_structs = {s.name: make_reader(path, i, s, by_kind(readers), raw) for i, s in enumerate(sources)}
    quarantine = tuple(
        convert(path, f"$.quarantine[{i}]", table, Quarantine, field_names(Quarantine), raw)
        for i, table in enumerate(raw.get("quarantine", []))
    )
    mixture, remove = _mixture(path, raw, sources), _remove(path, raw, seed)
    training = convert(path, "$.tokenizer", raw.get("tokenizer", {}), Training, field_names(Training), raw)
    if mixture.by_cluster:
        chain = tuple(_with_clusters(stage) for stage in chain)
    recipe = Recipe(path, name, seed, sources, reader_structs, chain, mixture, quarantine, remove, training)
    _check(recipe, kinds)
    return recipe


def read_sources(
    path: Path, raw: Any, readers: dict[str, type[Stage]], roots: dict[str, str], shape: type[Any] = Source
) -> tuple[Any, ...]:
    """The `[[source]]` tables, decoded as `shape`, a `Source`. Relative roots become absolute."""
    tables = raw.get("source", [])
    if not tables:
        raise RecipeError(f"{path}: $.source: no sources. A manifest needs at least one [[source]].")
    sources: list[Any] = []
    for i, table in enumerate(tables):
        source = convert(path, f"$.source[{i}]", table, shape, field_names(shape), raw)
        if not _NAME.match(source.name):
            raise RecipeError(
                f"{path}: $.source[{i}].name: got {source.name!r}. Expected lower-case letters, digits and hyphens."
            )
        if source.name in {s.name for s in sources}:
            raise RecipeError(f"{path}: $.source[{i}].name: {source.name!r} names two sources. Rename one.")
        if source.format not in readers:
            raise RecipeError(
                f"{path}: $.source[{i}].format: got {source.format!r}. {nearest(source.format, list(readers))}"
            )
        for pattern in source.files:
            if pattern.startswith("/") or ".." in pattern.split("/"):
                raise RecipeError(f"{path}: $.source[{i}].files: got {pattern!r}. Patterns are relative to `root`.")
        root = roots.get(source.name, roots.get("*", source.root))
        if "://" not in root and not root.startswith("/"):
            base = path.parent if source.name not in roots and "*" not in roots else Path.cwd()
            root = str((base / root).resolve())
        sources.append(msgspec.structs.replace(source, root=root))
    for name in roots:
        if name != "*" and name not in {s.name for s in sources}:
            raise RecipeError(f"--root {name}=…: no such source. {nearest(name, [s.name for s in sources])}")
    return tuple(sources)


def make_reader(path: Path, i: int, source: Source, readers: dict[str, type[Stage]], raw: Any) -> Any:
    """The reader of the `i`th source, with the parameters that the manifest gives it."""
    kind = readers[source.format]
    table = dict(source.read)
    names = field_names(kind)
    if source.subset:
        if "subset" not in names:
            raise RecipeError(f"{path}: $.source[{i}].subset: format {source.format!r} has no subsets. Remove it.")
        table["subset"] = source.subset
    return convert(path, f"$.source[{i}].read", table | {"kind": source.format}, kind, names, raw)


def _mixture(path: Path, raw: Any, sources: tuple[Source, ...]) -> Mixture:
    table = dict(raw.get("mixture", {}))
    unit = table.pop("unit", "epochs")
    if unit not in ("epochs", "weights"):
        raise RecipeError(f"{path}: $.mixture.unit: got {unit!r}. Expected `epochs` or `weights`.")
    by_cluster, length = table.pop("by_cluster", False), table.pop("pass_tokens", 0)
    if not isinstance(by_cluster, bool):
        raise RecipeError(f"{path}: $.mixture.by_cluster: got {by_cluster!r}. Expected true or false.")
    if isinstance(length, bool) or not isinstance(length, int | float) or not 0 <= length < 2**62 or length % 1:
        raise RecipeError(f"{path}: $.mixture.pass_tokens: got {length!r}. Expected a whole number of tokens.")
    if length and unit != "weights":
        raise RecipeError(f"{path}: $.mixture.pass_tokens: epochs say how long a pass is. Remove it, or give weights.")
    names = [s.name for s in sources]
    for name, value in table.items():
        if name not in names:
            raise RecipeError(f"{path}: $.mixture.{name}: no such source. {nearest(name, names)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise RecipeError(f"{path}: $.mixture.{name}: got {value!r}. Expected a number, 0 or more.")
    if unit == "weights" and (missing := [name for name in names if name not in table]):
        raise RecipeError(
            f"{path}: $.mixture: no weight for {', '.join(missing)}. Give every source one, 0 to leave it out."
        )
    return Mixture(unit, {name: float(value) for name, value in table.items()}, int(length), by_cluster)


def _with_clusters(stage: Stage) -> Stage:
    """A stage that can tell the trainer of clusters does so where the mixture asks."""
    return msgspec.structs.replace(stage, clusters=True) if "clusters" in stage.__struct_fields__ else stage


def _remove(path: Path, raw: Any, seed: int) -> Remove | None:
    if "remove" not in raw:
        return None
    remove = convert(path, "$.remove", raw["remove"], Remove, field_names(Remove), raw)
    place = remove.list
    if "://" not in place and not place.startswith("/"):
        place = str((path.parent / place).resolve())
    return Remove(list=place, salt=remove.salt or str(seed))


def _check(recipe: Recipe, kinds: Mapping[str, type[Stage]]) -> None:
    """Labels are unique, `only` names sources, and every stage finds the columns that it reads."""
    names = [s.name for s in recipe.sources]
    labels: set[str] = {"read"}
    for i, stage in enumerate(recipe.stages):
        where = f"{recipe.path}: $.stage[{i}]"
        if stage.label in labels:
            raise RecipeError(f"{where}.name: two stages are called {stage.label!r}. Give one a `name`.")
        if not _NAME.match(stage.label):
            raise RecipeError(f"{where}.name: got {stage.label!r}. Expected lower-case letters, digits and hyphens.")
        labels.add(stage.label)
        for name in stage.only:
            if name not in names:
                raise RecipeError(f"{where}.only: got {name!r}: no such source. {nearest(name, names)}")
        for name in getattr(stage, "source", ()):
            if name not in names:
                raise RecipeError(f"{where}.source.{name}: no such source. {nearest(name, names)}")
            if stage.only and name not in stage.only:
                raise RecipeError(
                    f"{where}.source.{name}: the stage has `only` without it. Add it there, or remove this."
                )
        for name in getattr(stage, "accept", ()):
            if name not in names and not _CLUSTER.match(name):
                raise RecipeError(
                    f"{where}.accept: got {name!r}: neither a source nor the id of a cluster (32 hexadecimal digits). "
                    f"{nearest(name, names)}"
                )
    for source in recipe.sources:
        _check_columns(recipe, source.name, kinds)
    for item in recipe.quarantine:
        if item.source not in names:
            raise RecipeError(
                f"{recipe.path}: $.quarantine: no such source {item.source!r}. {nearest(item.source, names)}"
            )


def _makers(column: str, kinds: Mapping[str, type[Stage]]) -> str:
    adds = {kind: stage.adds for kind, stage in kinds.items() if isinstance(stage.adds, Mapping)}  # of some it depends
    named = [f"`{kind}`" for kind, columns in adds.items() if column in columns]
    return f"the stage {' or '.join(named)}" if named else "a stage that makes it"


def _check_columns(recipe: Recipe, source: str, kinds: Mapping[str, type[Stage]]) -> None:
    have: dict[str, pa.DataType] = {"id": pa.binary(16), "row": pa.uint32()}
    for stage in recipe.chain(source):
        for column in stage.reads:
            if column not in have:
                close = difflib.get_close_matches(column, list(have), n=1, cutoff=0.8)
                raise RecipeError(
                    f"{recipe.path}: stage `{stage.label}` reads `{column}`, which no earlier stage of source "
                    f"`{source}` adds. {f'Did you mean `{close[0]}`? ' if close else ''}"
                    f"Earlier columns: {', '.join(sorted(have))}. "
                    f"Add {_makers(column, kinds)} before it, or leave the source out with `only`."
                )
            kind = have[column]
            if column in stage.compares and not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
                raise RecipeError(
                    f"{recipe.path}: stage `{stage.label}` compares `{column}` with a number, but it is a column of "
                    f"{kind}. Take another column."
                )
        have |= stage.adds
