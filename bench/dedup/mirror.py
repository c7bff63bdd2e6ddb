"""Simplified and traditional Chinese, by OpenCC's dictionaries of characters and phrases.

OpenCC in pure Python converts 0.3 million characters a second, so only lines that hold a character which the
conversion to simplified would change are given to it.
"""

import re
from collections.abc import Callable

from opencc import OpenCC

MIRRORS = ("s2t", "s2tw", "s2hk")  # standard traditional, Taiwan, Hong Kong; each with phrases


def mirrors() -> dict[str, Callable[[str], str]]:
    return {name: OpenCC(name).convert for name in MIRRORS}


def simplifier() -> Callable[[str], str]:
    convert = OpenCC("t2s").convert
    every = [chr(code) for first, last in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for code in range(first, last)]
    changed = [
        char for char, simple in zip(every, convert("\n".join(every)).split("\n"), strict=True) if char != simple
    ]
    traditional = re.compile(f"[{''.join(changed)}]")

    def simplify(text: str) -> str:
        if not traditional.search(text):
            return text
        return "\n".join(convert(line) if traditional.search(line) else line for line in text.split("\n"))

    return simplify
