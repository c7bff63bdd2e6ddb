"""Extraction: columns, the bounds of a page's work, and what passes through."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resiliparse.extract.html2text import extract_plain_text

from stages.extract import BLOCKS, Extract, hazards

ARTICLE = (
    "<html><head><title> 今日\n新闻 </title><meta charset=gb2312></head>"
    "<body><nav><ul><li><a href=/>首页</a></ul></nav>"
    "<article><h1>标题</h1>"
    + "".join(f"<p>这是正文的第{n}段，我们在这里说明公司的产品和价格，大家可以看一看。</p>" for n in range(5))
    + "<p>最后 &lt;一段&gt;<img alt=图片 src=x></p></article><footer>版权所有</footer></body></html>"
)


def batch(*pages: tuple[bytes | None, str | None, str | None]) -> pa.RecordBatch:
    body, charset, mime = zip(*pages) if pages else ((), (), ())
    return pa.record_batch(
        {
            "body": pa.array(body, pa.binary()),
            "http_charset": pa.array(charset, pa.string()),
            "mime": pa.array(mime, pa.string()),
        }
    )


def test_main_text_and_title_of_a_page() -> None:
    columns = Extract().apply(batch((ARTICLE.encode("gbk"), None, "text/html")), None)
    text = columns["text"][0].as_py()
    assert "这是正文的第3段" in text
    assert "<一段>" in text
    for left_out in ("首页", "版权所有", "图片"):
        assert left_out not in text
    assert text.count("\n") >= 5
    assert {name: columns[name][0].as_py() for name in columns if name != "text"} == {
        "title": "今日 新闻",
        "charset": "gb18030",
        "charset_source": "meta",
        "decode_errors": 0,
        "extract_limit": None,
    }


def test_columns_are_those_declared_at_any_size() -> None:
    for pages in ([], [(b"", None, None)], [(None, None, None), (ARTICLE.encode(), "utf-8", None)]):
        columns = Extract().apply(batch(*pages), None)
        assert {name: column.type for name, column in columns.items()} == Extract.adds
        assert {len(column) for column in columns.values()} == {len(pages)}


def test_undecodable_pages_are_rows_too() -> None:
    columns = Extract().apply(batch((bytes(range(256)) * 9, None, "text/html"), (ARTICLE.encode(), None, None)), None)
    assert columns["text"][0].as_py() == ""
    assert columns["charset"].to_pylist() == [None, "utf-8"]
    assert columns["charset_source"].to_pylist() == ["none", "utf8"]
    assert columns["title"].to_pylist() == [None, "今日 新闻"]


def test_plain_text_passes_through() -> None:
    text = "a < b\n\n  <p>no page</p>\r\n" + "说明我们的产品" * 3
    page = Extract().page(text.encode("gbk"), "gb2312", "text/plain")
    assert (page.text, page.title, page.charset) == (text, None, "gb18030")


def test_comments_can_be_left_out() -> None:
    html = ARTICLE.replace("</article>", "</article><div class=comments><p>写得真好，谢谢作者分享这些内容。</p></div>")
    assert "写得真好" in Extract().page(html.encode(), None, None).text
    assert "写得真好" not in Extract(comments=False).page(html.encode(), None, None).text


def test_long_bodies_are_cut_and_say_so() -> None:
    body = ARTICLE.encode("gbk")
    cut = body.index("第3段".encode("gbk")) + 1  # inside a character
    page = Extract(max_body_bytes=cut).page(body, None, "text/html")
    assert (page.extract_limit, page.decode_errors) == ("bytes", 0)
    assert "第2段" in page.text
    assert "第3" not in page.text
    assert Extract(max_body_bytes=len(body)).page(body, None, None).extract_limit is None


def test_titles_are_bounded() -> None:
    page = Extract().page(b"<title>" + b"x " * 5000 + b"</title><p>text", None, None)
    assert page.title is not None
    assert len(page.title) == 1024


# What each costs without bounds, on 4 MB: minutes, or gigabytes.
HOSTILE = {
    "div": ("<div>a" * 300_000, "depth"),
    "article": ("<article>a" * 200_000, "depth"),
    "ol": ("<ol>a" * 300_000, "depth"),
    "stray ends": ("<div><table><td></div>a" * 60_000, "depth"),
    "attributes": ("<p " + " ".join(f"a{n}=1" for n in range(200_000)) + ">text", "tags"),
    "wide": ("<div>a</div>" * 100_000, None),
    "links": ("<a><p>x" * 100_000, None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_of_hostile_pages_is_bounded(name: str) -> None:
    html, limit = HOSTILE[name]
    started = time.process_time()
    page = Extract().page(html.encode(), "utf-8", "text/html")
    assert page.extract_limit == limit
    assert len(page.text) < 2 * len(html)
    assert time.process_time() - started < 10  # 1.5 s at the most where it was measured


def test_just_below_the_bounds_the_work_is_bounded_too() -> None:
    page = Extract().page(b"<ol>a" * BLOCKS, "utf-8", "text/html")
    assert page.extract_limit is None
    assert len(page.text) < 10_000_000


def test_the_switches_are_resiliparses_own() -> None:
    wanted = extract_plain_text(ARTICLE, preserve_formatting=True, main_content=True, alt_texts=False)
    assert Extract().page(ARTICLE.encode(), "utf-8", None).text == wanted


def test_hazards_counts() -> None:
    def of(html: str) -> tuple[int, int]:
        return hazards(np.frombuffer(html.encode(), np.uint8))

    assert of("<div><DIV class=x><divx></div>") == (2, 4**2 + 12**2 + 5**2)
    assert of("<ol/><ul\n><li><article") == (3, 4**2 + 4**2 + 3**2 + 8**2)
    assert of("") == (0, 0)
    assert of("a < b <") == (0, 0)
    assert of("<p a='<'>")[1] == 6**2


def test_bad_parameters() -> None:
    with pytest.raises(ValueError, match=r"max_body_bytes must be at least 1 \(got 0\)"):
        Extract(max_body_bytes=0)
    with pytest.raises(ValueError, match="max_depth"):
        Extract(max_depth=-1)


PARTS = ["<div>", "</div>", "<p>", "文字", "a b", "<", ">", "&amp", "<!--", "\0", "<script>", "\r"]


@given(st.lists(st.sampled_from(PARTS)))
@settings(max_examples=100, deadline=None)
def test_any_page_gives_valid_text_and_batching_changes_nothing(parts: list[str]) -> None:
    body = "".join(parts).encode()
    rows = [(body, None, "text/html"), (ARTICLE.encode(), None, None), (body, "gbk", None)]
    whole = Extract().apply(batch(*rows), None)
    assert all(text is not None for text in whole["text"].to_pylist())
    for index, row in enumerate(rows):
        single = Extract().apply(batch(row), None)
        assert {name: column[0] for name, column in single.items()} == {n: c[index] for n, c in whole.items()}
