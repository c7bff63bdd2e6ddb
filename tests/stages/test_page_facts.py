"""What a page says of its title and its day."""

import numpy as np
import pytest

from stages.block_features import features
from stages.html_blocks import segment
from stages.page_facts import Facts, facts, page_name


def told(page: str, url: str | None = None, kept: slice = slice(None)) -> Facts:
    data = np.frombuffer(page.encode(), dtype=np.uint8)
    blocks = segment(data, 10_000)
    name = page_name(data, blocks)
    says = features(blocks, np.frombuffer(name.encode(), dtype=np.uint8)).says
    stays = np.zeros(len(blocks.table), dtype=bool)
    stays[kept] = True
    return facts(data, blocks, says, stays, name, url)


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title> A &amp;\n B </title><p>x", "A & B"),
        ("<title>今日新闻_新浪网</title><h1>今日新闻</h1>", "今日新闻"),
        ("<title>今日新闻_新浪网</title><h1>新浪网</h1>", "今日新闻_新浪网"),
        ("<title>a</title><meta property=og:title content='b &lt; c'>", "b < c"),
        ("<title></title><p>x", None),
        ("<p>x", None),
        ("<title>" + "字" * 3000 + "</title>", "字" * 1024),
    ],
)
def test_title(page: str, title: str | None) -> None:
    assert told(page).title == title


@pytest.mark.parametrize(
    ("page", "url", "published", "source"),
    [
        ('<script type="application/ld+json">{"datePublished": "2019-03-04T05:06:07Z"}</script>', None, "2019-03-04", "data"),
        ("<meta property='article:published_time' content='2011-05-06T10:00:00+08:00'>", None, "2011-05-06", "meta"),
        ("<meta name=author content='2011-05-06'><p>x", None, None, None),
        ("<time datetime=2015-01-02 pubdate>x</time>", None, "2015-01-02", "time"),
        ("<time datetime=2015-01-02>x</time>", None, None, None),
        ("<p>x", "http://a.cn/2012/03/04/x.html", "2012-03-04", "url"),
        ("<p>x", "http://a.cn/20120304/x.html", "2012-03-04", "url"),
        ("<p>x", "http://a.cn/2012/13/04/x.html", None, None),
        ("<p>来源：新华网 2011年12月9日 10:20<p>正文", None, "2011-12-09", "text"),
        ("<p>Posted by Ann on March 3rd, 2010<p>text", None, "2010-03-03", "text"),
        ("<p>3 March 2010<p>text", None, "2010-03-03", "text"),
        ("<p>" + "The treaty of 3 March 1995 was signed by all who had come to the town. " * 5, None, None, None),
        ("<p>2011-02-30<p>text", None, None, None),
        ("<p>1850-01-01<p>text", None, None, None),
    ],
)  # fmt: skip
def test_day(page: str, url: str | None, published: str | None, source: str | None) -> None:
    found = told(page, url)
    assert (found.published, found.published_source) == (published, source)


def test_a_day_far_from_the_text_is_not_its_own() -> None:
    page = "<p>2001-01-01" + "<p>menu" * 30 + "<p>2011-05-06<p>text" + "<p>menu" * 30 + "<p>2012-01-01"
    assert told(page, kept=slice(32, 33)).published == "2011-05-06"
