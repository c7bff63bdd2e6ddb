"""Write `stages/han_classes.txt`: Han characters that a conversion between simplified and traditional exchanges.

    pip download opencc==1.4.2 --no-deps --no-binary :all:
    python scripts/han_classes.py opencc-1.4.2.tar.gz [--out stages/han_classes.txt]

Two characters are in one class where a dictionary of OpenCC (https://github.com/BYVoid/OpenCC, Apache-2.0) lists one
as a candidate for the other. All candidates count, also those that only phrases choose, so that 發 and 髮 meet at 发
whatever the words around them are. The dictionaries of variants of Taiwan and Hong Kong know a few exchanges as
phrases alone: there the characters that differ between two phrases of one length count. The dictionary of
compatibility ideographs is among them because OpenCC applies it before every conversion. Shinjitai of Japan and the
words that Taiwan and Hong Kong say otherwise (TWPhrases, HKPhrases) are left out.

Classes are the connected components, written one a line in order of code points; the first character stands for all.
"""

import argparse
import hashlib
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

VERSION = "1.4.2"
SHA256 = "47977905f131d7d9cfcec29fba5d841154907e1da73103105a4a68744e0f4f1a"
CHARACTERS = ("STCharacters", "TSCharacters", "TWVariants", "HKVariants", "CJK_Compatibility_Ideographs")
PHRASES = ("TWVariantsPhrases", "HKVariantsPhrases")
DEFAULT = Path(__file__).resolve().parent.parent / "stages" / "han_classes.txt"
HEAD = """\
# Han characters that conversion between simplified and traditional Chinese exchanges: one class a line, the first
# character stands for all. Made by scripts/han_classes.py from
# {names}
# of OpenCC {version} (https://github.com/BYVoid/OpenCC), source archive sha256
# {digest}.
# OpenCC is licensed under the Apache License 2.0, and so is this file; it was changed in that the dictionaries were
# joined to classes. {classes:,} classes, {characters:,} characters, the largest of {largest}.
"""


def entries(dictionary: str) -> Iterator[tuple[str, str]]:
    """(key, candidate) of the text of one dictionary."""
    for line in dictionary.splitlines():
        if line and not line.startswith("#"):
            key, candidates = line.split("\t")[:2]
            for candidate in candidates.split(" "):
                yield key, candidate


def exchanged(dictionaries: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of different characters of which one may become the other."""
    for name, text in dictionaries.items():
        for key, candidate in entries(text):
            if name in CHARACTERS and len(key) != len(candidate):
                raise ValueError(f"{name}.txt: {key} -> {candidate}: expected one character on both sides")
            if len(key) == len(candidate):
                yield from ((a, b) for a, b in zip(key, candidate, strict=True) if a != b)


def classes(pairs: Iterator[tuple[str, str]]) -> list[str]:
    """Connected components, each as a string of its characters in order."""
    of: dict[str, set[str]] = {}
    for a, b in pairs:
        one, other = of.setdefault(a, {a}), of.setdefault(b, {b})
        if one is not other:
            one |= other
            of.update(dict.fromkeys(other, one))
    return sorted({"".join(sorted(members)) for members in of.values()})


def dictionaries_of(archive: Path) -> dict[str, str]:
    """Texts of the dictionaries in OpenCC's source archive. ValueError where it is not the pinned one."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        raise ValueError(f"{archive} has sha256 {digest}, expected {SHA256} (source archive of opencc {VERSION})")
    texts = {}
    with tarfile.open(archive) as members:
        for name in (*CHARACTERS, *PHRASES):
            member = members.extractfile(f"opencc-{VERSION}/data/dictionary/{name}.txt")
            if member is None:
                raise ValueError(f"{archive}: {name}.txt is no file")
            texts[name] = member.read().decode()
    return texts


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the classes of Han characters of stages/key.py.")
    parser.add_argument("archive", type=Path, help=f"opencc-{VERSION}.tar.gz")
    parser.add_argument("--out", type=Path, default=DEFAULT, help="default: %(default)s")
    given = parser.parse_args(argv)
    try:
        found = classes(exchanged(dictionaries_of(given.archive)))
    except (OSError, ValueError) as error:
        print(f"han_classes: {error}", file=sys.stderr)
        return 1
    names = " ".join((*CHARACTERS, *PHRASES))
    head = HEAD.format(
        names=names,
        version=VERSION,
        digest=SHA256,
        classes=len(found),
        characters=sum(map(len, found)),
        largest=max(map(len, found)),
    )
    given.out.write_text(head + "\n".join(found) + "\n", encoding="utf-8")
    print(f"{given.out}: {len(found):,} classes; the largest: {' '.join(sorted(found, key=len, reverse=True)[:5])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
