"""Extraction: columns, the bounds of a page's work, and what passes through."""

import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.extract import Extract

ARTICLE = (
    "<html><head><title> 今日\n新闻 </title><meta charset=gb2312></head>"
    "<body><nav><ul><li><a href=/>首页</a></ul></nav>"
    "<article><h1>标题</h1>"
    + "".join(f"<p>这是正文的第{n}段，我们在这里说明公司的产品和价格，大家可以看一看。</p>" for n in range(5))
    + "<p>最后我们再说明 &lt;一段&gt; 内容，全文到此为止，谢谢大家。<img alt=图片 src=x></p></article><footer>版权所有</footer></body></html>"
)


def batch(*pages: tuple[bytes | None, str | None, str | None]) -> pa.RecordBatch:
    body, charset, mime = zip(*pages) if pages else ((), (), ())
    return pa.record_batch(
        {
            "body": pa.array(body, pa.binary()),
            "http_charset": pa.array(charset, pa.string()),
            "mime": pa.array(mime, pa.string()),
            "url": pa.array([None] * len(body), pa.string()),
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
        "published": None,
        "published_source": None,
        "charset": "gb18030",
        "charset_source": "meta",
        "decode_errors": 0,
        "undecodable": 0,
        "blocks": 9,
        "blocks_kept": columns["text"][0].as_py().count("\n\n") + 1,
        "main_share": columns["main_share"][0].as_py(),
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
    assert columns["undecodable"].to_pylist() == [1, 0]
    assert columns["charset_source"].to_pylist() == ["none", "utf8"]
    assert columns["title"].to_pylist() == [None, "今日 新闻"]


def test_plain_text_passes_through() -> None:
    text = "a < b\n\n  <p>no page</p>\r\n" + "说明我们的产品" * 3
    page = Extract().page(text.encode("gbk"), "gb2312", "text/plain")
    assert (page.text, page.title, page.charset) == (text, None, "gb18030")
    assert (page.blocks, page.blocks_kept, page.main_share) == (1, 1, 1)


def test_keep_moves_between_everything_and_nothing() -> None:
    sizes = [len(Extract(keep=keep).page(ARTICLE.encode(), None, None).text) for keep in (0, 0.2, 0.45, 0.9, 0.9999)]
    assert sizes == sorted(sizes, reverse=True)
    everything = Extract(keep=0).page(ARTICLE.encode(), None, None)
    assert "版权所有" in everything.text
    assert everything.blocks == everything.blocks_kept == 9
    assert everything.main_share == 1


def test_account_tells_what_became_of_each_block() -> None:
    row = {"body": ARTICLE.encode("gbk"), "http_charset": None, "mime": "text/html", "url": None}
    blocks = next(account for account in Extract().account(row, None) if "blocks kept" in account.title)
    kept = {entry["text"]: entry[""] for entry in blocks.rows}
    assert kept["首页"] == kept["版权所有"] == "left out"
    assert kept["最后我们再说明 <一段> 内容，全文到此为止，谢谢大家。"] == "kept"
    assert "read as gb18030" in [account.title for account in Extract().account(row, None)]
    (only,) = Extract().account(row | {"body": bytes(range(256)) * 9}, None)
    assert only.title == "read as nothing"


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


HOSTILE = {
    "div": ("<div>a" * 300_000, "tags"),
    "ol": ("<ol>a" * 200_000, None),
    "stray ends": ("<div><table><td></div>a" * 60_000, None),
    "attributes": ("<p " + " ".join(f"a{n}=1" for n in range(200_000)) + ">text", None),
    "wide": ("<div>a</div>" * 100_000, None),
    "links": ("<a><p>x" * 100_000, None),
    "same words": ("<p>share this on facebook, read more comments" * 50_000, None),
    "one word": ("<p>" + "a" * 4_000_000, None),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_work_of_hostile_pages_is_bounded(name: str) -> None:
    html, limit = HOSTILE[name]
    started = time.process_time()
    page = Extract().page(html.encode(), "utf-8", "text/html")
    assert page.extract_limit == limit
    assert len(page.text) < 4 * len(html)
    assert time.process_time() - started < 10  # 1.5 s at the most where it was measured


def test_bad_parameters() -> None:
    with pytest.raises(ValueError, match=r"max_body_bytes must be at least 1 \(got 0\)"):
        Extract(max_body_bytes=0)
    with pytest.raises(ValueError, match="max_tags"):
        Extract(max_tags=-1)
    with pytest.raises(ValueError, match="keep must be from 0 to below 1"):
        Extract(keep=1)


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


def test_the_title_is_said_once() -> None:
    page = ARTICLE.replace("<h1>标题</h1>", "<h1>今日 新闻</h1>").replace("</article>", "<p>今日新闻</p></article>")
    assert Extract().page(page.encode(), None, None).text.replace(" ", "").count("今日新闻") == 1
