"""From bytes to text: which character set a page is really in.

A declaration is a claim and the bytes are the witness. In order:
1. a byte order mark;
2. bytes that are valid UTF-8, or nearly so, are UTF-8: legacy text is so only by a freak of chance, whatever it claims;
3. bytes that read as common Chinese characters in GB18030 or in Big5 are that, whatever they claim;
4. what the HTTP header or the page itself (`<meta>`, XML declaration, in the first 4 KB) declares, where decoding by it
   makes few errors and the shape of the bytes does not speak against it;
5. what uchardet (through resiliparse) detects, where decoding by it makes few errors.
Nothing left: the page is undecodable, and its text is empty.

Labels mean what browsers take them for (WHATWG Encoding Standard, section 4.2): gb2312 and gbk are read as gb18030,
iso-8859-1 as windows-1252, shift_jis as cp932, and big5 as big5-hkscs, each a superset of what it stands for.
"""

import codecs
import re
from typing import NamedTuple

import numpy as np
from resiliparse.parse.encoding import detect_encoding, map_encoding_to_html5

HEAD_BYTES = 4096  # where a declaration is looked for
SAMPLE_BYTES = 65_536  # what is judged, from the first byte that is not ASCII

# Share of the decoded non-ASCII characters that are common Chinese ones, less two for each error. Of 479 pages read
# rightly 0.34 to 0.64; GB18030 read as Big5 or the reverse at most 0.08, other scripts 0.10, EUC-JP read as Big5 0.25.
CHINESE_SHARE = 0.30
KANA_SHARE = 0.20  # Japanese running text has over 0.4
NEARLY = 0.05  # errors a character, in UTF-8 with a few broken bytes; legacy text read as UTF-8 makes 0.5 and more
FEW_ERRORS = 0.02  # errors a character that a declaration may cost
SOME_ERRORS = 0.10  # errors a character that a detected character set may cost
AGREED_ERRORS = 0.25  # the same, where declaration and detection agree
LATIN_RUN = 2.0  # mean length of runs of non-ASCII bytes: near 1 in Latin scripts, over 4 in all others
BINARY_SHARE = 0.02  # control bytes beyond which a body is no text

