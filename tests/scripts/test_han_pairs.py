"""Pairs of characters from a dictionary of words with frequencies."""

import numpy as np

from scripts import han_pairs
from stages.han_pairs import table


def test_a_pair_counts_as_often_as_its_words() -> None:
    words = {"中国": 12, "中国人": 8, "国歌": 19, "银行": 30, "AA制": 900, "好": 900}
    ranks, bits = han_pairs.tables(words, {"国": "国", "國": "国"})

    def known(first: str, second: str) -> bool:
        return bool(bits[ranks[ord(first)], ranks[ord(second)] >> 3] >> (ranks[ord(second)] & 7) & 1)

    assert known("中", "国")
    assert known("中", "國")
    assert known("银", "行")
    assert not known("国", "人")  # 8
    assert not known("国", "歌")  # 19
    assert not known("国", "中")
    assert not ranks[[ord("制"), ord("好")]].any()
    # 国 stands in words 39 times, 行 and 银 30, 中 20
    assert [int(ranks[ord(char)]) for char in "国行银中歌人"] == [1, 2, 3, 4, 5, 6]


def test_what_is_shipped() -> None:
    ranks, bits = table()
    assert int(np.unpackbits(bits).sum()) == 80394
    assert int(ranks.max()) == len(set(ranks.tolist())) - 1 == 4095
    assert not bits[0].any()
    assert not (bits[:, 0] & 1).any()
