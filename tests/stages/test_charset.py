"""Character sets: what a page declares against what its bytes say."""

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages.charset import CODECS, Decoded, declared_in, decode, name_of

SIMPLIFIED = (
    "我们在这里说明，本公司的产品已经上市。大家可以到网站上查看价格和说明，也可以打电话来问。"
    "去年的销售比前年多了三成，主要是因为新产品的质量好。"
)
TRADITIONAL = (
    "我們在這裡說明，本公司的產品已經上市。大家可以到網站上查看價格和說明，也可以打電話來問。"
    "去年的銷售比前年多了三成，主要是因為新產品的品質好。"
)
JAPANESE = "これは日本語の文章です。文字コードを判定するために、かなと漢字を混ぜて書いています。よろしくお願いします。"
KOREAN = "이것은 한국어로 쓴 글입니다. 문자 집합을 알아내기 위해 여러 낱말을 섞어서 씁니다. 잘 부탁드립니다."
RUSSIAN = "Это обычный русский текст, по которому нужно определить кодировку страницы. Слова здесь самые обыкновенные."
FRENCH = "Voilà l'été : les élèves préfèrent la forêt à l'école, où l'on s'ennuie très tôt. Ça n'a rien d'étonnant."

# Not ours: what Python's codecs write.
LEGACY = [
    (SIMPLIFIED, "gbk", "gb18030"),
    (SIMPLIFIED, "gb2312", "gb18030"),
    (SIMPLIFIED, "gb18030", "gb18030"),
    (TRADITIONAL, "big5", "big5-hkscs"),
    (TRADITIONAL, "gbk", "gb18030"),
    (JAPANESE, "euc_jp", "euc-jp"),
    (JAPANESE, "cp932", "shift_jis"),
    (KOREAN, "cp949", "euc-kr"),
    (RUSSIAN, "cp1251", "windows-1251"),
    (RUSSIAN, "koi8_r", "koi8-r"),
]


def page(text: str, codec: str, declared: str = "") -> bytes:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    return f"<html><head>{meta}</head><body><p>{text}</p></body></html>".encode(codec)


@pytest.mark.parametrize(("text", "codec", "name"), LEGACY)
def test_detects_what_nothing_declares(text: str, codec: str, name: str) -> None:
    got = decode(page(text, codec))
    assert (got.charset, got.source, got.errors) == (name, "detected", 0)
    assert text in got.text


@pytest.mark.parametrize(("text", "codec", "name"), LEGACY)
def test_a_right_declaration_is_named_as_the_source(text: str, codec: str, name: str) -> None:
    assert decode(page(text, codec), name)[1:] == (name, "http", 0)
    assert decode(page(text, codec, name))[1:] == (name, "meta", 0)
    assert decode(page(text, codec, name), name).source == "http"


@pytest.mark.parametrize("wrong", ["utf-8", "iso-8859-1", "big5", "gb2312", "windows-1252", "no-such-charset"])
@pytest.mark.parametrize(("text", "codec", "name"), LEGACY)
def test_a_wrong_declaration_is_overruled(text: str, codec: str, name: str, wrong: str) -> None:
    got = decode(page(text, codec, wrong), wrong)
    assert (got.charset, text in got.text) == (name, True)


@pytest.mark.parametrize("wrong", ["gb2312", "big5", "iso-8859-1", "shift_jis", "utf-16"])
def test_valid_utf8_is_utf8(wrong: str) -> None:
    for text in (SIMPLIFIED, TRADITIONAL, JAPANESE, RUSSIAN, FRENCH):
        got = decode(page(text, "utf-8", wrong), wrong)
        assert (got.charset, got.errors) == ("utf-8", 0)
        # A declared UTF-16 that can be read as ASCII stands for UTF-8 (HTML standard).
        assert got.source == ("http" if wrong == "utf-16" else "utf8")


@pytest.mark.parametrize("text", ["今年的新产品", "這個問題是", "我们的大学生", "中國的經濟"])
def test_few_characters_are_enough_for_chinese(text: str) -> None:
    for codec, name in (("gb18030", "gb18030"), ("big5hkscs", "big5-hkscs")):
        if text.encode(codec, "ignore").decode(codec) == text:
            assert decode(text.encode(codec)).charset == name


def test_two_declarations_and_the_bytes_decide() -> None:
    body = page(RUSSIAN, "cp1251", "windows-1251")
    assert decode(body, "iso-8859-1")[1:] == ("windows-1251", "meta", 0)
    assert decode(page(FRENCH, "cp1252", "windows-1251"), "iso-8859-1").charset == "windows-1252"


