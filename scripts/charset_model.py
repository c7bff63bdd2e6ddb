"""Write `stages/charset_model.txt`: how many bits the letters of a language cost, alone and after another letter.

    pip download lingua-language-detector==1.3.5 --no-deps
    python scripts/charset_model.py lingua_language_detector-1.3.5-py3-none-any.whl [--out stages/charset_model.txt]

Lingua (https://github.com/pemistahl/lingua-py, Apache-2.0) counted lower-case letters and their pairs within words in
news of the Wortschatz collection of Leipzig University, a million sentences a language. A cost is -log2 of that share,
rounded to whole bits: of a letter among all letters (lines with 1), of a letter after the one before it (lines with 2).
What costs more than the bound is left out.

- Chinese: Lingua's counts are mostly of traditional text. A character costs what the cheapest character costs that
  conversion between the scripts exchanges it with (`stages/han_classes.txt`), if it is in GB 2312 or Big5 at all.
- Vietnamese: as windows-1258 writes it, with tone marks as characters of their own behind the vowel.
"""

import argparse
import hashlib
import json
import math
import sys
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

VERSION = "1.3.5"
SHA256 = "7254696753c4ee8ce127190cfb985d8b4621690d355c55b278c883f5bb5e152b"
IDEOGRAPHIC = ("ja", "ko", "zh")  # letters alone: pairs would be most of the file
LANGUAGES = (
    *("ar", "be", "bg", "bs", "ca", "cs", "cy", "da", "de", "el", "en", "eo", "es", "et", "fa", "fi", "fr", "ga"),
    *("he", "hr", "hu", "is", "it", "lt", "lv", "mk", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr"),
    *("sv", "th", "tr", "uk", "ur", "vi", *IDEOGRAPHIC),
)
LETTER_BITS, PAIR_BITS = 17, 11  # what costs more is not listed
TONES = "\u0300\u0301\u0303\u0309\u0323"
STAGES = Path(__file__).resolve().parent.parent / "stages"
HEAD = """\
# What letters of a language cost in bits: language, 1 for letters alone or 2 for pairs (the second after the first),
# bits, and the letters or pairs in a row. Made by scripts/charset_model.py from the counts in
# lingua-language-detector {version} (https://github.com/pemistahl/lingua-py), wheel sha256
# {digest}.
# Lingua is licensed under the Apache License 2.0, and so is this file; it was changed in that shares were rounded to
# bits, rare letters left out, and traditional and simplified Chinese made equally cheap.
"""

Counts = dict[str, float]


def shares(model: str) -> Counts:
    """A model of Lingua's ({"ngrams": {"numerator/denominator": "a b c"}}) -> share by letter or pair."""
    ngrams = json.loads(model)["ngrams"]
    return {gram: float(Fraction(share)) for share, grams in ngrams.items() for gram in grams.split(" ")}


def both_scripts(letters: Counts, classes: list[str]) -> Counts:
    """Every member of a class becomes as frequent as the most frequent one."""
    found = dict(letters)
    for members in classes:
        most = max(letters.get(member, 0.0) for member in members)
        for member in members:
            if most and (_in(member, "gb2312") or _in(member, "big5")):
                found[member] = most
    return found


def _in(letter: str, codec: str) -> bool:
    return bool(letter.encode(codec, "ignore"))


def tones_apart(letters: Counts, pairs: Counts) -> tuple[Counts, Counts]:
    """Shares of Vietnamese letters and of pairs, with tone marks counted as letters."""
    alone: dict[str, float] = defaultdict(float)
    joint: dict[str, float] = defaultdict(float)
    for letter, share in letters.items():
        parts = _apart(letter)
        for part in parts:
            alone[part] += share
        for first, second in pairwise(parts):
            joint[first + second] += share
    for pair, share in pairs.items():
        joint[_apart(pair[0])[-1] + _apart(pair[1])[0]] += share * letters.get(pair[0], 0.0)
    total: dict[str, float] = defaultdict(float)
    for pair, share in joint.items():
        total[pair[0]] += share
    return dict(alone), {pair: share / total[pair[0]] for pair, share in joint.items()}


def _apart(letter: str) -> str:
    parts = unicodedata.normalize("NFD", letter)
    rest = unicodedata.normalize("NFC", "".join(part for part in parts if part not in TONES))
    return rest + "".join(part for part in parts if part in TONES)


def lines(language: str, letters: Counts, pairs: Counts) -> Iterator[str]:
    """The lines of a language, cheapest first, letters in order of code points."""
    known = {letter for letter, share in letters.items() if share >= 2.0**-LETTER_BITS}
    pairs = {pair: share for pair, share in pairs.items() if known.issuperset(pair)}
    for order, counts, bound in ((1, letters, LETTER_BITS), (2, pairs, PAIR_BITS)):
        by_bits: dict[int, list[str]] = defaultdict(list)
        for gram, share in counts.items():
            bits = max(1, round(-math.log2(share))) if share else bound + 1
            if bits <= bound and len(gram) == order:
                by_bits[bits].append(gram)
        for bits, grams in sorted(by_bits.items()):
            yield f"{language} {order} {bits} {''.join(sorted(grams))}"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=STAGES / "charset_model.txt")
    chosen = parser.parse_args(argv)
    import brotli

    digest = hashlib.sha256(chosen.wheel.read_bytes()).hexdigest()
    if digest != SHA256:
        print(f"{chosen.wheel.name}: sha256 {digest}, expected {SHA256} (version {VERSION})", file=sys.stderr)
        return 1
    classes = (STAGES / "han_classes.txt").read_text(encoding="utf-8").splitlines()
    classes = [line for line in classes if not line.startswith("#")]
    text = HEAD.format(version=VERSION, digest=digest)
    with zipfile.ZipFile(chosen.wheel) as wheel:
        for language in sorted(LANGUAGES):

            def model(kind: str, language: str = language) -> Counts:
                stored = wheel.read(f"lingua/language-models/{language}/{kind}.json.br")
                return shares(brotli.decompress(stored).decode("utf-8"))

            letters = model("unigrams")
            pairs = {} if language in IDEOGRAPHIC else model("bigrams")
            if language == "zh":
                letters = both_scripts(letters, classes)
            if language == "vi":
                letters, pairs = tones_apart(letters, pairs)
            text += "".join(f"{line}\n" for line in lines(language, letters, pairs))
    chosen.out.write_text(text, encoding="utf-8")
    print(f"written: {chosen.out.name}, {len(text.encode()):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
