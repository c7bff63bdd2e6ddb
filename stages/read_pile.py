"""The Pile: JSON lines of {"text": ..., "meta": {"pile_set_name": ...}}.

adds what `read_jsonl` adds, with `url` from the document or its meta, and
     subset (string)  meta.pile_set_name, null if there is none

drop: those of `read_jsonl`, and other_subset where the parameter `subset` asks for another one.
"""

from typing import Any, ClassVar

import pyarrow as pa

from stages.chunks import Row
from stages.read_jsonl import LineReader, compact_json, url_of, why_no_text


class ReadPile(LineReader, frozen=True, kw_only=True, tag="pile"):
    """Reads `.jsonl`, plain or as `.gz` or `.zst`. `subset` keeps one subset of a file that holds several; empty
    keeps all."""

    adds: ClassVar[dict[str, pa.DataType]] = {
        "span_start": pa.int64(),
        "span_bytes": pa.int64(),
        "text": pa.string(),
        "url": pa.string(),
        "meta": pa.string(),
        "subset": pa.string(),
    }

    subset: str = ""

    def _document(self, document: Any) -> Row:
        text = document.get("text") if isinstance(document, dict) else None
        if not isinstance(text, str):
            return self._dropped("no_text", why_no_text(document, "text"))
        meta = document.get("meta")
        try:
            compact = compact_json(meta)
        except TypeError as error:
            return self._dropped("bad_json", f"meta: {error}")
        name = meta.get("pile_set_name") if isinstance(meta, dict) else None
        subset = name if isinstance(name, str) else None
        url = url_of(document, meta, "url")
        if self.subset and subset != self.subset:
            return None, url, compact, subset, "other_subset", subset or "none"
        return text, url, compact, subset, None, None
