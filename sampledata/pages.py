"""Pages of the invented sites: news articles, forum threads and blog posts as bytes in the site's encoding."""

import random
from collections.abc import Callable
from html import escape

from sampledata import chinese, english
from sampledata.books import scene
from sampledata.chinese import GENRES
from sampledata.english import Piece
from sampledata.foreign import foreign
from sampledata.layout import CHINESE, ENGLISH, Frame, page
from sampledata.randomness import fingerprint, source
from sampledata.sites import Encoding, Site, foreign_encoding, site
from sampledata.traditional import to_traditional
from sampledata.warc import Page

# A line whose characters tell the encoding from its lookalikes.
_NATIVE = {
    ("zh", "gb18030"): "<p>编辑：马䶮 校对：王堃 €5</p>",
    ("en", "latin-1"): "<p>Filed under: cafés, façades, prices in £</p>",
    ("en", "cp1252"): "<p>“Filed under” – cafés, façades, €5 and ‘up’…</p>",
    ("en", "utf-8"): "<p>“Filed under” – cafés, façades, €5 and ‘up’…</p>",
}
_SERVERS = ("nginx", "Apache/2.4.6", "Microsoft-IIS/6.0", "openresty", "Tengine")


def piece(rng: random.Random, on: Site) -> Piece:
    """What a site of this kind and language writes about (simplified, where Chinese)."""
    if on.encoding.language == "en":
        if on.kind == "forum":
            asked = english.question(rng)
            return Piece(asked.title, [p.removeprefix("A:\n\n") for p in asked.paragraphs[1:]])
        return rng.choice((english.article, scene))(rng)
    genres = {
        "news": ("news",),
        "blog": ("encyclopedia", "reviews", "poems", "news"),
        "forum": ("questions", "reviews"),
    }
    return GENRES[rng.choice(genres[on.kind])](rng)


def plain_page(seed: int, name: str, number: int, text: Piece | None = None) -> Page:
    """Page `name` of site `number`, with `text` or a text of its own."""
    on, rng = site(seed, number), source(seed, name)
    own = piece(rng, on)
    return _answer(seed, on, name, _html(on, on.encoding, text or own, rng), on.encoding, rng)


def spam_page(seed: int, name: str, number: int) -> Page:
    on, rng = site(seed, number), source(seed, name)
    text = (english if on.encoding.language == "en" else chinese).spam(rng)
    return _answer(seed, on, name, _html(on, on.encoding, text, rng), on.encoding, rng)


def foreign_page(seed: int, name: str, number: int, language: str, turn: int) -> Page:
    on, rng = site(seed, number), source(seed, name)
    encoding = foreign_encoding(language, turn)
    on = on._replace(encoding=encoding, name=on.host, look="article" if on.kind != "forum" else "portal", kind="news")
    return _answer(seed, on, name, _html(on, encoding, foreign(rng, language), rng), encoding, rng)


def link_page(seed: int, name: str, number: int) -> Page:
    """Nothing but links."""
    on, rng = site(seed, number), source(seed, name)
    items = [
        f'<li><a href="{escape(url)}">{escape(text)}</a></li>'
        for _ in range(rng.randint(6, 14))
        for url, text in _neighbours(on, rng)
    ]
    frame = _frame(on, on.encoding, on.name, rng)
    html = _script(on, page(frame, on.look, f"<ul>{''.join(items)}</ul>", rng))
    return _answer(seed, on, name, html, on.encoding, rng)


def short_page(seed: int, name: str, number: int) -> Page:
    on, rng = site(seed, number), source(seed, name)
    text = (
        rng.choice(("Under construction.", "Please log in.", "404"))
        if on.encoding.language == "en"
        else rng.choice(("建设中。", "请先登录。", "该页不存在"))
    )
    return _answer(seed, on, name, _script(on, f"<html><body><p>{text}</p></body></html>"), on.encoding, rng)


def empty_page(seed: int, name: str, number: int) -> Page:
    """No bytes, or tags without a word."""
    on, rng = site(seed, number), source(seed, name)
    html = rng.choice(
        (
            "",
            "<html><head></head><body></body></html>",
            '<html><body><div id="app"></div><script src="/app.js"></script></body></html>',
        )
    )
    return _answer(seed, on, name, html, on.encoding, rng)


def mojibake_page(seed: int, name: str, number: int, garble: Callable[[str], str]) -> Page:
    """A UTF-8 page whose text was garbled before it was published."""
    on, rng = site(seed, number), source(seed, name)
    good = GENRES["news"](rng)
    bad = Piece(garble(good.title), [garble(p) for p in good.paragraphs])
    encoding = Encoding("zh", "utf-8", "utf-8", "utf-8")
    return _answer(
        seed, on, name, page(_frame(on, encoding, bad.title, rng), on.look, _paragraphs(bad), rng), encoding, rng
    )


def other_answer(seed: int, name: str, number: int, kind: str) -> Page:
    """What is not a page of text: an error, a redirect, an image, a text file."""
    on, rng = site(seed, number), source(seed, name)
    url = f"http://{on.host}/{kind}/{name.rpartition('/')[2]}"
    server = ("Server", rng.choice(_SERVERS))
    if kind == "not-found":
        return Page(
            url,
            "404 Not Found",
            (server, ("Content-Type", "text/html")),
            b"<html><body><h1>Not Found</h1></body></html>",
        )
    if kind == "redirect":
        return Page(
            url,
            "301 Moved Permanently",
            (server, ("Location", f"http://{on.host}/"), ("Content-Type", "text/html")),
            b"",
        )
    if kind == "image":
        return Page(
            url,
            "200 OK",
            (server, ("Content-Type", "image/png")),
            b"\x89PNG\r\n\x1a\n" + rng.randbytes(rng.randint(200, 3000)),
        )
    return Page(url, "200 OK", (server, ("Content-Type", "text/plain")), b"User-agent: *\r\nDisallow: /admin/\r\n")


