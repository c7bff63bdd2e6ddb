"""Spam around good text is taken off, spam throughout is measured.

reads text (string), url (string)
adds  text (string)             without the lines of spam at its beginning and end
      spam_cut_bytes (int64)    bytes taken off
      spam_cut_lines (int32)    lines with letters taken off
      spam_cut_kind (string)    the most of their evidence: a category, `links` or `characters`; null where none went
      spam_cuts (list<struct<start, end: int64>>)  where, in bytes of the text read
      and the columns of `SPAM_SIGNALS`, about the new text

First and last lines are judged apart from the body (`spam_edges.py`), by terms, pairs of characters, numbers to call,
links and shape (`spam_lines.py`, `spam_lexicon.py`); the body of a text is never touched, and a page that would lose
nearly everything keeps it all, for `judge` to drop by its pack `spam`. It stands behind `extract` and before
`normalise`. Memory: the text of a batch twice, and 72 bytes a line.

`domains` names lists of hosts, one a line (such as the UT1 block lists, CC BY-SA 4.0, which are not shipped), found as
assets: a page of such a host or of one below it has `spam_host` 1.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpus.stage import Columns
from stages import spam_edges, spam_lexicon, spam_lines, spam_scan
from stages.characters import utf8
from stages.rewriting import Rewriting
from stages.signals import rounded
from stages.spam_lines import HITS, LETTERS, LINKS, POINTS, START, WEIGHT

CATEGORIES = spam_lexicon.CATEGORIES

# Points of a line that counts as spam in `spam_score`, and of a page that is taken to be what its lines say: the score
# of one with fewer is less in proportion. That much makes one line of spam too little to drop a page by.
LINE = 20
CERTAIN = 750

SPAM_SIGNALS: dict[str, pa.DataType] = {
    "spam_score": pa.float32(),  # share of letters in lines of spam, less where the page as a whole speaks against it
    "spam_points": pa.int32(),  # of the whole text, tenths of a bit; below 0 = text
    "spam_line_share": pa.float32(),  # of the lines with letters
    **{f"spam_{name}_per_1000": pa.float32() for name in CATEGORIES},  # terms per 1000 letters
    "spam_links_per_line": pa.float32(),  # addresses per line with letters
    "spam_url": pa.int32(),  # points of the terms in host and path
    "spam_host": pa.int32(),  # 1 = the host is listed in `domains`
}
_SPANS = pa.list_(pa.struct([("start", pa.int64()), ("end", pa.int64())]))
_WHAT = (*CATEGORIES, "links", "characters")


class _Known(NamedTuple):
    lexicon: spam_lexicon.Lexicon
    hosts: frozenset[str]


class Spam(Rewriting, frozen=True, kw_only=True, tag="spam"):
    """`threshold`: points (tenths of a bit) from which an edge is spam. `domains`: assets, lists of hosts."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text", "url")
    adds: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.string(),
        "spam_cut_bytes": pa.int64(),
        "spam_cut_lines": pa.int32(),
        "spam_cut_kind": pa.string(),
        "spam_cuts": _SPANS,
        **SPAM_SIGNALS,
    }
    totals: ClassVar[tuple[str, ...]] = ("spam_cut_bytes",)

    threshold: int = 100
    domains: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.threshold < spam_edges.LEAST:
            raise ValueError(f"threshold must be at least {spam_edges.LEAST} (got {self.threshold})")

    @property
    def assets(self) -> tuple[str, ...]:
        return self.domains

    def load(self, assets: Mapping[str, Path]) -> _Known:
        lines = (line for name in self.domains for line in assets[name].read_text("utf-8").splitlines())
        hosts = frozenset(host for line in lines if (host := line.strip().lower()) and not host.startswith("#"))
        return _Known(spam_lexicon.shipped(), hosts)

    def apply(self, batch: pa.RecordBatch, model: _Known) -> Columns:
        text, bounds = utf8(batch["text"])
        firsts, lines = measured(text, bounds, model.lexicon)
        marks = np.zeros(len(lines), np.uint8)
        spam_edges.find(firsts, lines, self.threshold, marks)
        of = np.repeat(np.arange(len(bounds) - 1), np.diff(firsts))
        columns: Columns = {"text": batch["text"]}
        if marks.any():
            out = np.empty(int(bounds[-1] - bounds[0]), np.uint8)
            offsets = np.zeros(len(bounds), np.int32)
            spam_edges.write(text, bounds, firsts, lines, marks, out, offsets)
            kept = out[: offsets[-1]].copy()
            columns["text"] = pa.StringArray.from_buffers(len(bounds) - 1, pa.py_buffer(offsets), pa.py_buffer(kept))
        columns |= _cuts(lines, of, marks > 0, len(batch))
        columns |= _signals(lines[marks == 0], of[marks == 0], len(batch))
        urls = pa.array(batch["url"], pa.string())
        columns["spam_url"] = pa.array(_url_points(urls, model.lexicon), pa.int32())
        columns["spam_host"] = pa.array(_listed(urls, model.hosts), pa.int32())
        return columns


