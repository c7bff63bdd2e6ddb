"""lid.176 alone, the whole text."""

from collections.abc import Callable
from pathlib import Path

import fasttext

PACKAGES = ("fasttext-community",)
ABOUT = "lid.176.ftz, the whole text"


def prepare(lid_model: Path) -> Callable[[list[str]], list[str]]:
    model = fasttext.load_model(str(lid_model))

    def answer(texts: list[str]) -> list[str]:
        labels, _ = model.predict([text.replace("\n", " ") for text in texts])
        return [label[0].removeprefix("__label__") if label else "und" for label in labels]

    return answer
