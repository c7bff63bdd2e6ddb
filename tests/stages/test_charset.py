"""Character sets: what a page declares against what its bytes say."""

import codecs
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stages import charset_bits
from stages.charset import CODECS, Decoded, declared_in, decode, evidence, name_of
from stages.charset_letters import ERROR, languages, pair_costs, wide_cost

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

POLISH = "Zażółć gęślą jaźń, powiedział sąsiad, i poszedł źle oświetloną ścieżką wzdłuż łąki, aż do końca wsi."
HUNGARIAN = "Az őszi erdőben hűvös szél fújt, és a gyűrűs fák között csöndben sétált egy öregember a kutyájával."
ROMANIAN = "Așa că băieții și fetele au învățat toată după-amiaza, iar seara și-au făcut timp să cânte în grădină."
UKRAINIAN = "Це звичайний український текст, за яким треба впізнати кодування сторінки. Її слова тут найпростіші."
GREEK = "Αυτό είναι ένα συνηθισμένο ελληνικό κείμενο, από το οποίο πρέπει να βρεθεί η κωδικοποίηση της σελίδας."
HEBREW = "זהו טקסט רגיל בעברית שממנו צריך לזהות את קידוד הדף. המילים כאן הן המילים הפשוטות ביותר שיש בשפה."
ARABIC = "هذا نص عربي عادي يجب أن نعرف منه ترميز الصفحة. الكلمات هنا هي أبسط الكلمات الموجودة في اللغة العربية."
THAI = "นี่คือข้อความภาษาไทยธรรมดาที่ใช้ในการตรวจสอบรหัสอักขระของหน้าเว็บ คำในที่นี้เป็นคำที่ใช้กันทั่วไป"
TURKISH = "Bu sayfanın hangi karakter kümesinde yazıldığını bulmak için sıradan bir Türkçe metin; şöyle güzel, değişik çiçekler."
LITHUANIAN = "Šis puslapis parašytas lietuviškai, todėl čia gausu raidžių su nosinėmis ir varnelėmis: ąžuolas, žąsis, šeši ėriukai."
ESPERANTO = "Ĉiuj homoj estas denaske liberaj kaj egalaj; ĝuste tial ŝi ĵetis ĉion kaj ĝoje iris antaŭen laŭ la vojo."
WELSH = "Mae'r tŷ ger y dŵr yn hen iawn, a'r gŵr a'r ŵyr yn byw ynddo; mae'r ŵydd ar y tywyrch ŷd ger y cŵn."
ICELANDIC = (
    "Það var einu sinni maður sem átti þrjár dætur, og þær þóttu allar fríðar; sú yngsta hét Þórdís og bjó á Íslandi."
)
VIETNAMESE = "Tô\u0301i đo\u0323c sa\u0301ch trong thư viê\u0323n, va\u0300 ba\u0323n tô\u0301i viê\u0301t thư cho ngươ\u0300i me\u0323 ơ\u0309 nha\u0300 quê."

# A text for every set that is told by its bytes alone.
TEXTS = {
    **dict.fromkeys(("utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be", "windows-1252", "macintosh"), FRENCH),
    **dict.fromkeys(("gb18030", "hz-gb-2312"), SIMPLIFIED),
    "big5-hkscs": TRADITIONAL,
    **dict.fromkeys(("shift_jis", "euc-jp", "iso-2022-jp"), JAPANESE),
    **dict.fromkeys(("euc-kr", "iso-2022-kr", "johab"), KOREAN),
    **dict.fromkeys(("koi8-r", "windows-1251", "iso-8859-5", "ibm855", "ibm866", "x-mac-cyrillic"), RUSSIAN),
    "koi8-u": UKRAINIAN,
    **dict.fromkeys(("windows-1250", "iso-8859-2", "ibm852"), POLISH),
    **dict.fromkeys(("windows-1253", "iso-8859-7"), GREEK),
    **dict.fromkeys(("windows-1255", "iso-8859-8"), HEBREW),
    **dict.fromkeys(("windows-1256", "iso-8859-6"), ARABIC),
    "windows-874": THAI,
    "windows-1254": TURKISH,
    **dict.fromkeys(("windows-1257", "iso-8859-4", "iso-8859-13"), LITHUANIAN),
    "windows-1258": VIETNAMESE,
    "iso-8859-3": ESPERANTO,
    "iso-8859-10": ICELANDIC,
    "iso-8859-14": WELSH,
    "iso-8859-15": FRENCH + " Le cœur coûte 5 €.",
    "iso-8859-16": ROMANIAN,
}
# What only a declaration can tell: the same bytes are as good a text in another set.
UNTOLD = {"windows-1253", "iso-8859-8", "iso-8859-6", "iso-8859-10", "iso-8859-16", "iso-8859-13"}

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


