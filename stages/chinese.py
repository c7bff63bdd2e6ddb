"""What single Han characters say about a Chinese text: Cantonese, classical or modern, Japanese, and its script.

Function characters carry it. Each of those below has a rate per thousand characters of running text in written
Mandarin, Cantonese and classical Chinese; the logarithm of the ratio of two rates is what one occurrence says, cut off
at `_CAP` nats so that no one character decides, and a text is as sure as their sum (a naive Bayes over characters that
occur: what a text does not contain, as headlines lack function characters, says nothing). The rates are rounded
estimates from knowledge of the languages, fitted to no corpus; a factor of two in one of them moves a sum by 0.7.
"""

import math
from functools import cache

import numpy as np

from stages.characters import TABLE_SIZE
from stages.han_script import SIMPLIFIED, TRADITIONAL, script_classes
from stages.scripts import script_table

PER_NAT = 8  # weights are whole eighths of a nat
_CAP = 5.0

# Characters: rate per thousand in Mandarin, in classical Chinese. Forms of both scripts share a rate.
_CLASSICAL = {
    "的": (40, 0.3), "了": (10, 0.5), "是": (12, 3), "在": (9, 4), "不": (10, 18), "和": (7, 2), "们們": (4, 0.02),
    "这這": (7, 0.03), "那": (2.5, 0.2), "个個": (6, 0.3), "你": (4, 0.1), "您": (0.5, 0.01), "就": (4, 1),
    "说說説": (4, 1.5), "都": (4, 1.2), "很": (3, 0.02), "么麼": (3, 0.05), "什": (1.5, 0.2), "没沒": (2.5, 0.5),
    "吗嗎": (1, 0.01), "吧": (1, 0.01), "呢": (1, 0.03), "啊": (0.7, 0.01), "把": (1.5, 0.3), "给給": (1.5, 0.3),
    "到": (5, 0.7), "还還": (3, 1.5), "她": (2, 0.01), "它": (1.5, 0.05), "让讓": (1.2, 0.3), "被": (1.5, 0.5),
    "之": (2, 28), "者": (1.5, 11), "而": (2, 11), "以": (4, 14), "其": (1.5, 10), "于於": (3, 9), "也": (4, 12),
    "为為爲": (5, 9), "曰": (0.02, 9), "矣": (0.01, 3), "焉": (0.03, 2.5), "哉": (0.01, 1), "乎": (0.3, 3),
    "兮": (0.01, 0.5), "乃": (0.1, 2.5), "吾": (0.05, 2), "汝": (0.02, 0.8), "岂豈": (0.05, 0.6), "孰": (0.02, 0.3),
    "遂": (0.05, 1.2), "故": (0.5, 3), "夫": (0.5, 3), "耶": (0.1, 0.4), "弗": (0.05, 0.4), "欤歟": (0.005, 0.2),
    "莫": (0.2, 1), "何": (0.7, 3), "则則": (0.7, 4), "若": (0.4, 1.5), "尔爾": (0.3, 1), "盖蓋": (0.1, 0.6),
}  # fmt: skip