def test_labels_stand_for_what_browsers_take_them_for() -> None:
    wanted = {
        "GB2312": "gb18030",
        "gbk": "gb18030",
        '"GBK"': "gb18030",
        "x-gbk": "gb18030",
        "Big5": "big5-hkscs",
        "ISO-8859-1": "windows-1252",
        "us-ascii": "windows-1252",
        "shift-jis": "shift_jis",
        "x-sjis": "shift_jis",
        "ks_c_5601-1987": "euc-kr",
        "UTF8": "utf-8",
        "utf-16": "utf-8",
    }
    assert {label: name_of(label) for label in wanted} == wanted
    # Codecs of Python that are no character sets must never be reached from a page.
    for label in ("rot13", "zlib", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "hex", "", None, "a\0b"):
        assert name_of(label) is None
    assert {name_of(codec) for codec in ("gb18030", "cp1251", "euc_jp")} <= set(CODECS)


def test_characters_beyond_the_declared_set() -> None:
    # 镕 is in GBK and not in GB2312; 𠀋 takes four bytes of GB18030; 碁 is in Big5 as Windows has it.
    assert decode(page(SIMPLIFIED + "朱镕基𠀋", "gb18030", "gb2312")).text.count("镕基𠀋") == 1
    assert "恒生碁" in decode(page(TRADITIONAL + "恒生碁", "big5hkscs", "big5")).text


def test_declarations_are_found_in_the_first_4_kilobytes_only() -> None:
    assert declared_in(b"<meta charset=gbk>") == "gbk"
    assert declared_in(b"<META HTTP-EQUIV='x' CONTENT='text/html;CHARSET=Big5'>") == "Big5"
    assert declared_in(b"<?xml version='1.0' encoding='EUC-JP'?><rss>") == "EUC-JP"
    assert declared_in(b"<!-- <meta charset=gbk> --><meta charset='utf-8'>") == "utf-8"
    assert declared_in(b" " * 4090 + b"<meta charset=gbk>") is None
    assert declared_in(b"<p>charset=gbk</p>") is None


@pytest.mark.parametrize(
    ("mark", "name"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16le"),
        (codecs.BOM_UTF16_BE, "utf-16be"),
        (codecs.BOM_UTF32_LE, "utf-32le"),
        (codecs.BOM_UTF32_BE, "utf-32be"),
    ],
)
def test_a_byte_order_mark_decides_and_goes(mark: bytes, name: str) -> None:
    for text in (SIMPLIFIED, "a", ""):
        assert decode(mark + text.encode(CODECS[name]), "gbk") == Decoded(text, name, "bom", 0)


def test_a_byte_order_mark_can_lie() -> None:
    assert decode(codecs.BOM_UTF8 + SIMPLIFIED.encode("gbk")).charset == "gb18030"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_wide_characters_without_a_mark(codec: str) -> None:
    got = decode(page(FRENCH, codec))
    assert (got.charset, got.source) == (codec.replace("-le", "le").replace("-be", "be"), "detected")
    assert FRENCH in got.text


def test_seven_bits() -> None:
    assert decode(b"plain") == Decoded("plain", "utf-8", "utf8", 0)
    assert decode(b"plain", "utf-8").source == "http"
    assert decode(b"", "gbk") == Decoded("", "utf-8", "utf8", 0)
    for codec in ("iso2022_jp", "hz"):
        text = JAPANESE if codec == "iso2022_jp" else SIMPLIFIED
        assert text in decode(page(text, codec, codec.replace("iso2022_jp", "iso-2022-jp")), codec).text
    assert decode(b"~{ is no Chinese ~} and \x1b$ is none")[1:] == ("utf-8", "utf8", 0)


def test_errors_are_counted_and_authors_replacement_characters_are_not() -> None:
    broken = SIMPLIFIED.encode() + b"\xff" + SIMPLIFIED.encode() + b"\xe4\xbd"
    assert decode(broken)[1:] == ("utf-8", "utf8", 2)
    assert decode(broken, whole=False).errors == 1  # cut off inside its last character, which is no error
    assert decode((SIMPLIFIED + "\ufffd").encode()).errors == 0
    assert decode((SIMPLIFIED + "\ufffd").encode() + b"\xff").errors == 1
    assert decode(SIMPLIFIED.encode("gbk") + b"\xff").errors == 1


def test_what_is_no_text_is_undecodable() -> None:
    nothing = Decoded("", None, "none", 0)
    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000200000002008060000") + bytes(range(256)) * 8
    assert decode(png) == nothing
    assert decode(png, "utf-8") == nothing


LABELS = [None, "utf-8", "gbk", "big5", "latin1", "utf-16", "hz", "iso-2022-kr"]


@given(st.binary(max_size=200), st.sampled_from(LABELS))
@settings(max_examples=300, deadline=None)
def test_any_bytes_give_valid_text(body: bytes, label: str | None) -> None:
    got = decode(body, label)
    got.text.encode()  # no lone surrogates
    assert got.errors >= 0
    assert (got.charset is None) == (got.source == "none")
    assert got.charset is None or got.charset in CODECS
    assert got.charset is not None or got.text == ""


@given(st.text(st.characters(min_codepoint=1, exclude_categories=["Cs", "Cc"]), max_size=80))
@settings(max_examples=200, deadline=None)
def test_utf8_is_never_changed(text: str) -> None:
    assert decode(text.encode(), "gbk").text == text.removeprefix("\ufeff")
