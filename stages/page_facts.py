"""What a page says about itself: its title, and when it was published.

Title: `og:title`; else a heading that the `<title>` holds, which leaves the site's name out; else the `<title>`.
Published: JSON-LD, `<meta>` and `<time>` in the words that publishers use for it; else a date in the path of the URL;
else the first date in a short block near where the text begins, if the block speaks of source, author or time or is
little but the date. A day that the calendar has, from 1990 on.
"""

import datetime
import html
import re
from typing import NamedTuple

import numpy as np

from stages.html_blocks import COLUMN, DATA, META, TIME, TITLE, Blocks
from stages.html_tags import IN_HEADING, WORDS

TITLE_CHARS = 1024
_BEFORE, _BEHIND = 12, 4  # blocks before and behind the first that stays, where a byline is looked for
_DATED_WIDTH = 240
_DATE_WIDTH = 60  # of a block that is little but a date

# No two runs of white space stand side by side in a pattern: a page of blanks would be tried in every division.
_NAMED = re.compile(r"\b(?:property|name|itemprop)\s*=\s*(?:[\"']\s*)?([\w.:-]+)", re.IGNORECASE)
_CONTENT = re.compile(r"\bcontent\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))", re.IGNORECASE)
_STAMP = re.compile(r"\bdatetime\s*=\s*(?:[\"']\s*)?([0-9][0-9T:+./ Zz-]{7,30})", re.IGNORECASE)
_PUBLISHED_TIME = re.compile(r"\bpubdate\b|datePublished|publish", re.IGNORECASE)
_IN_DATA = re.compile(r'"datePublished"\s*:\s*"([^"]{8,40})"')
_META_DATES = (
    "article:published_time", "datepublished", "pubdate", "publishdate", "publish_date", "publish-date",
    "publication_date", "og:release_date", "dc.date.issued", "dc.date", "dcterms.created", "date", "article:create_at",
    "bytedance:published_time", "apub:time", "sailthru.date", "parsely-pub-date",
)  # fmt: skip
_ZEROS = re.compile(r"&#0+(?=[0-9])")
_FAR = re.compile(r"&#[0-9]{8,};?")
_DAY = re.compile(
    r"(?<!\d)((?:19|20)\d\d)\s?(?:[-/.]|年)\s?(\d{1,2})\s?(?:[-/.]|月)\s?(\d{1,2})(?!\d)"
    r"|(?<!\d)((?:19|20)\d\d)(\d\d)(\d\d)(?!\d)"
)
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july", "aug august",
         "sep sept september", "oct october", "nov november", "dec december"), 1,
    )
    for name in names.split()
}  # fmt: skip
_ENGLISH_DAY = re.compile(
    r"\b(?:([A-Za-z]{3,9})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?|(\d{1,2})(?:st|nd|rd|th)?\s+([A-Za-z]{3,9})\.?,?)"
    r"\s+((?:19|20)\d\d)\b"
)
_PATH_DAY = re.compile(r"/((?:19|20)\d\d)[-/_]?(\d\d)[-/_]?(\d\d)(?!\d)|/((?:19|20)\d\d)/(\d{1,2})/(\d{1,2})/")
_BYLINE = 1 << WORDS.index("byline")


class Facts(NamedTuple):
    """`published` is "2011-05-06", None where nothing says so; `published_source` is data, meta, time, url or text."""

    title: str | None
    published: str | None
    published_source: str | None


def page_name(page: np.ndarray, blocks: Blocks) -> str:
    """What `<title>` says, white space collapsed; "" where there is none."""
    for kind, start, end in blocks.marks.tolist():
        if kind == TITLE:
            return _plain(page[start:end].tobytes().decode("utf-8", "replace"))
    return ""


def facts(page: np.ndarray, blocks: Blocks, says: np.ndarray, kept: np.ndarray, name: str, url: str | None) -> Facts:
    """`page` are the bytes that `blocks` were cut from, `says` the words of each block, `kept` which are text of the
    page, `name` its `<title>`."""
    metas: dict[str, str] = {}
    found: dict[str, str] = {}
    for kind, start, end in blocks.marks.tolist():
        if kind == TITLE:
            continue
        raw = page[start:end].tobytes().decode("utf-8", "replace")
        if kind == META:
            named, content = _NAMED.search(raw), _CONTENT.search(raw)
            if named and content:
                metas.setdefault(named[1].lower(), _unescaped(content[1] or content[2] or content[3] or ""))
        elif kind == TIME and "time" not in found:
            stamp = _STAMP.search(raw)
            if stamp and _PUBLISHED_TIME.search(raw) and (day := _day(stamp[1])):
                found["time"] = day
        elif kind == DATA and "data" not in found and (said := _IN_DATA.search(raw)) and (day := _day(said[1])):
            found["data"] = day
    for key in _META_DATES:
        if key in metas and (day := _day(metas[key])):
            found["meta"] = day
            break
    if url and (day := _first(_PATH_DAY, url)):
        found["url"] = day
    if not found and (day := _in_text(blocks, says, kept)):
        found["text"] = day
    source = next((source for source in ("data", "meta", "time", "url", "text") if source in found), None)
    return Facts(_title(blocks, metas, name), found[source] if source else None, source)


def _title(blocks: Blocks, metas: dict[str, str], name: str) -> str | None:
    if title := _plain(metas.get("og:title", "")):
        return title[:TITLE_CHARS]
    if name:
        flat = "".join(name.split()).lower()
        headings = blocks.table[(blocks.table[:, COLUMN["flags"]] & IN_HEADING) != 0]
        for start, end in headings[:20, : COLUMN["end"] + 1].tolist():
            heading = _plain(blocks.text[start:end].tobytes().decode("utf-8", "replace"))
            inside = "".join(heading.split()).lower()
            # A heading of one word may be the site's name.
            if 4 <= len(inside) <= len(flat) and flat.startswith(inside):
                return heading[:TITLE_CHARS]
    return name[:TITLE_CHARS] or None


def _in_text(blocks: Blocks, says: np.ndarray, kept: np.ndarray) -> str | None:
    width = blocks.table[:, COLUMN["width"]]
    first = int(np.argmax(kept)) if kept.any() else 0
    near = slice(max(first - _BEFORE, 0), first + _BEHIND)
    dated = (width <= _DATED_WIDTH) & (((says & _BYLINE) != 0) | (width <= _DATE_WIDTH))
    for start, end in blocks.table[near][dated[near], :2].tolist():
        if day := _day(blocks.text[start:end].tobytes().decode("utf-8")):
            return day
    return None


def _plain(text: str) -> str:
    return " ".join(_unescaped(text[: 8 * TITLE_CHARS]).split())


def _unescaped(text: str) -> str:
    """Character references resolved; numbers that no character has become U+FFFD. Python reads no decimal number of
    more than 4,300 digits."""
    return html.unescape(_FAR.sub("\ufffd", _ZEROS.sub("&#", text)))


def _day(text: str) -> str | None:
    """The first day of the calendar in a text, ISO 8601."""
    if day := _first(_DAY, text):
        return day
    for found in _ENGLISH_DAY.finditer(text):
        month = _MONTHS.get((found[1] or found[4]).lower())
        if month and (day := _calendar(found[5], month, found[2] or found[3])):
            return day
    return None


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    for found in pattern.finditer(text):
        parts = [part for part in found.groups() if part]
        if day := _calendar(*parts):
            return day
    return None


def _calendar(year: str, month: str | int, day: str) -> str | None:
    try:
        date = datetime.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return date.isoformat() if 1990 <= date.year <= 2100 else None