def measured(text: np.ndarray, bounds: np.ndarray, lexicon: spam_lexicon.Lexicon) -> tuple[np.ndarray, np.ndarray]:
    """-> where the lines of each document begin, (n + 1,) int64, and all lines, (lines, `spam_lines.COLUMNS`) int32."""
    firsts = spam_scan.count_lines(text, bounds)
    lines = np.zeros((int(firsts[-1]), spam_lines.COLUMNS), np.int32)
    spam_lines.measure(text, bounds, firsts, *lexicon, lines)
    return firsts, lines


def _sums(values: np.ndarray, of: np.ndarray, rows: int) -> np.ndarray:
    """Exact: the sums stay below 2**53."""
    return np.bincount(of, values, rows)[:rows]


def _cuts(lines: np.ndarray, of: np.ndarray, cut: np.ndarray, rows: int) -> Columns:
    gone, whose = lines[cut], of[cut]
    sizes = gone[:, spam_lines.END] - gone[:, START]
    evidence = [_sums(gone[:, WEIGHT + number], whose, rows) for number in range(len(CATEGORIES))]
    links = _sums(
        np.where(gone[:, LINKS] >= spam_lines.MANY_LINKS, gone[:, LINKS] * spam_lines.LISTED_LINK, 0), whose, rows
    )
    kind = np.argmax(np.stack([*evidence, links, np.full(rows, 0.5)]), axis=0)  # the first of equals
    some = _sums(np.ones(len(gone)), whose, rows) > 0
    joined = np.zeros(len(gone), bool)  # goes on from the line before it
    joined[1:] = (whose[1:] == whose[:-1]) & (gone[1:, START] == gone[:-1, spam_lines.END])
    begins = np.flatnonzero(~joined)
    ends = np.append(begins[1:], len(gone)) - 1 if len(begins) else begins
    offsets = np.zeros(rows + 1, np.int32)
    np.cumsum(np.bincount(whose[begins], minlength=rows), out=offsets[1:])
    spans = pa.StructArray.from_arrays(
        [pa.array(gone[begins, START].astype(np.int64)), pa.array(gone[ends, spam_lines.END].astype(np.int64))],
        fields=list(_SPANS.value_type),
    )
    return {
        "spam_cut_bytes": pa.array(_sums(sizes, whose, rows).astype(np.int64)),
        "spam_cut_lines": pa.array(_sums(gone[:, LETTERS] > 0, whose, rows).astype(np.int32)),
        "spam_cut_kind": pa.array(_WHAT, pa.string()).take(pa.array(kind, mask=~some)),
        "spam_cuts": pa.ListArray.from_arrays(pa.array(offsets), spans, type=_SPANS),
    }


def _signals(lines: np.ndarray, of: np.ndarray, rows: int) -> Columns:
    letters = _sums(lines[:, LETTERS], of, rows)
    points = _sums(lines[:, POINTS], of, rows)
    spam = lines[:, POINTS] >= LINE
    full = lines[:, LETTERS] > 0
    count = _sums(full, of, rows)
    share = _share(_sums(lines[:, LETTERS] * spam, of, rows), letters)
    columns: Columns = {
        "spam_score": pa.array(rounded(share * np.clip(points / CERTAIN, 0, 1))),
        "spam_points": pa.array(points.astype(np.int32)),
        "spam_line_share": pa.array(rounded(_share(_sums(spam & full, of, rows), count))),
    }
    for number, name in enumerate(CATEGORIES):
        hits = _sums(lines[:, HITS + number], of, rows)
        columns[f"spam_{name}_per_1000"] = pa.array(rounded(_share(1000 * hits, letters)))
    columns["spam_links_per_line"] = pa.array(rounded(_share(_sums(lines[:, LINKS], of, rows), count)))
    return columns


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.maximum(whole, 1), 0.0)


def _url_points(urls: pa.Array, lexicon: spam_lexicon.Lexicon) -> np.ndarray:
    """Points of the terms that stand as words in each URL, scheme apart; 0 where there is none. (n,) int64."""
    text, bounds = utf8(pc.replace_substring_regex(urls, r"^[A-Za-z]+://", ""))
    firsts, lines = measured(text, bounds, lexicon)
    of = np.repeat(np.arange(len(urls)), np.diff(firsts))
    return _sums(lines[:, WEIGHT:].sum(axis=1), of, len(urls)).astype(np.int64)


def _listed(urls: pa.Array, hosts: frozenset[str]) -> np.ndarray:
    """Which URLs are of a host in the list, or below one. (n,) int64."""
    if not hosts:
        return np.zeros(len(urls), np.int64)
    return np.fromiter((url is not None and _is_listed(url, hosts) for url in urls.to_pylist()), np.int64, len(urls))


def _is_listed(url: str, hosts: frozenset[str]) -> bool:
    try:
        labels = (urlsplit(url).hostname or "").split(".")
    except ValueError:  # not a URL, so of no host
        return False
    return any(".".join(labels[at:]) in hosts for at in range(len(labels) - 1))
