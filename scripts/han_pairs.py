"""Write `stages/tables/han_ranks.zst` and `han_pairs.zst`: neighbours of Han characters inside words.

    pip download jieba==0.42.1 --no-deps --no-binary :all:
    python scripts/han_pairs.py --jieba jieba-0.42.1.tar.gz

Words are those of the dictionary of jieba (https://github.com/fxsjy/jieba, MIT License, Copyright (c) 2013 Sun Junyi)
with their frequencies in 100 million characters. A pair of neighbours counts as often as the words that have it, and is
known from 20 on: with 300 or 1,000 (17,000 and 6,000 pairs) modern text is told from shuffled text as well, classical
text less. Characters are ranked by how often they stand in words, so that those met most lie side by side.
"""

import argparse
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import zstandard

from scripts.character_tables import representatives
from scripts.spam_model import dictionary
from stages.han_pairs import CODES, RANKED

STAGES = Path(__file__).parent.parent / "stages"
LEAST = 20
FIRST, LAST = 0x4E00, 0x9FFF


def counted(words: dict[str, int], stands: dict[str, str]) -> tuple[Counter[str], Counter[str]]:
    """-> how often each character stands in words of several, and each pair, by the form that stands for others."""
    characters: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for word, times in words.items():
        folded = [stands.get(char, char) for char in word]
        if len(folded) < 2 or not all(FIRST <= ord(char) <= LAST for char in folded):
            continue
        for char in folded:
            characters[char] += times
        for first, second in pairwise(folded):
            pairs[first + second] += times
    return characters, pairs


def tables(words: dict[str, int], stands: dict[str, str]) -> tuple[np.ndarray, np.ndarray]:
    """As `stages.han_pairs.table` gives them."""
    characters, pairs = counted(words, stands)
    order = sorted(characters, key=lambda char: (-characters[char], char))[: RANKED - 1]
    rank = {char: number for number, char in enumerate(order, 1)}
    ranks = np.zeros(CODES, np.uint16)
    for char, number in rank.items():
        ranks[ord(char)] = number
    for char, first in stands.items():
        if FIRST <= ord(char) <= LAST:
            ranks[ord(char)] = rank.get(first, 0)
    bits = np.zeros((RANKED, RANKED // 8), np.uint8)
    for (first, second), times in pairs.items():
        if times >= LEAST and first in rank and second in rank:
            bits[rank[first], rank[second] >> 3] |= 1 << (rank[second] & 7)
    return ranks, bits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jieba", type=Path, required=True)
    ranks, bits = tables(dictionary(parser.parse_args().jieba), representatives())
    print(f"{int(np.unpackbits(bits).sum())} pairs of {int(ranks.max())} characters")
    for name, table in (("han_ranks", ranks), ("han_pairs", bits)):
        data = zstandard.ZstdCompressor(level=19).compress(table.astype(table.dtype.newbyteorder("<")).tobytes())
        (STAGES / "tables" / f"{name}.zst").write_bytes(data)
        print(f"{name}.zst: {len(data)} bytes")


if __name__ == "__main__":
    main()
