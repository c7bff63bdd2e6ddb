"""datatrove's values of every rule, in the peers' environment: with its own words, and with the units it is given.

`python -m bench.rules.side` takes a JSON object on standard input: "texts", "words" (null: its own alone) and
"sentences" (of each line of each text), which are files, "language" and "answer", the file to write. Its filters judge
every tenth text, too, so that the values can be held against verdicts: `differs` counts where a filter says otherwise.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from datatrove.data import Document
from datatrove.pipeline import filters
from datatrove.pipeline.filters import c4_filters, gopher_quality_filter, gopher_repetition_filter
from datatrove.utils import text as units

from bench.rules.chinese import CHINESE, settings
from bench.rules.formulae import ENGLISH, Peer, values

PACKAGES = ("datatrove", "spacy", "jieba")
JUDGED_EVERY = 10


def main() -> None:
    order = json.load(sys.stdin)
    texts, words, sentences = (
        json.loads(Path(order[name]).read_text("utf-8")) for name in ("texts", "words", "sentences")
    )
    chinese = order["language"] == "zh"
    code = "cmn" if chinese else "eng"
    rules = CHINESE if chinese else ENGLISH
    asked = _filters(code, settings() if chinese else {})
    repetition = gopher_repetition_filter.GopherRepetitionFilter()
    peer = Peer(
        gopher_repetition_filter.find_duplicates, gopher_repetition_filter.find_top_duplicate,
        gopher_repetition_filter.find_all_duplicate, gopher_repetition_filter.get_n_grams,
        repetition.paragraph_exp.split, repetition._line_splitter.split,
        lambda line: c4_filters.CITATION_REGEX.sub("", line), units.PUNCTUATION_SET, tuple(units.TERMINAL_PUNCTUATION),
        c4_filters.POLICY_SUBSTRINGS, settings()["stop_words"] if chinese else gopher_quality_filter.STOP_WORDS,
    )  # fmt: skip
    said: dict[str, Any] = {"theirs": [], "on_our_units": [], "differs": dict.fromkeys(asked, 0)}
    started = time.process_time()
    for number, text in enumerate(texts):
        theirs = values(text, units.split_into_words(text, code), _by_peer(code), peer)
        said["theirs"].append(theirs)
        if words is not None:
            counts = sentences[number]
            said["on_our_units"].append(values(text, words[number], lambda at, _, counts=counts: counts[at], peer))
        for name, one in asked.items() if number % JUDGED_EVERY == 0 else ():
            verdict = one.filter(Document(text=text, id=""))
            kept = verdict if isinstance(verdict, bool) else verdict[0]
            broken = any(rule.breaks(theirs[rule.name]) for rule in rules if rule.filter == name)
            said["differs"][name] += kept == broken
    said["seconds"] = time.process_time() - started
    said["versions"] = {name: version(name) for name in PACKAGES}
    Path(order["answer"]).write_text(json.dumps(said), encoding="utf-8")


def _by_peer(code: str) -> Any:
    return lambda _, line: len(units.split_into_sentences(line, code))


def _filters(code: str, own: dict[str, Any]) -> dict[str, Any]:
    def given(*names: str) -> dict[str, Any]:
        return {name: own[name] for name in names if name in own}

    repetition = given("dup_line_frac", "dup_para_frac", "dup_line_char_frac", "dup_para_char_frac", "top_n_grams",
                       "dup_n_grams")  # fmt: skip
    gopher = given("min_avg_word_length", "max_avg_word_length", "max_non_alpha_words_ratio", "stop_words")
    fineweb = given("line_punct_thr", "short_line_thr", "char_duplicates_ratio", "new_line_ratio")
    found = {
        "gopher": filters.GopherQualityFilter(language=code, **gopher),
        "repetition": filters.GopherRepetitionFilter(language=code, **repetition),
        "fineweb": filters.FineWebQualityFilter(language=code, **fineweb),
    }
    if not own:
        found["c4"] = filters.C4QualityFilter(language=code)
        found["c4_any"] = filters.C4QualityFilter(filter_no_terminal_punct=False, language=code)
        found["c4_paragraph"] = filters.C4ParagraphFilter()
    return found


if __name__ == "__main__":
    main()
