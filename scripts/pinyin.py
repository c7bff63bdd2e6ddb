"""Write `stages/pinyin.txt`: how Chinese characters are read, in pinyin with tones.

    pip download pypinyin==0.55.0 --no-deps
    python scripts/pinyin.py pypinyin-0.55.0-py2.py3-none-any.whl [--out stages/pinyin.txt]

Readings come from pypinyin (https://github.com/mozillazg/python-pinyin, MIT), which lists the usual reading of a
character first. Characters are those of GB2312 and of Big5; readings are written as syllable and tone, 5 for none.
"""

import argparse
import hashlib
import json
import sys
import unicodedata
import zipfile
from collections import defaultdict
from pathlib import Path

VERSION = "0.55.0"
SHA256 = "d53b1e8ad2cdb815fb2cb604ed3123372f5a28c6f447571244aca36fc62a286f"
MEMBER = "pypinyin/pinyin_dict.json"
DEFAULT = Path(__file__).resolve().parent.parent / "stages" / "pinyin.txt"
TONES = {"\u0304": "1", "\u0301": "2", "\u030c": "3", "\u0300": "4"}
HEAD = """\
# Readings of Chinese characters: syllable and tone (5: none), the characters that are usually read so, and behind |
# those that may be. Made by scripts/pinyin.py from pypinyin {version}
# (https://github.com/mozillazg/python-pinyin), wheel sha256
# {digest}.
# MIT License, Copyright (c) 2016 mozillazg, 闲耘 <hotoo.cn@gmail.com>.
# {readings:,} readings of {characters:,} characters.
"""


def plain(reading: str) -> str | None:
    """zhòng -> zhong4, lǜ -> lv4; None for what is no syllable of letters a to z (ế, ḿ)."""
    tone, letters = "5", ""
    for char in unicodedata.normalize("NFD", reading.replace("ü", "v")):
        if char in TONES:
            tone = TONES[char]
        elif char == "\u0308" and letters.endswith("u"):
            letters = letters[:-1] + "v"
        else:
            letters += char
    vowel = any(char in "aeiouv" for char in letters)
    return letters + tone if letters.isascii() and letters.isalpha() and vowel else None


def listed(char: str) -> bool:
    """In GB2312 or Big5: what is printed today, in either script."""
    for charset in ("gb2312", "big5"):
        try:
            if len(char.encode(charset)) == 2:
                return True
        except UnicodeEncodeError:
            continue
    return False


def readings_of(dictionary: dict[str, str]) -> dict[str, tuple[str, str]]:
    """-> for each reading the characters whose usual reading it is, and those that have it besides."""
    usual, other = defaultdict(list), defaultdict(list)
    for code, readings in sorted(dictionary.items(), key=lambda item: int(item[0])):
        char = chr(int(code))
        if not listed(char):
            continue
        known = list(dict.fromkeys(filter(None, map(plain, readings.split(",")))))
        for place, reading in enumerate(known):
            (other if place else usual)[reading].append(char)
    return {reading: ("".join(usual[reading]), "".join(other[reading])) for reading in sorted({*usual, *other})}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the readings of stages/glosses.py.")
    parser.add_argument("wheel", type=Path, help=f"pypinyin-{VERSION}-py2.py3-none-any.whl")
    parser.add_argument("--out", type=Path, default=DEFAULT, help="default: %(default)s")
    given = parser.parse_args(argv)
    try:
        digest = hashlib.sha256(given.wheel.read_bytes()).hexdigest()
        if digest != SHA256:
            raise ValueError(f"{given.wheel} has sha256 {digest}, expected {SHA256} (wheel of pypinyin {VERSION})")
        with zipfile.ZipFile(given.wheel) as members:
            found = readings_of(json.loads(members.read(MEMBER)))
    except (OSError, KeyError, ValueError) as error:
        print(f"pinyin: {error}", file=sys.stderr)
        return 1
    characters = sum(len(usual) for usual, _ in found.values())
    head = HEAD.format(version=VERSION, digest=digest, readings=len(found), characters=characters)
    lines = [f"{reading} {usual}|{other}\n" for reading, (usual, other) in found.items()]
    given.out.write_text(head + "".join(lines), encoding="utf-8")
    print(f"{given.out}: {len(found):,} readings of {characters:,} characters")
    return 0


if __name__ == "__main__":
    sys.exit(main())
