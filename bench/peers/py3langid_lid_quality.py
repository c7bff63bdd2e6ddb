"""py3langid with its own model."""

from collections.abc import Callable
from pathlib import Path

import py3langid

PACKAGES = ("py3langid",)
ABOUT = "all its languages"


def prepare(lid_model: Path) -> Callable[[list[str]], list[str]]:
    py3langid.classify("loads the model")
    return lambda texts: [py3langid.classify(text)[0] for text in texts]