@pytest.mark.parametrize("name", sorted(CODECS))
def test_every_charset_comes_back_as_declared(name: str) -> None:
    text = TEXTS[name]
    if name.startswith(("utf-16", "utf-32")):
        assert decode(page(text, CODECS[name])).charset == name
    else:
        assert name_of(name) == name
        assert text in decode(page(text, CODECS[name], name)).text


@pytest.mark.parametrize("name", sorted(set(CODECS) - UNTOLD))
def test_every_charset_is_told_by_its_bytes(name: str) -> None:
    assert TEXTS[name] in decode(page(TEXTS[name], CODECS[name])).text


@given(st.sampled_from(sorted(set(CODECS) - UNTOLD)), st.data())
@settings(max_examples=100, deadline=None)
def test_words_in_any_order_come_back(name: str, data: st.DataObject) -> None:
    words = data.draw(st.permutations(TEXTS[name].split(" ")))
    text = " ".join(words)
    assert decode(page(text, CODECS[name], name)).text == page(text, CODECS[name], name).decode(CODECS[name])


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


def test_a_page_of_a_language_that_was_never_counted_stays_what_it_declares() -> None:
    kazakh_as_written_in_russian_letters = "Балалар мектепке барады, мугалим сабак береди, кеште уйге кайтады."
    maori = "Ko te reo Māori te mauri o te mana Māori; ko ngā tāngata katoa ka whānau mai i runga i te rangatiratanga."
    assert decode(page(kazakh_as_written_in_russian_letters, "cp1251", "windows-1251")).source == "meta"
    assert maori in decode(page(maori, "iso8859_4", "iso-8859-4")).text


def test_repeated_characters_are_no_evidence() -> None:
    # 赞 twenty times over reads as a frequent Russian syllable twenty times over.
    assert decode(page("赞" * 20, "gbk", "gbk")).text.count("赞") == 20
    assert "　　“我们" in decode("　　　　“我们在这里说明".encode("gbk")).text


def test_english_with_some_damage_is_windows_1252() -> None:
    body = b"<p>It\x92s the caf\xe9\x92s menu \x96 \xa35 each.</p>" + b"<p>Nothing else is odd about this page.</p>" * 9
    assert "It\u2019s the café\u2019s menu \u2013 £5" in decode(body).text


def test_noise_is_undecodable_unless_it_is_a_little_of_a_page() -> None:
    noise = bytes(byte for byte in random.Random(0).randbytes(3000) if byte not in range(0x20))
    assert decode(noise) == decode(noise, "gb2312") == Decoded("", None, "none", 0)
    assert decode(b"<p>plain words and more</p>" * 9000 + noise).charset == "windows-1252"
    # Two letters of a language that was never counted are no noise.
    assert decode("chöömëj".encode("cp1252")).charset is not None


def test_euc_tw_is_told_and_undecodable() -> None:
    # The first 43 characters of TRADITIONAL, as iconv writes them; Python has no codec for EUC-TW.
    body = bytes.fromhex(
        "cabcd4afc7e3ddd5e6d3eba9cdfca1a2c6dbc4fcc6b3cefbdca8d0c2c4d8e5eec4b8c6cba1a4c4cbd5a5c6abc5e8ccafeabdd7bbc4b8d1e7"
        "d2e0eca4d6aacccfeba9cdfca1a2c4bec6abc5e8c6d4e7d9e6e3cbf4d9c2a1a4"
    )
    for label in (None, "big5", "euc-tw"):
        assert decode(body, label) == Decoded("", None, "none", 0)
    assert evidence(body)["bytes"][0]["charset"] == "euc-tw"


def test_evidence_says_what_was_claimed_and_what_the_bytes_cost() -> None:
    said = evidence(page(RUSSIAN, "koi8_r", "windows-1251"), "ISO-8859-1")
    assert (said["http"], said["http_means"]) == ("ISO-8859-1", "windows-1252")
    assert (said["meta"], said["meta_means"], said["bom"], said["utf8"]) == ("windows-1251",) * 2 + (None, "no")
    assert (said["chosen"], said["source"], said["errors"]) == ("koi8-r", "detected", 0)
    assert said["bytes"][0]["charset"] == "koi8-r"
    assert said["bytes"][0]["language"] == "ru"
    assert said["bytes"][0]["bits_each"] < said["bytes"][-1]["bits_each"]
    assert evidence(b"plain")["utf8"] == "ascii"
    assert (evidence(RUSSIAN.encode())["utf8"], evidence(RUSSIAN.encode())["bytes"]) == ("valid", [])
    assert evidence(codecs.BOM_UTF8 + b"a")["bom"] == "utf-8"


