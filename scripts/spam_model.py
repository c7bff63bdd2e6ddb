"""Weigh the terms of `stages/spam_terms.txt` and write the pairs of `stages/spam_pairs.txt`.

    pip download jieba==0.42.1 --no-deps --no-binary :all:
    python scripts/spam_model.py --jieba jieba-0.42.1.tar.gz --clean FILE.jsonl.zst ...

A term's weight is ten times the binary logarithm of how much more often it stands in spam than elsewhere. Elsewhere is
counted: in the dictionary of jieba (https://github.com/fxsjy/jieba, MIT; words of 100 million characters with their
frequency) and in the texts given, of which only documents with an even hash are read, so that the others can test. In
spam a term of the list is taken to stand once in `SPAM_CHARS` characters, whichever it is. Weights are cut off at
`MOST` (less for short terms, much less under headings that say `weak`, because a word with another use is a word of
other kinds of text than were counted); below `LEAST` a term is worth nothing and gets 0.

Characters and pairs of them: those of terms, with the same ratio by their frequency, where spam is taken to consist of
them in one part of four.
"""

import argparse
import hashlib
import io
import json
import math
import sys
import tarfile
import textwrap
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from stages import spam_lexicon as lexicon

SPAM_CHARS = 1000
DOUBT = 20  # occurrences added to each count
MOST = {"porn": 120, "gambling": 120, "illicit": 100, "seo": 60, "ads": 40, "obscene": 45}
MOST_SHORT = {
    "porn": 80,
    "gambling": 70,
    "illicit": 70,
    "seo": 35,
    "ads": 25,
    "obscene": 40,
}  # two Han characters or one word
MOST_WEAK = 40
LEAST = 12
SURE = 40  # of the terms of `seo`, many of them everyday words, those that lend their characters
SPAM_SHARE = 0.25  # of the pairs of spam that are pairs of terms
MOST_PAIR, MOST_PAIR_ONCE = 45, 30
MOST_SINGLE, MOST_SINGLE_ONCE = 10, 3  # seldom: in one term or two
PAIRS_HEAD = """\
# Han characters, and pairs of them, that stand in terms of spam_terms.txt, in the form that texts are compared in, with
# points (tenths of a bit): how much likelier each is in a line of spam than elsewhere. Written by
# scripts/spam_model.py, which says how; counted elsewhere: the dictionary of jieba 0.42.1
# (https://github.com/fxsjy/jieba, MIT License, Copyright (c) 2013 Sun Junyi) and the even halves of
# {texts}.
# Counts alone enter, no text. Terms: see spam_terms.txt for sources and licences.
"""


def texts(paths: list[Path]) -> Iterator[str]:
    """Texts of the documents whose hash is even, folded."""
    for path in paths:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            for line in io.TextIOWrapper(stream, "utf-8", newline="\n"):
                text = json.loads(line)["text"]
                if hashlib.sha256(text.encode()).digest()[0] % 2 == 0:
                    yield lexicon.folded(text)


def counted(terms: list[str], paths: list[Path]) -> tuple[Counter[str], Counter[str], int, int]:
    """-> how often each term and each Han character and pair of them stands there; Han characters and others read."""
    found: Counter[str] = Counter()
    parts: Counter[str] = Counter()
    han = other = 0
    for text in texts(paths):
        here = sum("\u4e00" <= char <= "\u9fff" for char in text)
        han += here
        other += len(text) - here
        found.update({term: text.count(term) for term in terms if term in text})
        parts.update(filter(is_han, text))
        parts.update(a + b for a, b in pairwise(text) if is_han(a) and is_han(b))
    return found, parts, han, other


def is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"


def dictionary(path: Path) -> dict[str, int]:
    with tarfile.open(path) as archive:
        data = archive.extractfile("jieba-0.42.1/jieba/dict.txt")
        if data is None:
            raise ValueError(f"{path}: no jieba/dict.txt in it")
        rows = (line.split(" ") for line in data.read().decode("utf-8").splitlines())
        return {lexicon.folded(row[0]): int(row[1]) for row in rows}


