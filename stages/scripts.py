"""Which script the letters of a text are in, and which languages are written in it.

A script is told by Unicode block, a language by its script where the script is its alone (Thai, Greek, Hangul, …).
Where several languages share one, `LABELS` names, for every label of fastText's lid.176, the scripts it is written in:
a model asked about a Cyrillic text may answer with a language written in Cyrillic, and with no other.
"""

from functools import cache

import numpy as np

from stages.characters import HAN, HANGUL, KANA, LATIN, LATIN_UPPER, LETTER, MARK, TABLE_SIZE, kinds

NAMES = (
    "none", "latin", "han", "kana", "hangul", "cyrillic", "greek", "arabic", "hebrew", "devanagari", "bengali",
    "gurmukhi", "gujarati", "odia", "tamil", "telugu", "kannada", "malayalam", "sinhala", "thai", "lao", "tibetan",
    "burmese", "georgian", "armenian", "ethiopic", "khmer", "thaana", "other",
)  # fmt: skip
SCRIPT = {name: number for number, name in enumerate(NAMES)}
NONE, LATINS, HANS, KANAS, HANGULS, OTHER = (SCRIPT[n] for n in ("none", "latin", "han", "kana", "hangul", "other"))

# The language of a script in which hardly any other language is written.
ALONE = {
    "hangul": "ko", "greek": "el", "gurmukhi": "pa", "gujarati": "gu", "odia": "or", "tamil": "ta", "telugu": "te",
    "kannada": "kn", "malayalam": "ml", "sinhala": "si", "thai": "th", "lao": "lo", "tibetan": "bo", "burmese": "my",
    "armenian": "hy", "ethiopic": "am", "khmer": "km", "thaana": "dv",
}  # fmt: skip

_BLOCKS = (
    (0x0370, 0x03FF, "greek"), (0x1F00, 0x1FFF, "greek"), (0x0400, 0x052F, "cyrillic"), (0x1C80, 0x1C8F, "cyrillic"),
    (0x2DE0, 0x2DFF, "cyrillic"), (0xA640, 0xA69F, "cyrillic"), (0x0530, 0x058F, "armenian"),
    (0xFB13, 0xFB17, "armenian"), (0x0590, 0x05FF, "hebrew"), (0xFB1D, 0xFB4F, "hebrew"), (0x0600, 0x06FF, "arabic"),
    (0x0750, 0x077F, "arabic"), (0x0870, 0x08FF, "arabic"), (0xFB50, 0xFDFF, "arabic"), (0xFE70, 0xFEFF, "arabic"),
    (0x0780, 0x07BF, "thaana"), (0x0900, 0x097F, "devanagari"), (0xA8E0, 0xA8FF, "devanagari"),
    (0x0980, 0x09FF, "bengali"), (0x0A00, 0x0A7F, "gurmukhi"), (0x0A80, 0x0AFF, "gujarati"), (0x0B00, 0x0B7F, "odia"),
    (0x0B80, 0x0BFF, "tamil"), (0x0C00, 0x0C7F, "telugu"), (0x0C80, 0x0CFF, "kannada"), (0x0D00, 0x0D7F, "malayalam"),
    (0x0D80, 0x0DFF, "sinhala"), (0x0E00, 0x0E7F, "thai"), (0x0E80, 0x0EFF, "lao"), (0x0F00, 0x0FFF, "tibetan"),
    (0x1000, 0x109F, "burmese"), (0xA9E0, 0xA9FF, "burmese"), (0xAA60, 0xAA7F, "burmese"),
    (0x10A0, 0x10FF, "georgian"), (0x1C90, 0x1CBF, "georgian"), (0x2D00, 0x2D2F, "georgian"),
    (0x1200, 0x139F, "ethiopic"), (0x2D80, 0x2DDF, "ethiopic"), (0xAB00, 0xAB2F, "ethiopic"),
    (0x1780, 0x17FF, "khmer"), (0x19E0, 0x19FF, "khmer"),
)  # fmt: skip
# Kana that stand in emoticons and as decoration more than in words when the text around them is Chinese: ヽヾノーﾉﾞﾟ.
_DECORATION = "\u309b\u309c\u30fc\u30fd\u30fe\u30ce\uff89\uff9e\uff9f"


@cache
def script_table() -> np.ndarray:
    """Script of each code point below `TABLE_SIZE`, NONE for what is no letter: (131072,) uint8. Signs that write
    vowels count as letters of their script. Beyond the table all letters are ideographs."""
    kind = kinds()
    table = np.zeros(TABLE_SIZE, np.uint8)
    table[kind == LETTER] = OTHER
    for first, last, name in _BLOCKS:
        block = kind[first : last + 1]
        table[first : last + 1][(block == LETTER) | (block == MARK)] = SCRIPT[name]
    table[(kind == LATIN) | (kind == LATIN_UPPER)] = LATINS
    table[kind == HAN] = HANS
    table[kind == KANA] = KANAS
    table[kind == HANGUL] = HANGULS
    table[[ord(char) for char in _DECORATION]] = NONE
    table.flags.writeable = False
    return table


_WRITTEN = {
    "cyrillic": "av ba be bg bxr ce cv kk krc kv ky lez mhr mk mn mrj myv os ru rue sah sr tg tt tyv uk xal "
    "az bs sh tk uz",
    "arabic": "ar arz azb ckb fa lrc mzn pnb ps sd ug ur az kk ku ms pa",
    "devanagari": "bh dty gom hi mai mr ne new sa sd",
    "bengali": "as bn bpy",
    "hebrew": "he yi",
    "georgian": "ka xmf",
    "han": "zh yue wuu ja ko",
    "kana": "ja",
} | ALONE
_LATIN_TOO = "az bs gom kk ku ms sh sr tk tt uz"
_NOT_LATIN = frozenset(" ".join(_WRITTEN.values()).split()) - frozenset(_LATIN_TOO.split())
EVERY = -1


def bits_of(label: str) -> int:
    """Scripts that a language is written in, one bit each by number; every one for a label without a Unicode script of
    its own in lid.176, which knows it by two or three small letters."""
    if not (2 <= len(label) <= 3 and label.isascii() and label.islower()):
        return EVERY
    bits = sum(1 << SCRIPT[name] for name, labels in _WRITTEN.items() if label in labels.split())
    return bits if label in _NOT_LATIN else bits | 1 << LATINS
