"""Extraction: the main text of a web page, and what it took to read the page.

reads body (binary)            the page as sent, without HTTP headers
      http_charset (string)    the charset of its Content-Type header, null if none
      mime (string)            "text/plain" passes through; everything else, null too, is read as HTML
      url (string)             asked for a date
adds  text (string)            main text, in blocks (`main_text.py`), "" where undecodable
      title (string)           of HTML, white space collapsed, at most 1,024 characters; null if none
      published (string)       the day it was published, ISO 8601; null where nothing says so
      published_source (string)  data, meta, time, url or text: see `page_facts.py`
      charset (string)         what the body was decoded as, null where nothing fits
      charset_source (string)  bom, http, meta, utf8, detected or none: see `charset.py`
      decode_errors (int32)    replacement characters that decoding put in
      undecodable (int32)      1 where the body is text in no character set
      blocks (int32)           of text in the page; plain text is one
      blocks_kept (int32)      of these, in the main text
      main_share (float32)     share of the main text in all text of the page, by width; a multiple of 2**-12
      extract_limit (string)   which bounds the page met, joined by "+", null for none: bytes, tags

It measures: an undecodable page is a row with an empty text, for a judge to drop (pack `pages`); so is one of menus
alone.

A page is cut into blocks of text (`html_blocks.py`), of each is known what it is, where it stands and what it says
(`block_features.py`), and boosted trees, learned from pages whose text was marked by people, say which are text
(`block_trees.py`; the model's card, `models/blocks.toml`, says how well). Work and memory are linear in the page's
bytes and tags, whatever they are, and both are bounded.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa

from corpus.stage import Account, Columns, Map
from stages import block_trees
from stages.block_features import NAMES, features
from stages.charset import Decoded, decode, evidence
from stages.html_blocks import COLUMN, Blocks, segment
from stages.main_text import main_text
from stages.page_facts import Facts, facts, page_name

_OVERLAP, _COVER = NAMES.index("title_overlap"), NAMES.index("title_cover")
_THE_TITLE, _MOST_OF_IT = 0.9, 0.6  # of a block that is in the title, and of the title that is in the block


# What a rule may judge pages by.
PAGE_SIGNALS = {
    "decode_errors": pa.int32(),
    "undecodable": pa.int32(),
    "blocks": pa.int32(),
    "blocks_kept": pa.int32(),
    "main_share": pa.float32(),
}


class Extract(Map, frozen=True, kw_only=True, tag="extract"):
    """Parameters

    keep            a block stays where it is text of the page with this probability or more; 0 keeps all, and less is
                    kept the nearer to 1
    max_body_bytes  a longer body is cut there
    max_tags        a page with more tags is read up to there: 70 bytes of memory each, and 1 kB a block of text
    """

    revision: ClassVar[int] = 2
    uses: ClassVar[tuple[str, ...]] = ("Resiliparse",)
    reads: ClassVar[tuple[str, ...]] = ("body", "http_charset", "mime", "url")
    adds: ClassVar[dict[str, pa.DataType]] = {
        "text": pa.string(),
        "title": pa.string(),
        "published": pa.string(),
        "published_source": pa.string(),
        "charset": pa.string(),
        "charset_source": pa.string(),
        **PAGE_SIGNALS,
        "extract_limit": pa.string(),
    }

    keep: float = 0.45
    max_body_bytes: int = 4 << 20
    max_tags: int = 1 << 18

    def __post_init__(self) -> None:
        if not 0 <= self.keep < 1:
            raise ValueError(f"keep must be from 0 to below 1 (got {self.keep})")
        for field in ("max_body_bytes", "max_tags"):
            if (value := getattr(self, field)) < 1:
                raise ValueError(f"{field} must be at least 1 (got {value})")

    def apply(self, batch: pa.RecordBatch, model: None) -> Columns:
        pages = zip(*(batch[column].to_pylist() for column in self.reads), strict=True)
        rows = [self.page(body or b"", charset, mime, url) for body, charset, mime, url in pages]
        return {
            column: pa.array([getattr(row, column) for row in rows], type=kind) for column, kind in self.adds.items()
        }

    def page(self, body: bytes, http_charset: str | None, mime: str | None, url: str | None = None) -> "Page":
        """One page, decoded and extracted."""
        limits = ["bytes"] if len(body) > self.max_body_bytes else []
        decoded = self.decoded(body, http_charset)
        if not decoded.text or mime == "text/plain":
            one = int(decoded.text != "")  # plain text is one block
            return _page(decoded, decoded.text, Facts(None, None, None), one, one, float(one), limits)
        read = self.read(decoded.text, url)
        if not read.blocks.whole:
            limits.append("tags")
        kept = read.kept
        width = read.blocks.table[:, COLUMN["width"]].astype(np.int64)
        share = int(width[kept].sum()) / max(int(width.sum()), 1)
        text = main_text(read.blocks, kept)
        return _page(decoded, text, read.facts, len(kept), int(kept.sum()), share, limits)

    def decoded(self, body: bytes, http_charset: str | None) -> Decoded:
        return decode(body[: self.max_body_bytes], http_charset, whole=len(body) <= self.max_body_bytes)

    def read(self, text: str, url: str | None = None) -> "Read":
        """The blocks of a decoded page, and which of them stay."""
        page = np.frombuffer(text.encode("utf-8", "replace"), dtype=np.uint8)
        blocks = segment(page, self.max_tags)
        name = page_name(page, blocks)
        told = features(blocks, np.frombuffer(name.encode("utf-8", "replace"), dtype=np.uint8))
        odds = block_trees.odds(told.values) if self.keep > 0 else np.zeros(len(told.values))
        kept = odds >= block_trees.log_odds(self.keep) if self.keep > 0 else np.ones(len(odds), dtype=bool)
        if self.keep > 0:
            kept[_again(told.values, kept)] = False
        return Read(blocks, told.values, odds, kept, facts(page, blocks, told.says, kept, name, url))

    def account(self, row: Mapping[str, Any], model: Any) -> list[Account]:
        body = (row["body"] or b"")[: self.max_body_bytes]
        decoded = self.decoded(body, row["http_charset"])
        said = [
            {
                "": name,
                "text": ", ".join(" ".join(map(str, one.values())) for one in value) if name == "bytes" else str(value),
            }
            for name, value in evidence(body, row["http_charset"]).items()
            if value not in (None, [])
        ]
        charset = Account(f"read as {decoded.charset or 'nothing'}", said)
        if not decoded.text or row["mime"] == "text/plain":
            return [charset]
        read = self.read(decoded.text, row["url"])
        blocks = [
            {
                "": "kept" if read.kept[number] else "left out",
                "chance": f"{block_trees.probability(float(read.odds[number])):.2f}",
                "text": read.blocks.text[start:end].tobytes().decode("utf-8"),
                "because of": "; ".join(block_trees.reasons(read.values[number])),
            }
            for number, (start, end) in enumerate(read.blocks.table[:, :2].tolist())
        ]
        return [charset, Account(f"{int(read.kept.sum())} of {len(blocks)} blocks kept", blocks)]


def _again(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """The blocks that say the title once more, behind the first that stays: above comments, beside buttons to share."""
    titles = (values[:, _OVERLAP] >= _THE_TITLE) & (values[:, _COVER] >= _MOST_OF_IT)
    return np.flatnonzero(kept & titles)[1:]


class Read(NamedTuple):
    """A page in blocks; `values`, `odds` and `kept` have a row for each."""

    blocks: Blocks
    values: np.ndarray
    odds: np.ndarray
    kept: np.ndarray
    facts: Facts


class Page(msgspec.Struct, frozen=True):
    """What `Extract` says about one page; the fields are its columns."""

    text: str
    title: str | None
    published: str | None
    published_source: str | None
    charset: str | None
    charset_source: str
    decode_errors: int
    undecodable: int
    blocks: int
    blocks_kept: int
    main_share: float
    extract_limit: str | None


def _page(decoded: Decoded, text: str, said: Facts, blocks: int, kept: int, share: float, limits: list[str]) -> Page:
    return Page(
        text=text,
        title=said.title,
        published=said.published,
        published_source=said.published_source,
        charset=decoded.charset,
        charset_source=decoded.source,
        decode_errors=decoded.errors,
        undecodable=int(decoded.charset is None),
        blocks=blocks,
        blocks_kept=kept,
        main_share=round(share * 4096) / 4096,
        extract_limit="+".join(limits) or None,
    )
