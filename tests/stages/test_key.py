"""The key's Han characters: the classes that ship, and copies of a page that OpenCC has converted."""

from pathlib import Path

import opencc
import pyarrow as pa
import pytest

from stages import characters, key
from stages.sign import Sign

LINES = Path(key.__file__).with_name("han_classes.txt").read_text(encoding="utf-8").splitlines()
CLASSES = [line for line in LINES if not line.startswith("#")]
SIMPLIFIED = (
    "皇后看着头发，干部发现里面有一只台钟，干杯之后划船复习。历史系的学生联系面包师傅，准备了皮制的手表和合成板。"
    "曲面松树下，御用的谷物丰收，几乎每个人都在钟楼后面吃面条，游览了万里长城的城墙，彻底干涸的征程。"
    "他着急地说：为了恢复秩序，应当依据宪法制定条例；台湾、香港的群众峰会在线上举行，床前注释，才能了结。"
)
TRADITIONAL = (
    "學習資料庫的時候，後面的頭髮亂了；乾淨的幹部在鐘樓裏面著急。皇后與太后之後，隻身一人衹好復習，覆蓋著麵粉。"
    "這裡的彙編與匯款、曆法與歷史、穀物與山谷、鬥爭與北斗、係數與關係、闢謠與復辟，都應當分開，檯燈亮了。"
)


def exact(*texts: str) -> list[bytes]:
    stage = Sign()
    return stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), stage.load({}))["exact"].to_pylist()


@pytest.mark.parametrize("conversion", ["s2t", "s2tw", "s2hk"])
def test_a_page_meets_its_traditional_mirror(conversion: str) -> None:
    mirror = opencc.OpenCC(conversion).convert(SIMPLIFIED)
    assert sum(a != b for a, b in zip(SIMPLIFIED, mirror, strict=True)) > 40
    assert len(set(exact(SIMPLIFIED, mirror))) == 1


@pytest.mark.parametrize("conversion", ["t2s", "tw2s", "hk2s", "t2tw", "t2hk"])
def test_a_page_meets_its_simplified_mirror(conversion: str) -> None:
    mirror = opencc.OpenCC(conversion).convert(TRADITIONAL)
    assert mirror != TRADITIONAL
    assert len(set(exact(TRADITIONAL, mirror))) == 1


def test_other_words_stay_other_words() -> None:
    page = "软件的默认设置在内存里。"
    mirror = opencc.OpenCC("s2twp").convert(page)
    assert mirror == "軟體的預設設定在記憶體裡。"
    assert len(set(exact(page, mirror))) == 2


def test_classes_are_disjoint_small_and_of_ideographs() -> None:
    every = "".join(CLASSES)
    assert len(set(every)) == len(every) == 9878
    kinds = characters.kinds()
    assert all(ord(c) >= characters.TABLE_SIZE or kinds[ord(c)] == characters.HAN for c in every)
    assert max(map(len, CLASSES)) == 8
    assert all(line == "".join(sorted(line)) and len(line) > 1 for line in CLASSES)


def test_each_class_has_one_entry_which_is_its_first_character() -> None:
    table = key.table()
    for line in CLASSES:
        data = line[0].encode()
        entry = int.from_bytes(data, "little") | len(data) << 32 | key.SINGLE << 40
        assert {int(table[ord(char)]) for char in line} == {entry}
        assert all(len(data) <= len(char.encode()) for char in line)  # no key is longer than its text


def test_a_character_of_three_bytes_gives_three() -> None:
    table = key.table()[0x800:0x10000]
    singles = table[table >> 40 == key.SINGLE]
    assert set((singles >> 32 & 255).tolist()) == {3}
    assert (key.GAP, key.NOTHING, key.SINGLE) == (0, 1, 3)


def test_the_head_names_source_version_and_licence() -> None:
    head = " ".join(line for line in LINES if line.startswith("#"))
    assert "github.com/BYVoid/OpenCC" in head
    assert "OpenCC 1.4.2" in head
    assert "Apache License 2.0" in head
