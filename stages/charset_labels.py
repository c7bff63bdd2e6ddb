"""Names of character sets: ours, Python's, and the labels that pages declare.

Labels mean what browsers take them for (WHATWG Encoding Standard, section 4.2): gb2312 and gbk are read as gb18030,
iso-8859-1 as windows-1252, shift_jis as cp932, and big5 as big5-hkscs, each a superset of what it stands for.
"""

import codecs
import re

from resiliparse.parse.encoding import map_encoding_to_html5

HEAD_BYTES = 4096  # where a declaration is looked for

# Our name of a character set -> Python's codec. Only what is listed is ever decoded: Python has codecs that are none.
# EUC-TW has no codec in Python: pages in it are told apart and are undecodable.
CODECS = {
    "utf-8": "utf-8",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-32le": "utf-32-le",
    "utf-32be": "utf-32-be",
    "gb18030": "gb18030",
    "big5-hkscs": "big5hkscs",
    "hz-gb-2312": "hz",
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "iso-2022-jp": "iso2022_jp",
    "euc-kr": "cp949",
    "iso-2022-kr": "iso2022_kr",
    "johab": "johab",
    "koi8-r": "koi8_r",
    "koi8-u": "koi8_u",
    "ibm855": "cp855",
    "ibm866": "cp866",
    "ibm852": "cp852",
    "macintosh": "mac_roman",
    "x-mac-cyrillic": "mac_cyrillic",
    "windows-874": "cp874",
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259)},
    **{f"iso-8859-{part}": f"iso8859_{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
}
# Whatever Python and resiliparse call them -> our name; first the supersets.
_NAMES = {codecs.lookup(codec).name: name for name, codec in CODECS.items()} | {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5-hkscs",
    "cp950": "big5-hkscs",
    "ascii": "windows-1252",
    "iso8859-1": "windows-1252",
    "iso8859-9": "windows-1254",
    "iso8859-11": "windows-874",
    "tis-620": "windows-874",
    "shift_jis": "shift_jis",
    "euc_kr": "euc-kr",
    # Names of the standard that Python does not know.
    "x-mac-cyrillic": "x-mac-cyrillic",
    "iso-8859-8-i": "iso-8859-8",
}


def name_of(label: str | None) -> str | None:
    """-> our name of the character set that a declared `label` stands for, None where unknown or unsupported."""
    if not label:
        return None
    label = label.strip(" \t\r\n\f\"';,").lower()
    for known in (map_encoding_to_html5(label, fallback_utf8=False), label):
        if known is None:
            continue
        try:
            name = _NAMES.get(known) or _NAMES.get(codecs.lookup(known).name)
        except (LookupError, ValueError):  # ValueError: a label with a NUL
            continue
        if name is not None:
            # A page whose declaration can be read as ASCII is not in UTF-16 (HTML, prescan of a byte stream).
            return "utf-8" if name.startswith(("utf-16", "utf-32")) else name
    return None


def declared_in(head: bytes) -> str | None:
    """-> the label that the page itself declares in its first bytes, as written."""
    head = re.sub(rb"<!--.*?-->", b"", head[:HEAD_BYTES], flags=re.DOTALL)
    found = re.match(rb"\s*<\?xml[^>]*?\bencoding\s*=\s*[\"']\s*([\w.:-]+)", head) or re.search(
        rb"<meta\b[^>]*?\bcharset\s*=\s*[\"']?\s*([\w.:-]+)", head, flags=re.IGNORECASE
    )
    return found[1].decode("ascii", "replace") if found else None
