"""The card of a tokenizer that was trained here, as TOML: what it learned from, and to whom it leans."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import sentencepiece

from corpus.build import Builder
from corpus.identity import canonical, sha256
from corpus.survivors import Chosen, Sample
from corpus.tokenizer_training import Training

_FILES = 32  # of a source that are listed; of more, their number and one digest


def card_of(builder: Builder, asked: Training, found: Sample, learned: dict[str, Any], command: str) -> dict[str, Any]:
    """The table `[training]`."""
    total = max(1, sum(_size(found.chosen)))
    languages = {one.language for one in found.chosen}
    by_language = sorted((_counts(found.chosen, total, language=name) for name in languages), key=_most_first)
    sources = [_source(builder, found, source, total) for source in found.available]
    return {
        "command": command,
        "manifest": builder.recipe.path.name,
        "seed": builder.recipe.seed,
        "library": f"sentencepiece {sentencepiece.__version__}",
        **learned,
        "leans_to": leaning(by_language, sorted(sources, key=_most_first)),
        "parameters": msgspec.to_builtins(asked),
        "language": by_language,
        "source": sources,
    }


def leaning(languages: list[dict[str, Any]], sources: list[dict[str, Any]]) -> str:
    """In words: whose text is written in few tokens."""

    def told(name: str, rows: list[dict[str, Any]]) -> str:
        return ", ".join(f"{row[name]} {row['share']:.1%}" for row in rows[:6] if row["text_bytes"])

    return f"bytes of the sample: {told('language', languages)}; {told('name', sources)}"


def _size(chosen: list[Chosen]) -> list[int]:
    return [len(one.text.encode()) for one in chosen]


def _most_first(row: Mapping[str, Any]) -> tuple[int, str]:
    return -row["text_bytes"], row.get("language", row.get("name", ""))


def _counts(chosen: list[Chosen], total: int, **where: str) -> dict[str, Any]:
    own = [one for one in chosen if all(getattr(one, name) == value for name, value in where.items())]
    size = sum(_size(own))
    return {**where, "documents": len(own), "text_bytes": size, "share": round(size / total, 4)}


def _source(builder: Builder, found: Sample, source: str, total: int) -> dict[str, Any]:
    recipe = {one.name: one for one in builder.recipe.sources}[source]
    counts = _counts(found.chosen, total, source=source)
    files = {path: file.sha256 for path, file in sorted(builder.files[source].items())}
    listed: dict[str, Any] = {"files": files}
    if len(files) > _FILES:
        listed = {"files": {"number": len(files), "sha256": sha256(canonical(files))}}
    there = found.available[source]
    return {
        "name": source,
        "licence": recipe.licence or "not stated",
        "survivors": there.documents,
        "survivors_bytes": there.text_bytes,
        "asked_bytes": found.asked_bytes[source],
        **{name: counts[name] for name in ("documents", "text_bytes", "share")},
        **listed,
    }


def written(card: Mapping[str, Any]) -> str:
    """A card as TOML: plain values, then tables, then lists of tables; one level of each at a time."""
    return "\n".join(_lines(card, "")).lstrip("\n") + "\n"


def _lines(table: Mapping[str, Any], path: str) -> list[str]:
    lines = [f"{_key(name)} = {_value(value)}" for name, value in table.items() if not _is_table(value)]
    for name, value in table.items():
        inner = f"{path}.{_key(name)}" if path else _key(name)
        if isinstance(value, Mapping):
            lines += ["", f"[{inner}]", *_lines(value, inner)]
        elif _is_table(value):
            for one in value:
                lines += ["", f"[[{inner}]]", *_lines(one, inner)]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _key(name: str) -> str:
    plain = name.replace("-", "").replace("_", "")
    return name if plain.isascii() and plain.isalnum() else _string(name)


def _string(value: str) -> str:
    """As JSON, except that TOML wants no surrogates and DEL escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, str):
        return _string(value)
    return json.dumps(value) if isinstance(value, bool) else repr(value)
