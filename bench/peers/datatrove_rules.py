"""datatrove's rules as the FineWeb recipe orders them: Gopher repetition, Gopher quality, C4 without the rule on line
ends, FineWeb. A document that one filter drops costs the next ones nothing.

For Chinese the thresholds follow FineWeb2's configuration of cmn_Hani, where C4's rules are off; with the defaults no
Chinese document survives. The stop words are the eight characters that our own signals count.

Words come from spaCy's blank pipeline of the language (for Chinese: jieba), datatrove's default; neither needs data
that is not in its package.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)

from bench import inputs
from bench.given import Done, Given, Job

PACKAGES = ("datatrove", "spacy", "numpy")
LANGUAGES = {"en": "eng", "zh": "cmn"}


def filters(language: str) -> list[Any]:
    code = LANGUAGES[language]
    if language == "zh":
        return [
            GopherRepetitionFilter(dup_line_frac=0.287, language=code),
            GopherQualityFilter(
                min_avg_word_length=1, max_avg_word_length=5, stop_words=list("的是在了和一不有"), language=code
            ),
            FineWebQualityFilter(short_line_thr=999, char_duplicates_ratio=0.1, new_line_ratio=0.178, language=code),
        ]
    return [
        GopherRepetitionFilter(language=code),
        GopherQualityFilter(language=code),
        C4QualityFilter(filter_no_terminal_punct=False, language=code),
        FineWebQualityFilter(language=code),
    ]


def judge(texts: list[str], chain: list[Any], log: Path) -> set[int]:
    """-> positions of the documents that survive the filters, judged by the local executor as one task."""
    kept: set[int] = set()

    def source(data: Any, rank: int, world_size: int) -> Iterator[Document]:
        for i, text in enumerate(texts):
            yield Document(text=text, id=str(i))

    def sink(data: Iterator[Document], rank: int, world_size: int) -> Iterator[Document]:
        for document in data:
            kept.add(int(document.id))
            yield document

    LocalPipelineExecutor([source, *chain, sink], tasks=1, workers=1, logging_dir=str(log)).run()
    return kept


def prepare(given: Given) -> Job:
    return judged(given, filters)


def judged(given: Given, chain: Callable[[str], list[Any]]) -> Job:
    """chain   filters by language, made anew for each run"""
    texts = inputs.documents(given.path)
    size = inputs.text_bytes(texts)
    judge(inputs.documents(given.warm_up), chain(given.language), given.scratch / "warm")

    def run() -> Done:
        kept = judge(texts, chain(given.language), given.scratch / "log")
        counts = {"bytes": size, "documents": len(texts), "kept": len(kept), "removed": len(texts) - len(kept)}
        return Done(counts, [i in kept for i in range(len(texts))])

    return run


def single(given: Given, name: str) -> Job:
    """One filter of the recipe, by the name of its class; C4's with its rule on the end of lines, for Chinese too."""

    def chain(language: str) -> list[Any]:
        if name == "C4QualityFilter":
            return [C4QualityFilter(language=LANGUAGES[language])]
        return [one for one in filters(language) if type(one).__name__ == name]

    return judged(given, chain)
