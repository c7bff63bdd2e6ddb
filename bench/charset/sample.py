"""One page whose charset is known, and what it means to have read it rightly."""

import codecs
from dataclasses import dataclass

# Charset -> the largest one that reads its bytes as the same text, after the WHATWG Encoding Standard.
SUPERSET = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "cp950": "big5hkscs",
    "shift_jis": "cp932",
    "shift_jis_2004": "cp932",
    "shift_jisx0213": "cp932",
    "euc_jis_2004": "euc_jp",
    "euc_jisx0213": "euc_jp",
    "iso2022_jp_1": "iso2022_jp_2",
    "iso2022_jp": "iso2022_jp_2",
    "euc_kr": "cp949",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "ascii": "utf-8",
    "utf-8-sig": "utf-8",
}


@dataclass(frozen=True)
class Sample:
    """`codec` is Python's for the true charset, `label` what the set calls it. `part` says which table it counts in,
    `kind` which row: a language, or a charset."""

    part: str
    kind: str
    name: str
    body: bytes
    label: str
    declared: str
    http_charset: str | None = None

    @property
    def text(self) -> str:
        return read(self.body, self.label) or ""


def family(label: str | None) -> str | None:
    """-> Python's name of the widest charset of that family, None for none and for what Python has no codec for."""
    if not label:
        return None
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    return SUPERSET.get(name, name)


def read(body: bytes, label: str | None) -> str | None:
    """The body in the charset named, read as its superset where that makes no error. Marks at the beginning go."""
    if (wide := family(label)) is None:
        return None
    assert label is not None
    try:
        text = body.decode(wide)
    except UnicodeDecodeError:
        try:
            text = body.decode(label)
        except UnicodeDecodeError:
            text = body.decode(wide, "replace")
    return text.removeprefix("\ufeff")
