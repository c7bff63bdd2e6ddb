"""Language identification: the language of each document, by its scripts, by fastText where they leave it open.

reads text (string)
adds  lang (string)               ISO 639-1 where there is one, "und" where nothing is known. All Chinese is "zh"
      lang_label (string)         the same, and of Chinese what evidence allows: "zh-Hans", "zh-Hant", "yue" (written
                                  Cantonese), "lzh" (classical), or "zh"
      lang_score (float32)        how sure: the share of its letters that are in the language's scripts where these
                                  decide, else the model's probability; 0 for "und"
      hant_share (float32)        traditional among Han characters that are in one script of Chinese alone
      lang_letter_share (float32) of its letters, those in the scripts of `lang`
      lang_line_share (float32)   of its lines with letters, those mostly in the scripts of `lang`; scripts are Latin;
                                  Han, kana and hangul; all others
      lang_window_share (float32) of the windows that the model was asked about, those in `lang`; 1 where it was not

All are in 0..1, rounded to 2**-12; shares are 0 for "und". Letters weigh the bytes that they take in UTF-8: a Han
character says about as much as three Latin letters.

The whole text is read for its scripts, and the heaviest decides; Han, kana and hangul count as one. Latin letters weigh
a third where they stand among others: there they are names, code and links. Where they have most bytes even so, the
model may object, and is believed from 0.9 on. A text without letters is "und".
- Thai, Greek, hangul and others that one language alone is written in are that language.
- Han, kana and hangul are Korean from two parts of hangul in five of Han on; Japanese where a tenth of Han and kana is
  kana or forms that only Japan has, and Mandarin's function characters are few; else Chinese. The model is not asked:
  alone it calls 4 of 10 Chinese strings of six characters Japanese, and 15 of 100 poems.
- For Latin, Cyrillic, Arabic, Devanagari, Bengali, Hebrew and Georgian script the model is asked, and answers with a
  language written in a script that has a tenth of the letters. Of fewer than `min_letter_bytes` letters it is not
  asked: "und". For 19 European languages it is right in 0.67 of strings of 12 characters, 0.82 of 20, 0.93 of 40: look
  at the score before judging lines.
- Chinese is "zh-Hans" or "zh-Hant" where two of three characters of one script alone are of it; "yue" and "lzh" by
  their function characters (`chinese.py`) where these outweigh Mandarin's by `_SURE_NATS` and are not thin. Couplets
  and verse without function characters, and prose that cites, keep the label of their script.

Of texts of more than `windows` * `window_bytes` bytes the model sees that many, evenly spread; the sample depends on
the text alone. Kanji alone (東京大学) are Chinese to it, romanised Hindi is whatever the model says, and it is no judge
of spam or mojibake. The score passes through libm's exponential function, hence the rounding. Memory is some 2 kB a
document.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np
import pyarrow as pa

from corpus.stage import Columns, Map
from stages import fasttext_file, lid_kernel
from stages.characters import utf8
from stages.chinese import PER_NAT, character_table, weights
from stages.lid_kernel import (
    CANTONESE,
    CANTONESE_NATS,
    CJK_LINES,
    CLASSICAL_NATS,
    JAPANESE,
    LATIN_LINES,
    MANDARIN,
    OTHER_LINES,
    SIMPLIFIED,
    TRADITIONAL,
)
from stages.scripts import ALONE, HANGULS, HANS, KANAS, LATINS, NAMES, SCRIPT, bits_of

UNDETERMINED = "und"
_STEPS = 4096
_HAN_BYTES = 3
_SURE_NATS = 6.0  # e**6, 400 to 1
_NATS_PER_HAN = 0.06  # a poem quoted in an essay does not make it classical
_WITHOUT_ITS_OWN = 1.5  # more evidence where none of the characters is Cantonese alone
_MANDARIN_IN_CLASSICAL = 0.01  # modern prose: 0.06 to 0.09
_ONE_SCRIPT = 2 / 3
_CJK = (HANS, KANAS, HANGULS)
_GUEST = 3  # Latin letters in other scripts are names, code and links: they count for a third
_SURE = 0.9  # then a text of which most is in Latin letters is not one with code and links
_PART = 10  # a script with a tenth of the letters may be the document's
_SHARED = np.array([name not in ALONE and name not in ("none", "han", "kana", "other") for name in NAMES])
_LINE_OF_SCRIPT = np.array([(at == LATINS, at in _CJK, at not in (LATINS, *_CJK)) for at in range(len(NAMES))]).astype(
    int
)
_UNKNOWN = -1


class Model(NamedTuple):
    """`names`: languages by number, those of the model first. `scripts` (languages, scripts): 1 where a language is
    written in a script. The rest is what the kernels take: a `FastText` without its labels, and `beneath`."""

    names: tuple[str, ...]
    scripts: np.ndarray
    numbers: tuple[object, ...]
    beneath: np.ndarray


class Lid(Map, frozen=True, kw_only=True, tag="lid"):
    """`model`: asset, a fastText classifier whose labels are languages; of a long text it sees `windows` times
    `window_bytes`, of one with fewer than `min_letter_bytes` in letters nothing. ValueError where one is below 1, or
    `windows` below 2."""

    revision: ClassVar[int] = 3
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {
        "lang": pa.string(),
        "lang_label": pa.string(),
        "lang_score": pa.float32(),
        "hant_share": pa.float32(),
        "lang_letter_share": pa.float32(),
        "lang_line_share": pa.float32(),
        "lang_window_share": pa.float32(),
    }

    model: str = "lid.176.ftz"
    windows: int = 4
    window_bytes: int = 256
    min_letter_bytes: int = 8

    def __post_init__(self) -> None:
        for name, least in (("windows", 2), ("window_bytes", 1), ("min_letter_bytes", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least} (got {getattr(self, name)})")

    @property
    def assets(self) -> tuple[str, ...]:
        return (self.model,)

    def load(self, assets: Mapping[str, Path]) -> Model:
        found = fasttext_file.load(assets[self.model])
        bits = np.array([bits_of(label) for label in found.labels], np.int64)
        beneath = np.zeros(max(found.left.size, bits.size), np.int64)
        beneath[: bits.size] = bits
        for node in range(bits.size, found.left.size):
            beneath[node] = beneath[found.left[node]] | beneath[found.right[node]]
        names = tuple(dict.fromkeys([*found.labels, "zh", "ja", *ALONE.values()]))
        scripts = np.array([bits_of(name) for name in names])[:, None] >> np.arange(len(NAMES)) & 1
        return Model(names, scripts, tuple(found[1:]), beneath)

    def apply(self, batch: pa.RecordBatch, model: Model) -> Columns:
        data, bounds = utf8(batch["text"])
        counts = np.zeros((len(bounds) - 1, lid_kernel.COLUMNS), np.int64)
        lid_kernel.count(data, bounds, character_table(), *weights(), counts)
        letters = counts[:, : len(NAMES)]
        script = _heaviest(letters)
        enough = letters.sum(axis=1) > 0
        lang = np.full(len(counts), _UNKNOWN)
        for name, language in ALONE.items():
            lang[enough & (script == SCRIPT[name])] = model.names.index(language)
        score = np.zeros(len(counts))
        same = np.ones(len(counts))

        # Where Latin letters have most bytes and another script decides all the same, the model may object.
        contested = ~_SHARED[script] & (2 * letters[:, LATINS] > letters.sum(axis=1))
        long = letters.sum(axis=1) >= self.min_letter_bytes
        rows = np.flatnonzero((_SHARED[script] | contested) & long)
        present = _PART * letters[rows] >= letters[rows].sum(axis=1, keepdims=True)
        allowed = (present << np.arange(len(NAMES))).sum(axis=1)
        found = np.full(len(counts), _UNKNOWN)
        lid_kernel.judge(
            data,
            bounds,
            rows,
            allowed,
            model.numbers,
            model.beneath,
            self.windows,
            self.window_bytes,
            found,
            score,
            same,
        )
        objected = contested & (found >= 0) & (score >= _SURE) & (model.scripts[found][:, LATINS] > 0)
        asked = (_SHARED[script] & long) | objected
        lang[asked] = found[asked]
        same[~asked] = 1.0
        # A mixed text may be Chinese, Japanese or Korean to the model, which one its characters say.
        cjk = (enough & (script == HANS) & ~objected) | (asked & (model.scripts[lang][:, HANS] > 0) & (lang >= 0))
        chosen = np.array([model.names.index(name) for name in ("zh", "ja", "ko")])
        lang[cjk] = chosen[_chinese_japanese_korean(counts[cjk])]

        known = lang >= 0
        own = np.where(known[:, None], model.scripts[lang], 0)
        letter_share = _share((letters * own).sum(axis=1), letters.sum(axis=1))
        lines = counts[:, [LATIN_LINES, CJK_LINES, OTHER_LINES]]
        own_lines = (lines * (own @ _LINE_OF_SCRIPT > 0)).sum(axis=1)
        names = pa.array([*model.names, UNDETERMINED])
        code = np.where(known, lang, len(names) - 1)
        label = _labels(counts, lang == chosen[0], code, len(names))
        return {
            "lang": names.take(pa.array(code)),
            "lang_label": pa.concat_arrays([names, pa.array(_VARIETIES)]).take(pa.array(label)),
            # fastText adds 1e-5 to what it takes the logarithm of: certainty comes back as slightly more than 1.
            "lang_score": _rounded(np.where(asked, np.clip(score, 0, 1), letter_share)),
            "hant_share": _rounded(_share(counts[:, TRADITIONAL], counts[:, SIMPLIFIED] + counts[:, TRADITIONAL])),
            "lang_letter_share": _rounded(letter_share),
            "lang_line_share": _rounded(_share(own_lines, lines.sum(axis=1))),
            "lang_window_share": _rounded(np.where(known, same, 0.0)),
        }


_VARIETIES = ("zh-Hans", "zh-Hant", "yue", "lzh")


def _heaviest(letters: np.ndarray) -> np.ndarray:
    """The script that decides, the first of equals. Han stands for Han, kana and hangul where these have most
    together."""
    weight = _GUEST * letters
    weight[:, LATINS] = letters[:, LATINS]
    weight[:, HANS] = _GUEST * letters[:, list(_CJK)].sum(axis=1)
    weight[:, [KANAS, HANGULS]] = 0
    return weight.argmax(axis=1)


def _chinese_japanese_korean(counts: np.ndarray) -> np.ndarray:
    """0, 1 or 2 for each document written in Han characters, kana or hangul."""
    han, kana, hangul = counts[:, HANS], counts[:, KANAS], counts[:, HANGULS]
    forms = counts[:, JAPANESE]
    japanese = kana + 2 * _HAN_BYTES * np.where((kana > 0) | (forms > 1), forms, 0)
    mandarin = _HAN_BYTES * counts[:, MANDARIN]
    is_japanese = (10 * japanese >= han + kana) & (3 * japanese > 10 * mandarin)
    is_japanese |= 4 * kana >= han + kana
    is_japanese &= japanese > 0
    return np.where((5 * hangul >= 2 * han) & (hangul > 0), np.where(kana > hangul, 1, 2), is_japanese)


def _labels(counts: np.ndarray, chinese: np.ndarray, code: np.ndarray, first: int) -> np.ndarray:
    """`code` where nothing more is known, else `first` + a place in `_VARIETIES`."""
    simplified, traditional = counts[:, SIMPLIFIED], counts[:, TRADITIONAL]
    han = counts[:, HANS] // _HAN_BYTES
    needed = PER_NAT * np.maximum(_SURE_NATS, _NATS_PER_HAN * han)
    whole = simplified + traditional
    label = code.copy()
    label[chinese & (simplified >= _ONE_SCRIPT * whole) & (whole > 0)] = first
    label[chinese & (traditional >= _ONE_SCRIPT * whole) & (whole > 0)] = first + 1
    cantonese, classical = counts[:, CANTONESE_NATS], counts[:, CLASSICAL_NATS]
    is_cantonese = cantonese >= np.where(counts[:, CANTONESE] > 0, needed, needed * _WITHOUT_ITS_OWN)
    label[chinese & is_cantonese & (cantonese >= classical)] = first + 2
    few = counts[:, MANDARIN] <= _MANDARIN_IN_CLASSICAL * han
    label[chinese & few & (classical >= needed) & (classical > cantonese)] = first + 3
    return label


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return part / np.maximum(whole, 1)


def _rounded(values: np.ndarray) -> pa.Array:
    return pa.array((np.rint(values * _STEPS) / _STEPS).astype(np.float32))
