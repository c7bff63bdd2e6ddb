"""HTML around a text: four looks, from tables of 2003 to HTML5, with menus, side columns, scripts and footers.

`main` and the strings of `Frame` are HTML already, titles and names are plain text.
"""

import random
from html import escape
from typing import NamedTuple


class Words(NamedTuple):
    """What a site says around its texts."""

    menu: tuple[str, ...]
    hot: str
    related: str
    here: str
    posted: str
    copyright: str
    more: str
    search: str
    notice: str


CHINESE = Words(
    ("首页", "新闻", "社会", "财经", "体育", "文化", "生活", "科技", "论坛", "图片", "视频", "专题"),
    "热门排行", "相关阅读", "您的位置：", "发布时间：", "版权所有 未经许可不得转载", "更多>>", "站内搜索",
    "设为首页 | 加入收藏 | 联系我们 | 网站地图",
)  # fmt: skip
ENGLISH = Words(
    ("Home", "News", "Local", "Business", "Sport", "Arts", "Living", "Science", "Forum", "Pictures", "Archive"),
    "Most read", "Related", "You are here:", "Posted on ", "All rights reserved", "more >>", "Search",
    "About us | Contact | Privacy policy | Terms of use | Site map",
)  # fmt: skip


class Frame(NamedTuple):
    """title, site: plain text; language: of <html lang>; meta: the declared charset or ""; links: (url, text)."""

    title: str
    site: str
    host: str
    language: str
    meta: str
    words: Words
    links: list[tuple[str, str]]
    published: str


def page(frame: Frame, look: str, main: str, rng: random.Random) -> str:
    """A whole HTML page in the given look."""
    return {"table": _table, "portal": _portal, "article": _article, "plain": _plain}[look](frame, main, rng)


def _head(frame: Frame, rng: random.Random, *, modern: bool) -> str:
    charset = ""
    if frame.meta:
        charset = (
            f'<meta charset="{frame.meta}">'
            if modern
            else f'<meta http-equiv="Content-Type" content="text/html; charset={frame.meta}" />'
        )
    return f"""<head>
{charset}
<title>{escape(frame.title)} - {escape(frame.site)}</title>
<meta name="keywords" content="{escape(frame.site)},{escape(",".join(text for _, text in frame.links[:4]))}" />
<link rel="stylesheet" type="text/css" href="/css/main.css?v={rng.randint(1, 99)}" />
<script type="text/javascript">var siteId={rng.randint(1000, 9999)};var ua=navigator.userAgent;
if (ua.indexOf("Mobile") > 0 && location.hash != "#pc") {{ location.href = "//m.{frame.host}/"; }}</script>
<style>.ad{{display:block;width:300px}} .nav li{{float:left;list-style:none}}</style>
</head>"""


def _links(frame: Frame, start: int, stop: int, item: str = "<li>{}</li>") -> str:
    return "\n".join(
        item.format(f'<a href="{escape(url)}">{escape(text)}</a>') for url, text in frame.links[start:stop]
    )


def _footer(frame: Frame, rng: random.Random) -> str:
    year = rng.randint(2006, 2020)
    return (
        f"{escape(frame.words.notice)}<br />Copyright &copy; {year - rng.randint(1, 9)}-{year} {frame.host} "
        f"{escape(frame.site)} {escape(frame.words.copyright)}"
    )


def _counter(rng: random.Random) -> str:
    return (
        f'<script>var _hm=_hm||[];(function(){{var h=document.createElement("script");h.src="//stat.example/'
        f'h.js?{rng.getrandbits(64):x}";document.body.appendChild(h);}})();</script>'
    )


def _table(frame: Frame, main: str, rng: random.Random) -> str:
    menu = " | ".join(f'<a href="/{n}/">{escape(text)}</a>' for n, text in enumerate(frame.words.menu))
    return f"""<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">
<html>
{_head(frame, rng, modern=False)}
<body bgcolor="#FFFFFF" topmargin="0">
<table width="960" align="center" border="0" cellpadding="4"><tr><td colspan="2"><font size="2">{menu}</font></td></tr>
<tr><td colspan="2">{frame.words.here} <a href="/">{escape(frame.site)}</a> &gt; {escape(frame.title)}</td></tr>
<tr><td width="680" valign="top"><h2 align="center"><font color="#003399">{escape(frame.title)}</font></h2>
<center>{frame.words.posted}{frame.published}&nbsp;&nbsp;<a href="javascript:window.print()">[print]</a></center>
{main}
</td><td width="260" valign="top" bgcolor="#EEEEEE"><b>{frame.words.hot}</b><ul>
{_links(frame, 0, 8)}
</ul><!-- ad begin --><script src="/ad/{rng.randint(1, 40)}.js"></script><!-- ad end --></td></tr>
<tr><td colspan="2" align="center"><font size="1">{_footer(frame, rng)}</font></td></tr></table>
{_counter(rng)}
</body></html>
"""


def _portal(frame: Frame, main: str, rng: random.Random) -> str:
    menu = "\n".join(f'<li><a href="/{n}/">{escape(text)}</a></li>' for n, text in enumerate(frame.words.menu))
    return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
{_head(frame, rng, modern=False)}
<body>
<div id="top"><form action="/search"><input name="q" /><input type="submit" value="{frame.words.search}" /></form></div>
<div class="nav"><ul>
{menu}
</ul></div>
<div class="crumbs">{frame.words.here} <a href="/">{escape(frame.site)}</a> &gt;
<span>{escape(frame.title)}</span></div>
<div id="wrap"><div id="left">
<h1>{escape(frame.title)}</h1>
<div class="info">{frame.words.posted}{frame.published} <span id="hits">{rng.randint(3, 90000)}</span></div>
<div class="content" id="content">
{main}
</div>
<div class="related"><h3>{frame.words.related}</h3><ul>
{_links(frame, 6, 12)}
</ul></div></div>
<div id="right"><h3>{frame.words.hot} <a href="/top/">{escape(frame.words.more)}</a></h3><ol>
{_links(frame, 0, 7)}
</ol><div class="ad">
<a href="http://ad{rng.randint(1, 9)}.example/?id={rng.randint(1, 9999)}"><img src="/ad/b.gif" alt="" /></a>
</div></div></div>
<div id="footer">{_footer(frame, rng)}</div>
{_counter(rng)}
</body>
</html>
"""


def _article(frame: Frame, main: str, rng: random.Random) -> str:
    return f"""<!doctype html>
<html lang="{frame.language}">
{_head(frame, rng, modern=True)}
<body class="post-template">
<header role="banner"><a href="/">{escape(frame.site)}</a><nav><ul>
{_links(frame, 0, 5)}
</ul></nav></header>
<main><article>
<header><h1>{escape(frame.title)}</h1><time datetime="{frame.published[:10]}">{frame.published}</time></header>
{main}
</article></main>
<aside><h2>{frame.words.related}</h2>
{_links(frame, 5, 10, "<p>{}</p>")}
</aside>
<footer><small>{_footer(frame, rng)}</small></footer>
<noscript><img src="https://stat.example/p.gif?{rng.getrandbits(32):x}" alt=""></noscript>
</body>
</html>
"""


def _plain(frame: Frame, main: str, rng: random.Random) -> str:
    return f"""<html>
{_head(frame, rng, modern=rng.random() < 0.5)}
<body>
<a href="/">{escape(frame.site)}</a> <a href="/archive">{escape(frame.words.more)}</a>
<hr>
<h3>{escape(frame.title)}</h3>
{main}
<p>{frame.words.posted} {frame.published}
<hr>
{_links(frame, 0, 4, "{}<br>")}
{_footer(frame, rng)}
"""
