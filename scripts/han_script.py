"""Write `stages/han_script.txt`: Han characters that only one of the two scripts of Chinese has.

    pip download opencc==1.4.2 --no-deps --no-binary :all:
    python scripts/han_script.py opencc-1.4.2.tar.gz [--out stages/han_script.txt]

Read off the dictionaries of characters of OpenCC (https://github.com/BYVoid/OpenCC, Apache-2.0):

- simplified only: conversion to traditional always changes it, and it is no form that traditional text has (neither a
  candidate of that conversion nor a variant of Taiwan or Hong Kong: 群 and 峰, which OpenCC's own standard writes 羣
  and 峯, are usual there), nor does conversion to simplified change it;
- traditional only: conversion to simplified always changes it, and conversion to traditional never does.

What stays itself in one of several readings is in both scripts (后 and 里 are traditional characters, too, 乾 of 乾隆
and 於 as a name simplified ones), and so is what no dictionary lists.
"""

import argparse
import sys
from pathlib import Path

from scripts.han_classes import SHA256, VERSION, dictionaries_of, entries

SOURCES = ("STCharacters", "TSCharacters", "TWVariants", "HKVariants")
DEFAULT = Path(__file__).resolve().parent.parent / "stages" / "han_script.txt"
IN_LINE = 50
HEAD = """\
# Han characters of one script alone: lines that begin with 1 hold those that only simplified Chinese has, with 2 those
# that only traditional Chinese has. Made by scripts/han_script.py from
# {names}
# of OpenCC {version} (https://github.com/BYVoid/OpenCC), source archive sha256
# {digest}.
# OpenCC is licensed under the Apache License 2.0, and so is this file; it was changed in that characters were chosen
# from the dictionaries. {simplified:,} simplified, {traditional:,} traditional.
"""


def candidates(dictionary: str) -> dict[str, set[str]]:
    """What each character of a dictionary may become."""
    found: dict[str, set[str]] = {}
    for key, candidate in entries(dictionary):
        found.setdefault(key, set()).add(candidate)
    return found


def scripts_of(dictionaries: dict[str, str]) -> tuple[str, str]:
    """-> (characters of simplified script alone, of traditional script alone), each in order of code points."""
    to_traditional, to_simplified, taiwan, hong_kong = (candidates(dictionaries[name]) for name in SOURCES)
    traditional = {char for one in (to_traditional, taiwan, hong_kong) for found in one.values() for char in found}
    simplified_only = set(to_traditional) - traditional - set(taiwan) - set(hong_kong) - set(to_simplified)
    traditional_only = {char for char, found in to_simplified.items() if char not in found} - set(to_traditional)
    return "".join(sorted(simplified_only)), "".join(sorted(traditional_only))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the table of characters of stages/han_script.py.")
    parser.add_argument("archive", type=Path, help=f"opencc-{VERSION}.tar.gz")
    parser.add_argument("--out", type=Path, default=DEFAULT, help="default: %(default)s")
    given = parser.parse_args(argv)
    try:
        simplified, traditional = scripts_of(dictionaries_of(given.archive))
    except (OSError, ValueError) as error:
        print(f"han_script: {error}", file=sys.stderr)
        return 1
    head = HEAD.format(
        names=" ".join(SOURCES),
        version=VERSION,
        digest=SHA256,
        simplified=len(simplified),
        traditional=len(traditional),
    )
    lines = [
        f"{mark} {chars[at : at + IN_LINE]}\n"
        for mark, chars in (("1", simplified), ("2", traditional))
        for at in range(0, len(chars), IN_LINE)
    ]
    given.out.write_text(head + "".join(lines), encoding="utf-8")
    print(f"{given.out}: {len(simplified):,} simplified, {len(traditional):,} traditional")
    return 0


if __name__ == "__main__":
    sys.exit(main())