def test_costs_are_of_letters_as_a_language_uses_them() -> None:
    russian = languages()["ru"]
    costs = pair_costs([bytes([byte]).decode("cp1251", "ignore") or None for byte in range(256)], russian)

    def bits(pair: str) -> int:
        first, second = pair.encode("cp1251")
        return int(costs[first, second])

    assert bits("то") < bits("тщ") <= bits("тЩ")
    assert bits(" а") < bits("1§") < bits("а§")
    assert bits("ab") == 0  # the same in every set
    assert int(costs[0x20, 0x98]) == ERROR  # 0x98 is not defined
    chinese = languages()["zh"]
    assert wide_cost("的", chinese) < wide_cost("们", chinese) == wide_cost("們", chinese) < wide_cost("龘", chinese)


def test_the_sample_is_judged_up_to_a_bound() -> None:
    short = RUSSIAN.encode("cp1251") * 100
    assert charset_bits.ranked(short) == charset_bits.ranked(short + FRENCH.encode("cp1252") * 1000)


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
        "x-mac-cyrillic": "x-mac-cyrillic",
        "iso-8859-8-i": "iso-8859-8",
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
        assert decode(page(text, codec))[1:] == (name_of(codec), "detected", 0)
    assert decode(b"~{ is no Chinese ~} and \x1b$ is none")[1:] == ("utf-8", "utf8", 0)


def test_errors_are_counted_and_authors_replacement_characters_are_not() -> None:
    broken = SIMPLIFIED.encode() + b"\xff" + SIMPLIFIED.encode() + b"\xe4\xbd"
    assert decode(broken)[1:] == ("utf-8", "utf8", 2)
    assert decode(broken, whole=False).errors == 1  # cut off inside its last character, which is no error
    assert decode((SIMPLIFIED + "\ufffd").encode()).errors == 0
    assert decode((SIMPLIFIED + "\ufffd").encode() + b"\xff").errors == 1
    assert decode(SIMPLIFIED.encode("gbk") + b"\xff").errors == 1


def test_a_page_that_declares_utf8_may_hold_a_little_of_another_set() -> None:
    mixed = page(FRENCH + " été", "utf-8") + b"<p>\xe9t\xe9 \xe0</p>"
    assert decode(mixed).charset != "utf-8"
    assert decode(mixed, "utf-8")[1:] == ("utf-8", "http", 3)
    assert decode(page(FRENCH, "cp1252"), "utf-8").charset == "windows-1252"


def test_what_is_no_text_is_undecodable() -> None:
    nothing = Decoded("", None, "none", 0)
    png = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000200000002008060000") + bytes(range(256)) * 8
    assert decode(png) == nothing
    assert decode(png, "utf-8") == nothing
    assert decode(b"\0" * 100) == nothing


LABELS = [None, "utf-8", "gbk", "big5", "latin1", "utf-16", "hz", "iso-2022-kr", "johab", "koi8-r", "x-unknown"]
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([text.encode(CODECS[name])[: size or None] for name, text in TEXTS.items() for size in (0, 33)]),
    st.sampled_from([b"<meta charset=gbk>", b"\x1b$B", b"~{", b"~}", b"\x0e", b"\xff\xfe", b"\xef\xbb\xbf", b"\0\0\0"]),
)


@given(st.lists(PIECES, max_size=6).map(b"".join), st.sampled_from(LABELS), st.booleans())
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_valid_text(body: bytes, label: str | None, whole: bool) -> None:
    got = decode(body, label, whole=whole)
    assert got == decode(body, label, whole=whole)
    assert evidence(body, label)["chosen"] == decode(body, label).charset
    got.text.encode()  # no lone surrogates
    assert got.errors >= 0
    assert (got.charset is None) == (got.source == "none")
    assert got.charset is None or got.charset in CODECS
    assert got.charset is not None or got.text == ""


@given(st.text(st.characters(min_codepoint=1, exclude_categories=["Cs", "Cc"]), max_size=80))
@settings(max_examples=200, deadline=None)
def test_utf8_is_never_changed(text: str) -> None:
    assert decode(text.encode(), "gbk").text == text.removeprefix("\ufeff")
