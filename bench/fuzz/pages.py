"""Mutated pages: a page of the data, cut to a size, then hit by one to six of the mutations below."""

import random
from collections.abc import Callable, Sequence
from typing import NamedTuple

MOST_BYTES = 4_000_000
SMALL_BYTES = 12_000  # nine of ten pages are cut to this or less
GROWN = 0.002  # share of pages that are repeated up to MOST_BYTES

CHARSETS = ("utf-8", "gbk", "gb18030", "big5", "big5-hkscs", "shift_jis", "euc-jp", "euc-kr", "windows-1252", "koi8-r")
DECLARED = (
    *CHARSETS,
    "gb2312",
    "utf-16",
    "utf-7",
    "iso-2022-jp",
    "hz-gb-2312",
    "x-user-defined",
    "none",
    "é",
    "a" * 999,
)
TAGS = b"""a article aside b blockquote body br button caption center code custom-x dd details div dl dt em fieldset
font footer form frame frameset h1 h2 head header hr html i iframe img input label li link main map math meta nav
noscript
object ol optgroup option p picture plaintext pre q rp rt ruby s script section select small span strong style sub
summary sup svg table tbody td template textarea tfoot th thead time title tr tt u ul video wbr xmp
annotation""".split()
NAMES = (b"class", b"id", b"href", b"style", b"alt", b"content", b"hidden", b"aria-hidden", b"type", b"onload", b"x")
VALUES = (
    b"nav", b"main-content", b"javascript:alert(1)", b"display:none", b"true", b"tex", b"application/ld+json",
    b"gutter", b"lineno", b"share-comment-footer-", b"text/html; charset=gb2312", b"refresh", b"0;url=//x",
    b"article:published_time",
)  # fmt: skip
# Each is a way to ask for more work or memory than a page is worth, or to be taken for something else.
TOKENS = tuple(
    text.encode("utf-8", "surrogatepass")
    for text in (
        "<", ">", "&", "<!--", "-->", "<!", "<?xml version='1.0'?>", "]]>", "<![CDATA[", "</", "</script>", "</style>",
        "<script>", "<script type=math/tex>", "<style>", "<title>", "<textarea>", "<plaintext>", "<xmp>", "<pre>\n",
        "<select><option>", "<svg><math><annotation encoding=application/x-tex>", "<!DOCTYPE x [<!ENTITY a '&b;&b;'>]>",
        "&a;", "&amp;amp;amp;lt;", "&#0;", "&#x110000;", "&#xD800;", "&#99999999999999999999;", "&NotEqualTilde",
        "&#27;", "\0", "\x1b[31m", "\x1b]8;;http://x\x07", "\r", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u200b",
        "\ufeff",
        "\ufffd", "锟斤拷", "烫烫烫", "屯屯", "Ã©Ã¨", "涓枃", "ä¸\xadæ–‡", "\ud800", "\U0010ffff", "e\u0301" * 40,
        "\u0301" * 300, "汉(hàn)字(zì)", "（zhōng）", "🏳️‍🌈", "a" * 9000, "。" * 900, " " * 9000, "\n" * 900,
        "\u3000" * 900,
        "1" * 4000, "1.1.1.1.1.1.1.1", "13800138000" * 40, "11010519491231002X", "6222020000000000000", "a@" * 900,
        "a@b.c", ".@." * 300, "http://" * 200, "<a href=x>x</a>|" * 200, "\\", "\"'", "x=y=z=", "2024-13-45T99:99:99",
        '{"@type":"NewsArticle","datePublished":"', "[" * 2000, "{" * 2000, "$$", "\\frac{" * 500,
        "&#" + "1" * 5000 + ";", "<meta property=og:title content='&#" + "0" * 5000 + "65;'>",
        "<meta name=" + " " * 3000 + ">",
        "<time datetime=" + " " * 3000 + ">", "<script type=application/ld+json>{\"datePublished\":\"2024-01-",
    )
)  # fmt: skip
HEADS = (
    b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\x1f\x8b\x08", b"%PDF-1.4\n", b"\x89PNG\r\n",
    b"\0" * 600, b"<?xml version='1.0' encoding='utf-16'?>", b"<meta charset=utf-16>", b"<meta charset=",
)  # fmt: skip


class Page(NamedTuple):
    """What `extract` reads."""

    body: bytes
    http_charset: str | None
    mime: str | None
    url: str | None


def mutated(chance: random.Random, pool: Sequence[Page]) -> Page:
    """A page made from those of `pool`, of MOST_BYTES at most."""
    page = chance.choice(pool)
    body = page.body
    if chance.random() < 0.9:
        size = int(SMALL_BYTES ** chance.uniform(0.5, 1))
        first = chance.choice((0, chance.randrange(max(1, len(body) - size))))
        body = body[first : first + size]
    charset, mime = page.http_charset, page.mime
    for _ in range(chance.randint(1, 6)):
        body = chance.choice(MUTATIONS)(chance, body[:MOST_BYTES], pool)
    if chance.random() < 0.3:
        charset = chance.choice((None, *DECLARED))
    if chance.random() < 0.1:
        mime = chance.choice((None, "text/plain", "application/xhtml+xml"))
    if chance.random() < 0.1:
        body = chance.choice(HEADS) + body
    if body and chance.random() < GROWN:
        body *= chance.randint(1, MOST_BYTES) // len(body) + 1
    return Page(body[:MOST_BYTES], charset, mime, _url(chance, page.url))