# Our name of a character set -> Python's codec. Only what is listed is ever decoded: Python has codecs that are none.
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
# Whatever Python, uchardet and resiliparse call them -> our name; first the supersets.
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
}
_LATIN = (
    frozenset(f"windows-{page}" for page in (1250, 1252, 1254, 1257, 1258))
    | {f"iso-8859-{part}" for part in (2, 3, 4, 10, 13, 14, 15, 16)}
    | {"macintosh", "ibm852"}
)
# Sets of two bytes a character: each decodes the text of the others with few errors or none.
_PAIRS = frozenset({"gb18030", "big5-hkscs", "shift_jis", "euc-jp", "euc-kr"})
_MARKS = (  # longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32le"),
    (codecs.BOM_UTF32_BE, "utf-32be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
# U+FFFD as the page's author wrote it, which is no error of ours. Other character sets cannot hold it.
_REPLACEMENT = {name: "\ufffd".encode(CODECS[name]) for name in ("utf-8", "gb18030")}
# SO, SI and ESC switch character sets in ISO 2022.
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\f\r\x0e\x0f\x1b") + b"\x7f"

# The most frequent characters of running Chinese text, with its punctuation, in simplified and in traditional script.
_SIMPLIFIED = (
    "，的。一、是不有人在了以用为个中行上年和这大国可到我）（下时发法于会来要公能后出定第本就他：对作者地理很文你机当应"
    "成务好其开也方业多生部都十家分使件过面事自如还们关所条月日之工动经说或将前得子没现管同而进安民新实果司二三间合主并"
    "等内；通全天与程！数设服品及产它任高东最规提政学小电资比员次入制但道元被位看加点建外因度金长市由期名相么重常从信体"
    "保系物太器目据里代门种量意正然情证网单军此统处接更收区令去西些明样计利性《》交表运起书买只院命基示持四化"
)
_TRADITIONAL = (
    "個這時為設們會對頁後當輸見則訊動別冊錄號應執預統過變開係並無間與碼製組從產業進關顯結還該參處沒樣譯義啟換錯許寫給"
    "長發內機誤讀實記體轉情風現準稱線鍵語裝性來國學說經點東車書報電話網員議價買賣廣場華灣區縣陳張劉馬門問題認識聽"
)
_COMMON = np.zeros(0x10000, dtype=bool)
_COMMON[[ord(c) for c in _SIMPLIFIED + _TRADITIONAL]] = True


class Decoded(NamedTuple):
    """`charset` is None where nothing fits, and then `text` is "". `source` is one of bom, http, meta, utf8, detected,
    none: whose claim the bytes confirmed. `errors` counts the U+FFFD that decoding put in."""

    text: str
    charset: str | None
    source: str
    errors: int


def name_of(label: str | None) -> str | None:
    """-> our name of the character set that a declared `label` stands for, None where unknown or unsupported."""
    if not label:
        return None
    label = label.strip(" \t\r\n\f\"';,").lower()
    for known in (map_encoding_to_html5(label, fallback_utf8=False), label):
        if known is None:
            continue
        try:
            name = _NAMES.get(codecs.lookup(known).name)
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


def decode(body: bytes, http_charset: str | None = None, *, whole: bool = True) -> Decoded:
    """Decode a page. `whole=False` says that `body` was cut off, so that a character broken by its end is no error."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            text, errors = _read(body[len(mark) :], name, whole)
            if errors <= SOME_ERRORS * len(text):
                return Decoded(text, name, "bom", errors)
    body = body.removeprefix(codecs.BOM_UTF8)  # put by an editor before text in another character set
    name, source = _choose(body, http_charset)
    if name is None:
        return Decoded("", None, "none", 0)
    text, errors = _read(body, name, whole)
    return Decoded(text, name, source, errors)


def _choose(body: bytes, http_charset: str | None) -> tuple[str | None, str]:
    claims = [(name_of(http_charset), "http"), (name_of(declared_in(body[:HEAD_BYTES])), "meta")]

    def settled(name: str, otherwise: str) -> tuple[str, str]:
        return name, next((source for claimed, source in claims if claimed == name), otherwise)

    if b"\x00" in body[:SAMPLE_BYTES] and (wide := _wide(body[:SAMPLE_BYTES])):
        return wide, "detected"
    first = re.search(rb"[\x80-\xff]", body)
    sample = body[first.start() if first else 0 :][:SAMPLE_BYTES]
    if len(sample) - len(sample.translate(None, _CONTROLS)) > BINARY_SHARE * len(sample):
        return None, "none"
    if first is None:
        return settled(_seven_bit(body, claims), "utf8")
    if not _read(sample, "utf-8", whole=False)[1] or _error_share(sample, "utf-8") <= NEARLY:
        return settled("utf-8", "utf8")
    if chinese := _chinese(sample):
        return settled(chinese, "detected")

    detected = name_of(detect_encoding(sample, html5_compatible=False))
    run = _mean_run(sample)
    likely = sorted(claims, key=lambda claim: claim[0] != detected)  # stable: header before page
    for name, source in likely:
        if name is None:
            continue
        if name != detected and ((name in _LATIN and run > LATIN_RUN) or (name in _PAIRS and detected in _PAIRS)):
            continue
        if _error_share(sample, name) <= (AGREED_ERRORS if name == detected else FEW_ERRORS):
            return name, source
    if detected is not None and _error_share(sample, detected) <= SOME_ERRORS:
        return detected, "detected"
    if run <= LATIN_RUN and _error_share(sample, "windows-1252") <= SOME_ERRORS:
        return "windows-1252", "detected"
    return None, "none"


def _read(body: bytes, name: str, whole: bool) -> tuple[str, int]:
    """-> (text, errors)."""
    codec = CODECS[name]
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(body, final=whole), 0
    except UnicodeDecodeError:
        text = codecs.getincrementaldecoder(codec)("replace").decode(body, final=whole)
    written = body.count(_REPLACEMENT[name]) if name in _REPLACEMENT else 0
    return text, max(text.count("\ufffd") - written, 0)


def _characters(sample: bytes, name: str) -> np.ndarray:
    """-> code points (uint32) of the non-ASCII characters that `sample`, which may end inside one, decodes to."""
    text = codecs.getincrementaldecoder(CODECS[name])("replace").decode(sample)
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return codes[codes > 0x7F]


def _error_share(sample: bytes, name: str) -> float:
    codes = _characters(sample, name)
    errors = np.count_nonzero(codes == 0xFFFD)
    if name in _REPLACEMENT:
        errors -= min(sample.count(_REPLACEMENT[name]), errors)
    return float(errors / len(codes)) if len(codes) else float(errors > 0)


def _chinese(sample: bytes) -> str | None:
    """-> gb18030 or big5-hkscs, where the characters are common in one of the two readings. None where in neither.

    uchardet is right on whole pages, but on traditional Chinese of 20 characters only in 58 to 83 of 100 cases,
    where this is in 96 to 100."""
    shares = {}
    for name in ("gb18030", "big5-hkscs"):
        codes = _characters(sample, name)
        if len(codes) < 2:
            return None
        common = np.count_nonzero(_COMMON[np.minimum(codes, 0xFFFF)])
        shares[name] = (common - 2 * np.count_nonzero(codes == 0xFFFD)) / len(codes)
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < CHINESE_SHARE:
        return None
    # Kana of EUC-JP lie where Big5 has frequent characters. Big5 itself does not decode as EUC-JP without errors.
    japanese = _characters(sample, "euc-jp")
    kana = np.count_nonzero((japanese >= 0x3041) & (japanese <= 0x30FE))
    if kana >= KANA_SHARE * len(japanese) and not np.any(japanese == 0xFFFD):
        return None
    return best


def _mean_run(sample: bytes) -> float:
    """-> mean length in bytes of the runs of non-ASCII bytes, punctuation of windows-1252 (0x80 to 0xBF) apart."""
    runs = re.findall(rb"[\xc0-\xff][\x80-\xff]*", sample)
    return sum(map(len, runs)) / len(runs) if runs else 1.0


def _seven_bit(body: bytes, claims: list[tuple[str | None, str]]) -> str:
    """ASCII bytes: UTF-8, unless escape sequences switch to another set of characters."""
    candidates = [name for name, _ in claims if name is not None]
    if b"\x1b$" in body or b"~{" in body:
        candidates.append(name_of(detect_encoding(body[:SAMPLE_BYTES], html5_compatible=False)) or "utf-8")
    for name in candidates:
        switches = b"~{" if name == "hz-gb-2312" else b"\x1b$" if name.startswith("iso-2022") else None
        if switches is not None and switches in body and not _read(body, name, whole=False)[1]:
            return name
    return "utf-8"


def _wide(sample: bytes) -> str | None:
    """-> UTF-16 or UTF-32 without a byte order mark, told by where the zero bytes of its ASCII characters lie."""
    whole = np.frombuffer(sample[: len(sample) // 4 * 4], dtype=np.uint8).reshape(-1, 4)
    if not len(whole):
        return None
    zero = (whole == 0).mean(axis=0)  # share of zeros in each of four byte positions
    little, big = (zero[1] + zero[3]) / 2, (zero[0] + zero[2]) / 2
    likely = None
    if zero[2] > 0.9 and zero[3] > 0.9:
        likely = "utf-32le"
    elif zero[0] > 0.9 and zero[1] > 0.9:
        likely = "utf-32be"
    elif max(little, big) > 0.2 and min(little, big) < 0.1 * max(little, big):
        likely = "utf-16le" if little > big else "utf-16be"
    return likely if likely and not _read(sample, likely, whole=False)[1] else None
