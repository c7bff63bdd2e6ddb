"""From bytes to text: which character set a page is really in.

A declaration is a claim and the bytes are the witness. In order:
1. a byte order mark;
2. bytes that are valid UTF-8, or nearly so, are UTF-8: legacy text is so only by a freak of chance, whatever it claims;
3. what the HTTP header or the page itself (`<meta>`, XML declaration, in the first 4 KB) declares, where the bytes read
   in it cost little more than in the cheapest charset (`charset_bits.py`: bits, as text of a language);
4. the cheapest charset, whatever is declared, where its text costs what text costs.
Nothing left: the page is undecodable, and its text is empty. So is a page in EUC-TW, which Python has no codec for.
"""

import codecs
import re
from typing import Any, NamedTuple

import numpy as np

from stages.charset_bits import Cost, ranked
from stages.charset_labels import CODECS, HEAD_BYTES, declared_in, name_of

__all__ = ["CODECS", "Decoded", "declared_in", "decode", "evidence", "name_of"]

SAMPLE_BYTES = 65_536  # what is judged, from a little before the first byte that is not ASCII
BEFORE_BYTES = 64

NEARLY = 0.05  # errors a character, in UTF-8 with a few broken bytes; legacy text read as UTF-8 makes 0.5 and more
NEARLY_DECLARED = 0.25  # the same, where the page declares UTF-8: pieces of other pages stand in it
SOME_ERRORS = 0.10  # errors a character that a byte order mark may cost
BINARY_SHARE = 0.02  # control bytes beyond which a body is no text
# What a declaration is worth: bits of the page, and bits of every non-ASCII byte or pair with one. The second lets a
# page stay in what it declares where the letters of its language were never counted. Where even the cheapest charset
# costs more than text of a language that was, bytes say that much less.
CLAIM_BITS, CLAIM_BITS_EACH = 16, 0.75
KNOWN_BITS = 6.5  # each: text of a counted language in its charset has 3 to 6.5
# What costs more is no text, bits of the page and bits each: random bytes have 10.1 each and more at their cheapest,
# languages that were never counted up to 9.8.
NOISE_BITS, NOISE_BITS_EACH = 32, 9.9
FEW = 0.02  # share of non-ASCII bytes up to which they may be anything: an English page with some damage

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
_ASCII = bytes(range(0x80))
# What switches to another set of characters in seven bits, by charset.
_SWITCHES = {
    "iso-2022-kr": re.compile(rb"\x1b\$\)C"),
    "iso-2022-jp": re.compile(rb"\x1b\$[@B]|\x1b\(I"),
    "hz-gb-2312": re.compile(rb"~\{(?:[\x21-\x77][\x21-\x7e])+~\}"),
}

Claims = list[tuple[str | None, str]]  # (our name, source), the header first


class Decoded(NamedTuple):
    """`charset` is None where nothing fits, and then `text` is "". `source` is one of bom, http, meta, utf8, detected,
    none: whose claim the bytes confirmed. `errors` counts the U+FFFD that decoding put in."""

    text: str
    charset: str | None
    source: str
    errors: int


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


def evidence(body: bytes, http_charset: str | None = None) -> dict[str, Any]:
    """What decided, for a reader: the labels as declared in `http` and `meta` and our names of them, the mark at the
    beginning (`bom`), whether the bytes are UTF-8 (`utf8`: "valid", "nearly", "no", "ascii"), the cheapest three
    charsets with a language and bits each (`bytes`; empty where UTF-8 or ASCII), and what was `chosen` by which
    `source` with how many `errors`."""
    decoded = decode(body, http_charset)
    meta = declared_in(body[:HEAD_BYTES])
    mark = next((name for mark, name in _MARKS if body.startswith(mark)), None)
    sample = _sample(body.removeprefix(codecs.BOM_UTF8))
    means = (name_of(http_charset), name_of(meta))
    utf8 = _utf8(sample, "utf-8" in means) if sample is not None else "ascii"
    costs = ranked(sample)[0][:3] if sample is not None and utf8 == "no" else []
    return {
        "http": http_charset,
        "http_means": means[0],
        "meta": meta,
        "meta_means": means[1],
        "bom": mark,
        "utf8": utf8,
        "bytes": [
            {"charset": cost.charset, "language": cost.language, "bits_each": round(cost.per_event, 2)}
            for cost in costs
        ],
        "chosen": decoded.charset,
        "source": decoded.source,
        "errors": decoded.errors,
    }