def _url(chance: random.Random, url: str | None) -> str | None:
    if url is None or chance.random() < 0.9:
        return url
    at = chance.randrange(len(url) + 1)
    odd = chance.choice(
        ("\x1b[2J", "\u202e", "/" * 3000, "?" * 50, "\0", "<script>", "@" * 99, ":99999999", "[::", "é", "%")
    )
    return chance.choice(("", odd, url[:at], url[:at] + odd + url[at:], odd + url))


def span(chance: random.Random, data: bytes, most: int = 1 << 30) -> tuple[int, int]:
    """A run of bytes; short ones are as likely as long ones."""
    size = min(int(max(1, len(data)) ** chance.random()), most)
    first = chance.randrange(max(1, len(data) - size + 1))
    return first, min(len(data), first + size)


def flip(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    changed = bytearray(data)
    for _ in range(int(300 ** chance.random()) if data else 0):
        changed[chance.randrange(len(data))] = chance.choice((chance.randrange(256), 0, 0x3C, 0x3E, 0x26, 0x80, 0xFF))
    return bytes(changed)


def cut(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    first, last = span(chance, data)
    return chance.choice((data[:first], data[first:], data[:first] + data[last:]))


def splice(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    other = chance.choice(pool).body
    first, last = span(chance, other, 20_000)
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[first:last] + data[at:]


def repeat(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    first, last = span(chance, data, 4000)
    times = min(int(3000 ** chance.random()), 50_000 // max(1, last - first) + 1)
    return data[:last] + data[first:last] * times + data[last:]


def token(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    for _ in range(int(40 ** chance.random())):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.choice(TOKENS) * chance.choice((1,) * 20 + (2, 30)) + data[at:]
    return data


def tags(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    """Tags put in, doubled, closed in the wrong order, and nested deeply."""
    names = [chance.choice(TAGS) for _ in range(chance.randint(1, 4))]
    opened, closed = b"".join(b"<%b>" % n for n in names), b"".join(b"</%b>" % n for n in names)
    depth = int(chance.choice((40, 40, 40, 20_000)) ** chance.random())
    at, end = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    inner = data[at:end]
    made = chance.choice(
        (
            opened * depth + inner,
            opened * depth + inner + closed * depth,
            closed * depth + inner,
            (opened + b"x") * depth,
        )
    )
    return data[:at] + made + data[end:]


def rename(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    old, new = (chance.choice((b"<", b"</")) + chance.choice(TAGS) for _ in range(2))
    return data.replace(old, new).replace(b"<p", chance.choice((b"<p", b"<" + chance.choice(TAGS))))


def attributes(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    """A tag with many attributes, long ones, or a quote that is never closed."""
    quote = chance.choice((b"", b"'", b'"'))
    one = b" %b=%b%b" % (chance.choice(NAMES), quote, chance.choice(VALUES) * int(600 ** chance.random()))
    made = (
        b"<"
        + chance.choice(TAGS)
        + (one + quote) * int(100 ** chance.random())
        + chance.choice((b">", b"/>", b"", quote))
    )
    at = chance.randrange(len(data) + 1)
    return data[:at] + made[:500_000] + data[at:]


def cross(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    """Decoded as one charset and written as another, whole or from somewhere on."""
    at = chance.choice((0, chance.randrange(len(data) + 1)))
    text = data[at:].decode(chance.choice(CHARSETS), chance.choice(("replace", "ignore")))
    to = chance.choice((*CHARSETS, "utf-16-le", "utf-16-be", "utf-32"))
    return data[:at] + text.encode(to, chance.choice(("replace", "xmlcharrefreplace", "ignore")))


def escape(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    """Every character of a run as a reference."""
    first, last = span(chance, data, 20_000)
    form = chance.choice((b"&#%d;", b"&#x%x;", b"&#%d", b"&#0%d;"))
    return data[:first] + b"".join(form % byte for byte in data[first:last]) + data[last:]


def controls(chance: random.Random, data: bytes, pool: Sequence[Page]) -> bytes:
    first, last = span(chance, data, 50_000)
    between = chance.choice(
        (b"\0", b"\x1b", b"\r", b"\x08", b"\xc2\x85", b"\xe2\x80\x8b", b"\xe2\x80\xae", b"\xcc\x81")
    )
    return data[:first] + between.join(data[n : n + 1] for n in range(first, last)) + data[last:]


Mutation = Callable[[random.Random, bytes, Sequence[Page]], bytes]
MUTATIONS: tuple[Mutation, ...] = (
    flip, cut, splice, repeat, token, token, tags, tags, rename, attributes, cross, escape, controls,
)  # fmt: skip
