"""The dataset manifest: a TOML file, decoded into frozen structs, wrong fields named with file, path and remedy.

What the file says is identity; where data lies (`root`) and how it is run are not.
"""

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import msgspec

from corpus.errors import RecipeError
from corpus.stage import Reader, Stage

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


class Mixture(msgspec.Struct, frozen=True):
    """How often the trainer sees each source."""

    unit: str
    values: dict[str, float]


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

    def chain(self, source: str) -> tuple[Stage, ...]:
        """Stages that a source goes through, its reader first."""
        return (self.readers[source], *(s for s in self.stages if not s.only or source in s.only))


def _nearest(got: str, valid: list[str]) -> str:
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


def _convert(where: Path, base: str, data: Any, shape: Any, names: list[str], raw: Any) -> Any:
    try:
        return msgspec.convert(data, shape, strict=True)
    except msgspec.ValidationError as error:
        message = str(error)
        text, _, path = message.partition(" - at `")
        path = base + path.rstrip("`").removeprefix("$")
        unknown = re.match(r"Object contains unknown field `(.*)`", text)
        if unknown:
            name = unknown.group(1)
            raise RecipeError(f"{where}: {path}.{name}: no such field. {_nearest(name, names)}") from None
        missing = re.match(r"Object missing required field `(.*)`", text)
        if missing:
            raise RecipeError(f"{where}: {path}.{missing.group(1)}: this field is required and is missing.") from None
        value = _at(raw, path)
        raise RecipeError(f"{where}: {path}: got {value!r}. {text}.") from None
    except RecipeError as error:  # raised by a stage's own check of its parameters
        raise RecipeError(f"{where}: {base}{error}") from None


def _field_names(shape: type) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(shape)]


def _stage(where: Path, base: str, table: Any, kinds: dict[str, type[Stage]], raw: Any) -> Any:
    if not isinstance(table, dict):
        raise RecipeError(f"{where}: {base}: got {table!r}. Expected a table with a `kind`.")
    kind = table.get("kind")
    if kind is None:
        raise RecipeError(f"{where}: {base}.kind: this field is required and is missing. {_nearest('', list(kinds))}")
    if kind not in kinds:
        raise RecipeError(f"{where}: {base}.kind: got {kind!r}. {_nearest(str(kind), list(kinds))}")
    names = list(_field_names(kinds[kind]))
    return _convert(where, base, table, kinds[kind], names, raw)


def by_kind(union: Any) -> dict[str, type[Stage]]:
    """The stages of a closed union, by their `kind`."""
    members = get_args(union) or (union,)
    return {str(member.__struct_config__.tag): member for member in members}