# Characters: rate per thousand in Mandarin, in Cantonese.
_CANTONESE = {
    "嘅": (0.01, 35), "咗": (0.005, 8), "喺": (0.005, 9), "哋": (0.01, 7), "嚟": (0.005, 5), "嗰": (0.002, 6),
    "啲": (0.005, 8), "嘢": (0.003, 4), "咁": (0.02, 8), "噉": (0.005, 4), "㗎": (0.001, 3), "喎": (0.005, 2),
    "嘞": (0.02, 1), "嗱": (0.001, 1), "嘥": (0.001, 0.4), "嚿": (0.001, 0.4), "啱": (0.003, 2), "諗谂": (0.003, 2),
    "攞": (0.002, 1), "瞓": (0.001, 1), "揾搵": (0.01, 1), "冚": (0.003, 0.3), "佢": (0.1, 10), "冇": (0.1, 6),
    "唔": (1, 15), "乜": (0.1, 3), "睇": (0.05, 3), "喇": (0.2, 3), "咩": (0.1, 1.5), "畀": (0.05, 2),
    "俾": (0.05, 2), "係": (1, 15), "呀": (0.5, 5), "噃": (0.001, 0.3), "的": (40, 2), "了": (10, 1), "是": (12, 1.5),
    "在": (9, 1.5), "们們": (4, 0.2), "这這": (7, 0.2), "那": (2.5, 0.3), "他": (5, 0.5), "她": (2, 0.3),
    "没沒": (2.5, 0.2), "么麼": (3, 0.2), "什": (1.5, 0.2), "和": (7, 1.5), "很": (3, 0.2), "说說説": (4, 1),
    "给給": (1.5, 0.2), "看": (2.5, 0.5), "也": (4, 0.7), "吗嗎": (1, 0.2), "吧": (1, 0.1), "还還": (3, 0.7),
    "埋": (0.15, 3), "住": (1, 3), "仲": (0.15, 3), "度": (1.2, 4), "話话": (0.9, 5), "落": (0.4, 2.5),
    "即": (0.6, 4),
}  # fmt: skip
# Of these, what no other written form of Chinese uses (Hakka and Gan write 唔 佢 冇 too).
_CANTONESE_ALONE = "嘅咗喺哋嚟嗰啲嘢咁噉㗎喎嗱嘥嚿啱"

# Function characters that neither Japanese nor classical text has, 目的 and 了解 apart.
_MANDARIN = "的了们們这這吗嗎吧很你您她么麼啊呢它"

# Forms that Japan alone writes: its simplifications that are in neither script of Chinese, and its own characters.
_JAPANESE = (
    "円気対発図関経済総売読駅働込様実単戦伝県広労団楽歩毎沢黒焼絵覚観帰変渋囲両児巻拠検権浄渉猟獣畳竜継続縄聴臓蔵薬訳譲豊賛転軽郷醸釈鉄銭鋳闘陥隠険雑霊頼顕駆験鶏黙斎歯齢枠峠畑辻匂塀栃榊拝払択拡摂暁桜満滝"
    "営涙渓圧壱応桟弐恵悩悪懐抜挿捜掲揺斉栄歓歳渇焔粋穏繊脳艶覧醤頬髄亜仏仮倹剣剤勧匁"
)

# One entry of the table: the script in the low five bits, then these.
SCRIPT_BITS = 0x1F
IS_SIMPLIFIED, IS_TRADITIONAL, IS_CANTONESE, IS_MANDARIN, IS_JAPANESE, HAS_WEIGHT = 32, 64, 128, 256, 512, 1024


@cache
def character_table() -> np.ndarray:
    """Script and flags of each code point below `TABLE_SIZE`: (131072,) uint16."""
    table = script_table().astype(np.uint16)
    classes = script_classes()[:TABLE_SIZE]
    table[classes == SIMPLIFIED] |= IS_SIMPLIFIED
    table[classes == TRADITIONAL] |= IS_TRADITIONAL
    for chars, flag in ((_CANTONESE_ALONE, IS_CANTONESE), (_MANDARIN, IS_MANDARIN), (_JAPANESE, IS_JAPANESE)):
        table[[ord(char) for char in chars]] |= flag
    classical, cantonese = weights()
    table[(classical != 0) | (cantonese != 0)] |= HAS_WEIGHT
    table.flags.writeable = False
    return table


@cache
def weights() -> tuple[np.ndarray, np.ndarray]:
    """What one occurrence of a character says for classical against modern Chinese, and for Cantonese against Mandarin,
    in eighths of a nat: two of (131072,) int8."""
    return _weights(_CLASSICAL), _weights(_CANTONESE)


def _weights(rates: dict[str, tuple[float, float]]) -> np.ndarray:
    table = np.zeros(TABLE_SIZE, np.int8)
    for chars, (usual, special) in rates.items():
        nats = max(-_CAP, min(_CAP, math.log(special / usual)))
        table[[ord(char) for char in chars]] = round(nats * PER_NAT)
    table.flags.writeable = False
    return table
