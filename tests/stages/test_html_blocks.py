"""Blocks of pages: what breaks them, what they hold, what stands around them; and that any bytes give some."""

import html as html_library

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from resiliparse.extract.html2text import extract_plain_text

from stages import html_tags as tags
from stages.html_blocks import COLUMN, META, TITLE, Blocks, segment
from stages.html_entities import entities

MAX_TAGS = 1 << 18


def blocks_of(page: str, max_tags: int = MAX_TAGS) -> Blocks:
    return segment(np.frombuffer(page.encode(), dtype=np.uint8), max_tags)


def texts(page: str) -> list[str]:
    blocks = blocks_of(page)
    return [blocks.text[start:end].tobytes().decode() for start, end in blocks.table[:, :2].tolist()]


def column(page: str, name: str) -> list[int]:
    return blocks_of(page).table[:, COLUMN[name]].tolist()


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<p>one<p>two", ["one", "two"]),
        ("<div>a<b>b</b> <i>c</i></div>d", ["ab c", "d"]),
        ("one<br>two<br/><br>three", ["one", "two", "three"]),
        ("<ul><li>a<li>b <b>c</ul>d", ["a", "b c", "d"]),
        ("<table><tr><td>a<td>b<tr><th>c</table>", ["a", "b", "c"]),
        ("<p> white \n space\t here </p>", ["white space here"]),
        ("<p>中文\n中文 中文</p>", ["中文中文 中文"]),
        ("<p>　　首行缩进　　</p>", ["首行缩进"]),
        ("<p>a&nbsp;&nbsp;b</p>", ["a b"]),
        ("<pre>\n  a\n    b\n</pre>", ["  a\n    b"]),
        ("<pre>a<br>b</pre>", ["a\nb"]),
        ("a<script>if (a<b) '<p>'</script>b<style>p{}</style>c", ["abc"]),
        ("a<!-- <p>no</p> -->b<!-->c<!--->d", ["abcd"]),
        ("a<!-- to the end", ["a"]),
        ("<![CDATA[x]]>a<?php echo ?>b", ["ab"]),
        ("3 < 4 <5 & <", ["3 < 4 <5 & <"]),
        ("<p>a</p></p>b</div></table>c", ["a", "b", "c"]),
        ("<b><p>a</b>b</p>c", ["ab", "c"]),
        ("<select><option>1<option>2</select>a", ["a"]),
        ("<div><select><option>1</div>a", ["a"]),
        ("<svg><title>no</title><path/></svg>a<svg/>b", ["ab"]),
        ("<ruby>漢<rp>(<rt>kan<rp>)</ruby>字", ["漢字"]),
        ("<span aria-hidden=true>×</span>a", ["a"]),
        ("<noscript>turn it on</noscript>a<textarea>b</textarea><title>t</title>", ["a"]),
        ("<table><tr><td class=lineno>1<td><pre>code</pre></table>", ["code"]),
        ("<custom-element>a</custom-element><x>b</x>", ["ab"]),
        ("<script>never closed <p>a", []),
        ("a <a href='x>y'>b</a>", ["a b"]),
        ("<p title=\"a>b\" class='c'>d", ["d"]),
        ("", []),
    ],
)
def test_what_breaks_and_what_is_left_out(page: str, expected: list[str]) -> None:
    assert texts(page) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<math><mi>x</mi><mo>=</mo><annotation encoding="application/x-tex">x=1</annotation></math>', ["$x=1$"]),
        ("so <math><mi>x</mi></math> then", ["so x then"]),
        ('let <script type="math/tex">a^2</script> be', ["let $a^2$ be"]),
        ('<script type="math/tex; mode=display">a</script>', ["$$a$$"]),
        ('<script type="text/javascript">a</script>b', ["b"]),
        ('<img class="latex" alt="\\alpha">', ["$\\alpha$"]),
        ('<img alt="a picture">b', ["b"]),
    ],
)
def test_formulas_are_tex_where_the_page_has_it(page: str, expected: list[str]) -> None:
    assert texts(page) == expected


def test_character_references_are_those_of_the_standard_library() -> None:
    names = [name if name.endswith(";") else f"{name} " for name in html_library.entities.html5]
    for name in names:
        text = f"x&{name}y"
        expected = " ".join(html_library.unescape(text).replace("\xad", "\xad").split())
        if any(ord(c) in (0x200B, 0xFEFF) or 0x7F <= ord(c) < 0xA0 for c in expected):
            continue
        assert texts(f"<pre>{text}</pre>")[0].split() == expected.split(), name


@given(st.integers(0, 0x120000), st.sampled_from(["&#{};", "&#x{:x};", "&#{} ", "&#X{:X};"]))
def test_numbers_are_those_of_the_standard_library(number: int, form: str) -> None:
    page = "x" + form.format(number) + "y"
    expected = html_library.unescape(page)
    got = texts(f"<pre>{page}</pre>")
    if (
        number < 0x21
        or 0x7F <= number <= 0xA0
        or number in (0x200B, 0xFEFF, 0x3000)
        or (number < 0x110000 and chr(number).isspace())
    ):
        return
    # html.unescape drops what no document may hold; a reader would see U+FFFD, or the character.
    if "\ufffd" in expected or len("".join(expected.split())) < 3:
        return
    assert got[0].split() == expected.split()


def test_links_bold_and_widths_are_counted() -> None:
    page = "<p>ab <a href=x>cd</a> <b>中</b></p>"
    assert column(page, "width") == [9]
    assert column(page, "link_width") == [3]
    assert column(page, "links") == [1]
    assert column(page, "bold_width") == [3]
    assert column("<p>ab <a name=x>cd</a></p>", "link_width") == [0]
    assert column("a<br>b<p>c", "after_br") == [0, 1, 0]