def load(path: Path, stages: Any, readers: Any, roots: dict[str, str] | None = None) -> Recipe:
    """Decode a manifest. `stages` and `readers` are the closed unions of stage types; `roots` overrides the roots of
    sources by name. Relative roots are taken from the manifest's folder. RecipeError on anything wrong."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"{path}: there is no such manifest.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: not valid TOML: {error}") from None
    known = ["name", "seed", "source", "stage", "mixture", "quarantine", "remove", "about"]
    for field in raw:
        if field not in known:
            raise RecipeError(f"{path}: $.{field}: no such field. {_nearest(field, known)}")
    name = raw.get("name", path.stem)
    if not isinstance(name, str) or not _NAME.match(name):
        raise RecipeError(f"{path}: $.name: got {name!r}. Expected lower-case letters, digits and hyphens.")
    seed = raw.get("seed", 0)
    if not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise RecipeError(f"{path}: $.seed: got {seed!r}. Expected a whole number between 0 and 2**32 - 1.")
    for field in ("source", "stage", "quarantine"):
        if not isinstance(raw.get(field, []), list):
            raise RecipeError(f"{path}: $.{field}: got a single value. Write [[{field}]], once for each.")
    sources = _sources(path, raw, by_kind(readers), roots or {})
    kinds = by_kind(stages)
    chain = tuple(_stage(path, f"$.stage[{i}]", table, kinds, raw) for i, table in enumerate(raw.get("stage", [])))
    reader_structs = {s.name: _reader(path, i, s, by_kind(readers), raw) for i, s in enumerate(sources)}
    quarantine = tuple(
        _convert(path, f"$.quarantine[{i}]", table, Quarantine, _field_names(Quarantine), raw)
        for i, table in enumerate(raw.get("quarantine", []))
    )
    mixture, remove = _mixture(path, raw, sources), _remove(path, raw, seed)
    recipe = Recipe(path, name, seed, sources, reader_structs, chain, mixture, quarantine, remove)
    _check(recipe)
    return recipe


def _sources(path: Path, raw: Any, readers: dict[str, type[Stage]], roots: dict[str, str]) -> tuple[Source, ...]:
    tables = raw.get("source", [])
    if not tables:
        raise RecipeError(f"{path}: $.source: no sources. A manifest needs at least one [[source]].")
    sources: list[Source] = []
    for i, table in enumerate(tables):
        source = _convert(path, f"$.source[{i}]", table, Source, _field_names(Source), raw)
        if not _NAME.match(source.name):
            raise RecipeError(
                f"{path}: $.source[{i}].name: got {source.name!r}. Expected lower-case letters, digits and hyphens."
            )
        if source.name in {s.name for s in sources}:
            raise RecipeError(f"{path}: $.source[{i}].name: {source.name!r} names two sources. Rename one.")
        if source.format not in readers:
            raise RecipeError(
                f"{path}: $.source[{i}].format: got {source.format!r}. {_nearest(source.format, list(readers))}"
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
            raise RecipeError(f"--root {name}=…: no such source. {_nearest(name, [s.name for s in sources])}")
    return tuple(sources)


def _reader(path: Path, i: int, source: Source, readers: dict[str, type[Stage]], raw: Any) -> Any:
    kind = readers[source.format]
    table = dict(source.read)
    names = _field_names(kind)
    if source.subset:
        if "subset" not in names:
            raise RecipeError(f"{path}: $.source[{i}].subset: format {source.format!r} has no subsets. Remove it.")
        table["subset"] = source.subset
    return _convert(path, f"$.source[{i}].read", table | {"kind": source.format}, kind, names, raw)


def _mixture(path: Path, raw: Any, sources: tuple[Source, ...]) -> Mixture:
    table = dict(raw.get("mixture", {}))
    unit = table.pop("unit", "epochs")
    if unit not in ("epochs", "weights"):
        raise RecipeError(f"{path}: $.mixture.unit: got {unit!r}. Expected `epochs` or `weights`.")
    names = [s.name for s in sources]
    for name, value in table.items():
        if name not in names:
            raise RecipeError(f"{path}: $.mixture.{name}: no such source. {_nearest(name, names)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise RecipeError(f"{path}: $.mixture.{name}: got {value!r}. Expected a number, 0 or more.")
    return Mixture(unit, {name: float(value) for name, value in table.items()})


def _remove(path: Path, raw: Any, seed: int) -> Remove | None:
    if "remove" not in raw:
        return None
    remove = _convert(path, "$.remove", raw["remove"], Remove, _field_names(Remove), raw)
    place = remove.list
    if "://" not in place and not place.startswith("/"):
        place = str((path.parent / place).resolve())
    return Remove(list=place, salt=remove.salt or str(seed))


def _check(recipe: Recipe) -> None:
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
                raise RecipeError(f"{where}.only: got {name!r}: no such source. {_nearest(name, names)}")
        for name in getattr(stage, "accept", ()):
            if name not in names and not _CLUSTER.match(name):
                raise RecipeError(
                    f"{where}.accept: got {name!r}: neither a source nor the id of a cluster (32 hexadecimal digits). "
                    f"{_nearest(name, names)}"
                )
    for source in recipe.sources:
        have = {"id", "row"}
        for stage in recipe.chain(source.name):
            for column in stage.reads:
                if column not in have:
                    raise RecipeError(
                        f"{recipe.path}: stage `{stage.label}` reads `{column}`, which no earlier stage of source "
                        f"`{source.name}` adds. Earlier columns: {', '.join(sorted(have))}. "
                        f"Add the stage that makes it, or leave the source out with `only`."
                    )
            have |= set(stage.adds)
    for item in recipe.quarantine:
        if item.source not in names:
            raise RecipeError(
                f"{recipe.path}: $.quarantine: no such source {item.source!r}. {_nearest(item.source, names)}"
            )