def _choose(body: bytes, http_charset: str | None) -> tuple[str | None, str]:
    claims: Claims = [(name_of(http_charset), "http"), (name_of(declared_in(body[:HEAD_BYTES])), "meta")]

    def settled(name: str, otherwise: str) -> tuple[str, str]:
        return name, next((source for claimed, source in claims if claimed == name), otherwise)

    if b"\x00" in body[:SAMPLE_BYTES] and (wide := _wide(body[:SAMPLE_BYTES])):
        return wide, "detected"
    sample = _sample(body)
    judged = body[:SAMPLE_BYTES] if sample is None else sample
    if len(judged) - len(judged.translate(None, _CONTROLS)) > BINARY_SHARE * len(judged):
        return None, "none"
    if sample is None:
        name = _seven_bit(body)
        return settled(name, "utf8" if name == "utf-8" else "detected")
    if _utf8(sample, any(name == "utf-8" for name, _ in claims)) != "no":
        return settled("utf-8", "utf8")
    return _weigh(body, *ranked(sample), claims)


def _weigh(body: bytes, costs: list[Cost], events: int, claims: Claims) -> tuple[str | None, str]:
    """What the bytes cost against what is declared."""
    best = costs[0]
    bits = {cost.charset: cost.bits for cost in costs}
    vague = max(0.0, best.per_event - KNOWN_BITS)
    allowed = best.bits + CLAIM_BITS + (CLAIM_BITS_EACH + vague) * events
    fitting = [(bits[name], name, source) for name, source in claims if name in bits and bits[name] <= allowed]
    cheapest = min(fitting, key=lambda claim: claim[0], default=None)  # of equal ones the header's
    noise = best.per_event * events > NOISE_BITS + NOISE_BITS_EACH * events
    few = len(body.translate(None, _ASCII)) <= FEW * len(body)
    if noise and not few:
        return None, "none"
    if cheapest is not None:
        return cheapest[1:]
    if noise or (few and bits["windows-1252"] <= best.bits + vague * events):
        return "windows-1252", "detected"  # what a page in Latin script is in, where a few odd bytes say nothing
    return (best.charset, "detected") if best.charset in CODECS else (None, "none")


def _sample(body: bytes) -> bytes | None:
    """-> what is judged; None where all is ASCII."""
    if body.isascii():
        return None
    first = len(body) - len(body.lstrip(_ASCII))
    begin = max(0, first - BEFORE_BYTES)
    return body[begin : begin + SAMPLE_BYTES]


def _utf8(sample: bytes, declared: bool) -> str:
    """-> valid, nearly or no. A character cut by the end of the sample is no error."""
    text, errors = _read(sample, "utf-8", whole=False)
    if not errors:
        return "valid"
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    beyond = int(np.count_nonzero(codes > 0x7F))
    return "nearly" if errors <= (NEARLY_DECLARED if declared else NEARLY) * beyond else "no"


def _read(body: bytes, name: str, whole: bool) -> tuple[str, int]:
    """-> (text, errors)."""
    codec = CODECS[name]
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(body, final=whole), 0
    except UnicodeDecodeError:
        text = codecs.getincrementaldecoder(codec)("replace").decode(body, final=whole)
    written = body.count(_REPLACEMENT[name]) if name in _REPLACEMENT else 0
    return text, max(text.count("\ufffd") - written, 0)


def _seven_bit(body: bytes) -> str:
    """ASCII bytes: UTF-8, unless they switch to another set of characters and read in it without an error."""
    for name, switch in _SWITCHES.items():
        if switch.search(body) and not _read(body, name, whole=False)[1]:
            return name
    return "utf-8"


def _wide(sample: bytes) -> str | None:
    """-> UTF-16 or UTF-32 without a byte order mark, told by where the zero bytes of its ASCII characters lie."""
    whole = np.frombuffer(sample[: len(sample) // 4 * 4], dtype=np.uint8).reshape(-1, 4)
    if not whole.any():
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