def test_class_names_say_what_a_block_is_for() -> None:
    page = '<div class="mainContent"><ul id="top-nav"><li>a</ul><div class="articleBody">b</div></div>c'
    blocks = blocks_of(page)
    names = [
        {name for bit, name in enumerate(tags.CATEGORIES) if mask >> bit & 1} for mask in blocks.table[:, COLUMN["all"]]
    ]
    assert {"content", "nav"} <= names[0]
    assert "nav" not in names[1]
    assert {"content", "article"} <= names[1]
    assert names[2] == set()
    # "ad" is a word, not a part of "shadow" or "header".
    assert [mask >> tags.CATEGORIES.index("ad") & 1 for mask in column('<p class="shadow header">x', "all")] == [0]
    assert [mask >> tags.CATEGORIES.index("ad") & 1 for mask in column('<p class="left ad_1">x', "all")] == [1]


def test_what_stands_above() -> None:
    page = "<nav><p>a</p></nav><article><table><tr><td>b</table></article><div style='display: none'>c</div>"
    flags = column(page, "flags")
    assert flags[0] & tags.IN_NAV
    assert not flags[0] & tags.IN_ARTICLE
    assert flags[1] & tags.IN_ARTICLE
    assert flags[1] & tags.IN_TABLE
    assert flags[2] & tags.IN_HIDDEN


def test_titles_and_metas_are_noted_where_they_stand() -> None:
    page = '<title>a &amp; b</title><meta name=date content="2011-05-06"><p>x'
    marks = blocks_of(page).marks.tolist()
    assert [(kind, page[start:end]) for kind, start, end in marks] == [
        (TITLE, "a &amp; b"),
        (META, '<meta name=date content="2011-05-06">'),
    ]


def test_more_tags_than_looked_at_are_said() -> None:
    page = "<p>a" * 50
    assert blocks_of(page, 50).whole
    assert len(blocks_of(page, 10).table) == 10
    assert not blocks_of(page, 10).whole


HOSTILE = {
    "nested": "<div>" * 200_000,
    "nested lists": "<ul><li>" * 100_000 + "x",
    "nested tables": "<table><tr><td>" * 60_000 + "x",
    "attributes": "<div " + "a=1 " * 400_000 + ">x",
    "one tag": "<div " + "a" * 2_000_000,
    "comments": "<!--" * 300_000,
    "unclosed": "<title><textarea><noscript>" * 50_000,
    "ends": "</p></div></b>" * 100_000,
    "formatting": "<b><i><u>" * 100_000 + "</b>" * 100_000,
    "entities": "&" * 1_000_000 + "&NotEqualTilde" * 50_000,
    "quotes": "<a href='" * 100_000,
    "spaces": "x" + " \n" * 500_000 + "y",
    "same class": '<p class="' + "nav-" * 200 + '">x' * 2_000,
    "blocks": "<p>x" * 200_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pages_are_read_to_their_bounds(name: str) -> None:
    blocks = blocks_of(HOSTILE[name])
    assert blocks.text.size <= 1.3 * len(HOSTILE[name]) + 64
    assert len(blocks.table) <= MAX_TAGS + 1


PIECES = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<div>",
        "</div>",
        "<table>",
        "<tr>",
        "<td>",
        "</td>",
        "</table>",
        "<ul>",
        "<li>",
        "</li>",
        "</ul>",
        "<b>",
        "</b>",
        "<a",
        "href=x>",
        "</a>",
        "<br>",
        "<pre>",
        "</pre>",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<math>",
        "<annotation>",
        "</math>",
        "<svg>",
        "</svg>",
        "<select>",
        "</select>",
        "&amp;",
        "&#x4e2d;",
        "<title>",
        "</title>",
        "<h1>",
        "</h1>",
        "<img",
        "class=tex",
        "alt=x>",
        "<td",
        "class=gutter>",
        "<body>",
        "</body>",
        "中文",
        "。",
        "\u3000",
        "\xa0",
        "x",
        "\n",
        "<",
        ">",
        "&",
        "\ud7ff",
        "😀",
    ]
)


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=60))
@example(["<pre>", "\n", "</pre>"])
def test_any_page_gives_blocks_that_hold_together(pieces: list[str]) -> None:
    blocks = blocks_of("".join(pieces))
    text = blocks.text.tobytes()
    at = 0
    for start, end in blocks.table[:, :2].tolist():
        assert start == at
        assert end > start
        at = end
        assert text[start:end].decode().strip() != ""
    assert at == len(text)
    table = blocks.table
    assert (table[:, COLUMN["link_width"]] <= table[:, COLUMN["width"]]).all()
    assert (table[:, COLUMN["element"]] < len(blocks.elements)).all()
    assert (blocks.elements[1:, 0] < np.arange(1, len(blocks.elements))).all()


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_read(page: bytes) -> None:
    segment(np.frombuffer(page, dtype=np.uint8), MAX_TAGS)


@given(st.lists(st.sampled_from(["<p>", "<div>", "</div>", "<b>", "</b>", "<li>", "word ", "中文"]), max_size=40))
def test_visible_text_is_what_resiliparse_sees(pieces: list[str]) -> None:
    page = "<body>" + "".join(pieces)
    seen = extract_plain_text(page, preserve_formatting=False, main_content=False)
    assert "".join("".join(texts(page)).split()) == "".join(seen.split()).replace("•", "")


def test_the_table_of_entities_holds_all_names() -> None:
    table = entities()
    assert np.count_nonzero(table.hashes) == len({name.rstrip(";") for name in html_library.entities.html5})
