"""The double-byte character sets of Chinese as tables: which pair of bytes a character is, and how common it is.

GB2312 and Big5 list their characters in two levels, the common ones first: 3,755 of GB2312's 6,763 and 5,401 of
Big5's 13,053. Level 1 holds 97 to 99 of 100 Han characters of running text in its own script. Text that was decoded
with the wrong set falls all over the plane: of UTF-8 read as GBK one character in eight is in level 1. So the share of
level 1 tells text from nonsense, and needs no model.
"""

from functools import cache

import numpy as np

BMP = 0x10000
GBK = "gb18030"  # Python's superset of GBK: no pair is without a character
BIG5 = "big5hkscs"

# What a character is, in bits.
GB_COMMON = 1  # GB2312, level 1
BIG5_COMMON = 2  # Big5, level 1
FREQUENT = 4  # one of the 320 or so most frequent, in either script
SIGN = 8  # punctuation and signs of CJK text: U+3001 to U+303F, full-width forms, quotation marks, dashes
KANA = 16
HAN = 32
LISTED = 64  # in GB2312 or Big5, whatever the level

# The most frequent characters of running Chinese text, in simplified and in traditional script: half of it.
_FREQUENT = (
    "，的。一、是不有人在了以用为个中行上年和这大国可到我）（下时发法于会来要公能后出定第本就他：对作者地理很文你机当应"
    "成务好其开也方业多生部都十家分使件过面事自如还们关所条月日之工动经说或将前得子没现管同而进安民新实果司二三间合主并"
    "等内；通全天与程！数设服品及产它任高东最规提政学小电资比员次入制但道元被位看加点建外因度金长市由期名相么重常从信体"
    "保系物太器目据里代门种量意正然情证网单军此统处接更收区令去西些明样计利性《》交表运起书买只院命基示持四化"
    "個這時為設們會對頁後當輸見則訊動別冊錄號應執預統過變開係並無間與碼製組從產業進關顯結還該參處沒樣譯義啟換錯許寫給"
    "長發內機誤讀實記體轉情風現準稱線鍵語裝性來國學說經點東車書報電話網員議價買賣廣場華灣區縣陳張劉馬門問題認識聽"
)


@cache
def pairs(codec: str) -> np.ndarray:
    """The two bytes of each character, first byte high: (65536,) uint16, 0 where it has none, ASCII characters are
    their byte. Only pairs that decoding and encoding agree on."""
    table = np.zeros(BMP, np.uint16)
    table[:0x80] = np.arange(0x80)
    table[0] = 0
    for first in range(0x81, 0xFF):
        for second in (*range(0x40, 0x7F), *range(0x80, 0xFF)):
            pair = bytes((first, second))
            try:
                char = pair.decode(codec)
                if len(char) == 1 and ord(char) < BMP and char.encode(codec) == pair:
                    table[ord(char)] = first << 8 | second
            except UnicodeError:
                continue
    table.flags.writeable = False
    return table


@cache
def characters(codec: str) -> np.ndarray:
    """The character of each pair of bytes: (65536,) uint16, 0 for none."""
    table = pairs(codec)
    back = np.zeros(BMP, np.uint16)
    known = np.flatnonzero(table > 0xFF)
    back[table[known]] = known
    back.flags.writeable = False
    return back


@cache
def traits() -> np.ndarray:
    """Bits of each code point of the basic plane: (65536,) uint8."""
    bits = np.zeros(BMP, np.uint8)
    for codec, first, last, bit in (
        ("gb2312", 0xB0, 0xD7, GB_COMMON | LISTED),
        ("gb2312", 0xD8, 0xF7, LISTED),
        ("big5", 0xA4, 0xC6, BIG5_COMMON | LISTED),
        ("big5", 0xC9, 0xF9, LISTED),
    ):
        for pair in (bytes((one, two)) for one in range(first, last + 1) for two in range(0x40, 0xFF)):
            char = pair.decode(codec, "replace")
            if len(char) == 1 and char != "\ufffd":
                bits[ord(char)] |= bit
    bits[[ord(char) for char in _FREQUENT]] |= FREQUENT
    signs = "‐–—―‘’“”…‰※℃℅№™→←↑↓①②③④⑤⑥⑦⑧⑨⑩■□▲△◆◇○●★☆·×÷°±§€£¥©®«»〇々"
    bits[[ord(char) for char in signs]] |= SIGN
    for start, end, bit in (
        (0x3001, 0x303F, SIGN), (0xFF01, 0xFF5E, SIGN), (0x3000, 0x3000, SIGN), (0x3041, 0x30FE, KANA),
        (0x4E00, 0x9FFF, HAN), (0x3400, 0x4DBF, HAN), (0xF900, 0xFAFF, HAN),
    ):  # fmt: skip
        bits[start : end + 1] |= bit
    bits.flags.writeable = False
    return bits
