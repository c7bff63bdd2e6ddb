"""CLD2 by pycld2: the first of the languages that it names."""

from collections.abc import Callable
from pathlib import Path

import pycld2

PACKAGES = ("pycld2",)
ABOUT = "plain text, default options; control characters, which it refuses, removed"
_CONTROLS = dict.fromkeys(code for code in (*range(32), *range(0x7F, 0xA0)) if code not in (9, 10, 13))


def prepare(lid_model: Path) -> Callable[[list[str]], list[str]]:
    def answer(texts: list[str]) -> list[str]:
        found = []
        for text in texts:
            try:
                code = pycld2.detect(text.encode())[2][0][1]
            except pycld2.error:
                try:
                    code = pycld2.detect(text.translate(_CONTROLS).encode())[2][0][1]
                except pycld2.error:
                    code = "un"  # refused: no answer
            found.append("und" if code == "un" else code)
        return found

    return answer
