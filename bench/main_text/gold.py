"""Pages with gold text: a WARC file and the `.gold.jsonl.zst` beside it, joined by record id."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import zstandard

from corpus.stage import Ledger
from stages.read_warc import ReadWarc

_MARKS = re.compile(r"</?(?:h|p|l)>")  # of CleanEval and DAnIEL


class Gold(NamedTuple):
    """`group` is the host, or the page itself where its URL is not known: pages of one group share a template."""

    name: str
    url: str | None
    group: str
    language: str
    body: bytes
    http_charset: str | None
    mime: str | None
    text: str


def read(path: Path) -> list[Gold]:
    """The pages of `<path>.warc.gz` that `<path>.gold.jsonl.zst` has a text of, in order."""
    gold = {line["id"]: line for line in _lines(path.with_name(f"{path.name}.gold.jsonl.zst"))}
    pages = []
    for row in _rows(path.with_name(f"{path.name}.warc.gz")):
        line = gold.get(row["record_id"])
        if line is None or row["body"] is None:
            continue
        host = (urlsplit(row["url"] or "").hostname or "").lower()
        group = line["name"] if not host or host.endswith(".invalid") else host
        pages.append(
            Gold(
                name=line["name"],
                url=row["url"],
                group=group,
                language=line.get("lang") or ("Chinese" if path.name.startswith("zh") else "English"),
                body=row["body"],
                http_charset=row["http_charset"],
                mime=row["mime"],
                text=_MARKS.sub("\n", line["gold_text"]),
            )
        )
    return pages


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in io.TextIOWrapper(zstandard.ZstdDecompressor().stream_reader(file), "utf-8", newline="\n"):
            yield json.loads(line)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    reader = ReadWarc()
    with path.open("rb") as file:
        for chunk in reader.cut(file, path.name, Ledger()):
            columns = reader.parse(chunk)
            names = ("record_id", "url", "body", "http_charset", "mime")
            yield from (
                dict(zip(names, values, strict=True))
                for values in zip(*(columns[name].to_pylist() for name in names), strict=True)
            )