def weigh(category: str, weak: bool, term: str, rate: float) -> int:
    points = int(10 * math.log2(1 / SPAM_CHARS / rate))
    short = len(term) <= 2 if is_han(term[0]) else " " not in term
    most = (MOST_SHORT if short else MOST)[category]
    most = min(MOST_WEAK, most) if weak else most
    points = min(points, most)
    return points if points >= LEAST else 0


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jieba", type=Path, required=True)
    parser.add_argument("--clean", type=Path, nargs="+", required=True)
    parser.add_argument("--terms", type=Path, default=lexicon.TERMS)
    parser.add_argument("--pairs", type=Path, default=lexicon.PAIRS)
    parser.add_argument("--counts", type=Path, help="keep the counts here, and use them where they are there already")
    chosen = parser.parse_args(argv)

    lines = chosen.terms.read_text("utf-8").splitlines()
    terms = [lexicon.folded(line.partition("\t")[2]) for line in lines if line and not line.startswith("#")]
    words = dictionary(chosen.jieba)
    if chosen.counts is not None and chosen.counts.exists():
        said = json.loads(chosen.counts.read_text("utf-8"))
        found, parts, han, other = Counter(said["found"]), Counter(said["parts"]), said["han"], said["other"]
    else:
        found, parts, han, other = counted(sorted(set(terms)), chosen.clean)
    if chosen.counts is not None and not chosen.counts.exists():
        said = {"found": found, "parts": parts, "han": han, "other": other}
        chosen.counts.write_text(json.dumps(said, ensure_ascii=False), "utf-8")
    print(f"{len(terms):,} terms; {han:,} Han characters, {other:,} others")
    word_chars = sum(len(word) * count for word, count in words.items())
    for word, count in words.items():
        for part in (*word, *(a + b for a, b in pairwise(word))):
            if all(map(is_han, part)):
                parts[part] += count
    written, kept = [], []
    category, weak = "", False
    for line in lines:
        if line.startswith("## "):
            category, weak = line[3:].split()[0], "weak" in line.partition("|")[0]
        elif line and not line.startswith("#"):
            term = line.partition("\t")[2]
            base = han if any(map(is_han, term)) else other
            rate = (found[lexicon.folded(term)] + DOUBT * base / 1e8) / base
            if any(map(is_han, term)):
                rate = max(rate, (words.get(lexicon.folded(term), 0) + DOUBT) / word_chars)
            weight = weigh(category, weak, term, rate)
            line = f"{weight}\t{term}"
            if (category in ("porn", "gambling", "illicit") and weight) or (category == "seo" and weight > SURE):
                kept.append(lexicon.folded(term))
        written.append(line)
    chosen.terms.write_text("\n".join(written) + "\n", "utf-8")
    head = PAIRS_HEAD.format(
        texts="\n# ".join(textwrap.wrap(", ".join(sorted(path.name.partition(".")[0] for path in chosen.clean)), 116))
    )
    points = evidence(kept, parts, han + word_chars)
    rows = {n: " ".join(sorted(pair for pair, value in points.items() if value == n)) for n in set(points.values())}
    chosen.pairs.write_text(head + "".join(f"{n}\t{rows[n]}\n" for n in sorted(rows)), "utf-8")
    return 0


def evidence(terms: list[str], clean: Counter[str], clean_size: int) -> dict[str, int]:
    """Points of single Han characters and of pairs of them, by how often they stand in terms and elsewhere."""
    points = {}
    for length, most, most_once in ((1, MOST_SINGLE, MOST_SINGLE_ONCE), (2, MOST_PAIR, MOST_PAIR_ONCE)):
        spam: Counter[str] = Counter(
            part
            for term in terms
            for part in (term[at : at + length] for at in range(len(term) - length + 1))
            if all(map(is_han, part))
        )
        size = sum(spam.values())
        for part, count in spam.items():
            rate = (clean[part] + DOUBT) / clean_size
            value = int(10 * math.log2(SPAM_SHARE * count / size / rate + 1 - SPAM_SHARE))
            if value > 0:
                points[part] = min(value, most if count > 2 else most_once)
    return points


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