def mirrored(original: Page, seed: int, number: int) -> Page:
    """The same bytes under another host."""
    path = original.url.split("://", 1)[1].partition("/")[2]
    return original._replace(url=f"http://mirror.{site(seed, number).host}/{path}")


def _html(on: Site, encoding: Encoding, text: Piece, rng: random.Random) -> str:
    main = _thread(on, text, rng) if on.kind == "forum" else _paragraphs(text)
    if on.kind == "blog" and rng.random() < 0.6:
        main += _comments(on, rng)
    return _script(on, page(_frame(on, encoding, text.title, rng), on.look, main, rng))


def _script(on: Site, html: str) -> str:
    return to_traditional(html) if on.encoding.language == "zh-Hant" else html


def _answer(seed: int, on: Site, name: str, html: str, encoding: Encoding, rng: random.Random) -> Page:
    number = name.removeprefix("crawl/page-")
    if not number.isdigit():  # planted: a number that no other page of the site has
        number = str(9_000_000 + int.from_bytes(fingerprint(seed, name)[:4]) % 1_000_000)
    path = {
        "forum": f"thread-{number}-1-1.html",
        "news": f"{rng.randint(2009, 2021)}/{rng.randint(1, 12):02}{rng.randint(1, 28):02}/{number}.shtml",
        "blog": f"archives/{number}?from=list",
    }[on.kind]
    if html and on.encoding.language == encoding.language:
        html = _NATIVE.get((encoding.language, encoding.codec), "").join(_at_end(html))
    declared = f"text/html; charset={encoding.header}" if encoding.header else "text/html"
    headers = (
        ("Server", rng.choice(_SERVERS)),
        ("Content-Type", declared),
        ("Vary", "Accept-Encoding"),
        ("Connection", "close"),
    )
    return Page(f"http://{on.host}/{path}", "200 OK", headers, html.encode(encoding.codec, errors="xmlcharrefreplace"))


def _at_end(html: str) -> tuple[str, str]:
    """`html` cut before </body>, or at its end."""
    at = html.rfind("</body>")
    return (html, "") if at < 0 else (html[:at], html[at:])


def _frame(on: Site, encoding: Encoding, title: str, rng: random.Random) -> Frame:
    english_words = encoding.language not in ("zh", "zh-Hant")
    day = f"{rng.randint(2008, 2020)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    published = f"{day} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
    links = [link for _ in range(2) for link in _neighbours(on, rng)]
    return Frame(
        title,
        on.name,
        on.host,
        encoding.language,
        encoding.meta,
        ENGLISH if english_words else CHINESE,
        links,
        published,
    )


def _neighbours(on: Site, rng: random.Random) -> list[tuple[str, str]]:
    """Six links with the titles of other texts."""
    rules: tuple[str, ...]
    if on.encoding.language not in ("zh", "zh-Hant"):
        t, rules = english.english(rng), ("town_name", "garden_title", "chapter_title", "house_title", "photo_title")
        t.named["hero#h"], t.named["aunt#a"] = t.one("first_f"), f"Aunt {t.one('first_f')}"
    else:
        t, rules = (
            chinese.chinese(rng),
            ("culture_title", "goods_title", "economy_title", "trip_title", "ask_life_title", "tech_title"),
        )
    links = []
    for _ in range(6):
        host = on.host if rng.random() < 0.85 else f"www.friend{rng.randint(1, 30)}.example"
        title = t.one(rng.choice(rules))
        links.append((f"http://{host}/{rng.randint(1000, 99999)}.html", title[:1].upper() + title[1:]))
        t.named = {key: value for key, value in t.named.items() if key in ("hero#h", "aunt#a")}
    return links


def _paragraphs(text: Piece) -> str:
    return "\n".join(f"<p>{escape(p).replace(chr(10), '<br />')}</p>" for p in text.paragraphs)


def _thread(on: Site, text: Piece, rng: random.Random) -> str:
    """The first post with the text, then replies, some of which quote."""
    tongue = english if on.encoding.language == "en" else chinese
    replies = english.remarks(rng, rng.randint(2, 7)) if tongue is english else chinese.replies(rng, rng.randint(2, 7))
    posts = []
    for floor, body in enumerate([_paragraphs(text), *(escape(reply) for reply in replies)], start=1):
        quote = f"<blockquote>{escape(replies[0])}</blockquote>" if floor > 3 and rng.random() < 0.3 else ""
        posts.append(
            f'<div class="post" id="p{floor}"><div class="user"><b>{escape(tongue.nickname(rng))}</b> #{floor} '
            f'<img src="/avatar/{rng.randint(1, 999)}.gif" alt="" /></div><div class="body">{quote}{body}</div>'
            f'<div class="sig">{escape(tongue.nickname(rng))}</div></div>'
        )
    return "\n".join(posts)


def _comments(on: Site, rng: random.Random) -> str:
    tongue = english if on.encoding.language == "en" else chinese
    replies = english.remarks(rng, rng.randint(1, 5)) if tongue is english else chinese.replies(rng, rng.randint(1, 5))
    items = "".join(f"<li><b>{escape(tongue.nickname(rng))}</b>: {escape(reply)}</li>" for reply in replies)
    return f'<section id="comments"><ol>{items}</ol></section>'
