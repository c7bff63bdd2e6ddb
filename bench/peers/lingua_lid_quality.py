"""lingua in its high-accuracy mode."""

from collections.abc import Callable
from pathlib import Path

from lingua import LanguageDetectorBuilder

PACKAGES = ("lingua-language-detector",)
ABOUT = "all 75 languages, high accuracy"


def prepare(lid_model: Path) -> Callable[[list[str]], list[str]]:
    detector = LanguageDetectorBuilder.from_all_languages().with_preloaded_language_models().build()

    def answer(texts: list[str]) -> list[str]:
        found = (detector.detect_language_of(text) for text in texts)
        return ["und" if language is None else language.iso_code_639_1.name.lower() for language in found]

    return answer
