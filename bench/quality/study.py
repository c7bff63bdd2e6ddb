"""The study: classifier, rules and whatever else scores a text, on sources and labels that none of them learned from.

Sources are parted in two halves. In each turn a classifier learns from one half: its texts are `high`, bad pages made
from them `low`, those of search-engine spam `ad`. It is measured on the texts of the other half and the pages made from
those. In further turns one kind of bad page is kept from it, to see what it makes of a kind that it has not met.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import fasttext
import numpy as np
import pyarrow as pa

from bench.quality import bad, scorers, sets, training
from corpus import scored

LOSS = 0.01
LANGUAGES = ("zh", "en")
LABELLED = {  # name -> language, least characters, the label that is good, the label that is not
    "zh_spam_sms": ("zh", 20, "ham", "spam"),
    "zh_offensive_cold": ("zh", 40, "ok", "offensive"),
    "email_spamassassin_labelled": ("en", 100, "ham", "spam"),
}
TOKENS = {  # Chinese as: parameters of the model, pairs of characters as tokens
    "characters": ("word_ngrams = 1", False),
    "characters, n-grams to 2": ("word_ngrams = 2", False),
    "characters, n-grams to 3": ("word_ngrams = 3", False),
    "pairs of characters": ("word_ngrams = 1", True),
}

Scorers = dict[str, Callable[[list[str]], np.ndarray]]
Made = dict[str, dict[str, list[str]]]  # source -> kind -> pages


def study(data: Path, scratch: Path, most: int = sets.MOST_TEXTS, kinds_apart: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = {"texts": most, "loss": LOSS, "languages": {}, "labelled": [], "tokens": {}}
    told: dict[str, list[Scorers]] = {}
    labelled = {name: sets.labelled(data, name, least) for name, (_, least, _, _) in LABELLED.items()}
    for language in LANGUAGES:
        texts = sets.good(data, language, most)
        made = {name: _made(own) for name, own in texts.items()}
        others = {
            f"{label}, {name}": labelled[name][label]
            for name, (own, _, _, label) in LABELLED.items()
            if own == language
        }
        found["languages"][language], told[language] = _turns(
            scratch / language, language, texts, made, others, kinds_apart
        )
        if language == "zh":
            found["tokens"] = _tokens(scratch / "tokens", texts, made)
            found["speed"] = _speed(texts, scratch / language / "0")
    for name, (language, _, good, bad_one) in LABELLED.items():
        own = labelled[name]
        found["labelled"].append(_labelled(scratch / name, name, own[good], own[bad_one], told[language]))
    return found


def _made(texts: list[str]) -> dict[str, list[str]]:
    pages: dict[str, list[str]] = {kind: [] for kind in bad.KINDS}
    for kind, page in bad.bad_pages(texts):
        pages[kind].append(page)
    return pages


def _examples(
    names: list[str], texts: Mapping[str, list[str]], made: Made, without: str = ""
) -> dict[tuple[str, str], list[str]]:
    learned = {}
    for name in names:
        learned[name, "high"] = texts[name]
        learned[name, "low"] = [p for kind, pages in made[name].items() if kind not in ("seo", without) for p in pages]
        learned[name, "ad"] = made[name]["seo"] if without != "seo" else []
    return learned


def _turns(
    folder: Path,
    language: str,
    texts: Mapping[str, list[str]],
    made: Made,
    labelled: Mapping[str, list[str]],
    kinds_apart: bool,
) -> tuple[dict[str, Any], list[Scorers]]:
    turns: list[dict[str, Any]] = []
    every: list[Scorers] = []
    halves = sets.folds(texts)
    for turn, names in enumerate(halves):
        others = halves[1 - turn]
        training.train(folder / str(turn), _examples(names, texts, made))
        good = {name: texts[name] for name in others}
        pages = {kind: [page for name in others for page in made[name][kind]] for kind in bad.KINDS}
        learned = [text for name in names for text in texts[name]]
        told: Scorers = {"classifier": scorers.Learned(folder / str(turn))}
        told |= {name: make(learned, folder / str(turn)) for name, make in scorers.FROM_GOOD.items()}
        told |= {name: partial(score, language=language) for name, score in scorers.UNLEARNED.items()}
        every.append(told)
        row: dict[str, Any] = {"learned_from": names, "scorers": {}}
        for name, score in told.items():
            row["scorers"][name] = _measured(score, good, pages, labelled)
        if kinds_apart:
            row["kinds_apart"] = {}
            for kind in bad.KINDS:
                place = folder / f"{turn}-{kind}"
                training.train(place, _examples(names, texts, made, without=kind))
                one = _measured(scorers.Learned(place), good, {kind: pages[kind]}, {})
                row["kinds_apart"][kind] = one["kinds"][kind]
        print(f"  {language} {turn}: {row['scorers']['classifier']['all']}", flush=True)
        turns.append(row)
    return {"turns": turns}, every


def _measured(
    score: Any, good: Mapping[str, list[str]], pages: Mapping[str, list[str]], labelled: Mapping[str, list[str]]
) -> dict[str, Any]:
    """`all` are the made pages; `kinds` these and the labelled sets, one by one."""
    by_source = {name: score(own) for name, own in good.items()}
    kinds = {kind: score(own) for kind, own in pages.items()}
    whole, bad_ones = np.concatenate(list(by_source.values())), np.concatenate(list(kinds.values()))
    least = scored.cutoff(whole, LOSS)
    return {
        "cutoff": least,
        "all": _row(whole, bad_ones, least),
        "kinds": {kind: _row(whole, own, least) for kind, own in kinds.items()}
        | {name: _row(whole, score(own), least) for name, own in labelled.items()},
        "lost": {name: round(float((own < least).mean()), 4) for name, own in by_source.items() if len(own)},
    }


def _row(good: np.ndarray, other: np.ndarray, least: float) -> dict[str, float | None]:
    area, through = scored.auc(good, other), scored.passed(other, least)
    return {
        "auc": None if area is None else round(area, 4),
        "passed": None if through is None else round(through, 4),
        "lost": round(float((good < least).mean()), 4),
    }


def _tokens(folder: Path, texts: Mapping[str, list[str]], made: Made) -> dict[str, list[dict[str, Any]]]:
    """Ways to cut Chinese: in each turn, what the card says of sources held out."""
    found: dict[str, list[dict[str, Any]]] = {}
    halves = sets.folds(texts)
    for name, (model, pairs) in TOKENS.items():
        found[name] = []
        for turn, names in enumerate(halves):
            apart = _examples(halves[1 - turn], texts, made)
            card = training.train(folder, _examples(names, texts, made), apart, model, pairs=pairs)
            found[name].append(card["held_out_sources"])
        print(f"  {name}: {[one['auc'] for one in found[name]]}", flush=True)
    return found


def _labelled(folder: Path, name: str, good: list[str], other: list[str], turns: list[Scorers]) -> dict[str, Any]:
    """What the scorers of the turns, who know nothing of the set, make of its labels; and a classifier that learned
    from half of it, by hash."""
    row: dict[str, Any] = {"set": name, "good": len(good), "bad": len(other), "scorers": {}}
    told = {
        scorer if scorer in scorers.UNLEARNED else f"{scorer}, turn {turn}": score
        for turn, scores in enumerate(turns)
        for scorer, score in scores.items()
    }
    for scorer, score in sorted(told.items()):
        ours, theirs = score(good), score(other)
        row["scorers"][scorer] = _row(ours, theirs, scored.cutoff(ours, LOSS))
    learned = {(name.replace("_", "-"), "high"): good, (name.replace("_", "-"), "low"): other}
    held = training.train(folder, learned, held_out_share=0.5)["held_out"]
    row["learned"] = {
        "auc": round(held["auc_good"], 4),
        "passed": round(held["cutoff"]["passed"]["low"], 4),
        "lost": round(held["cutoff"]["lost"], 4),
    }
    print(f"  {name}: {row['scorers']} learned from half of it {row['learned']}", flush=True)
    return row


def _speed(texts: Mapping[str, list[str]], folder: Path) -> dict[str, float]:
    """MB of text a second of CPU time: the stage, and fastText's `predict` on the stage's tokens, their making not
    counted. The best of three, in turns."""
    some = [text for own in texts.values() for text in own]
    size = sum(len(text.encode()) for text in some) / 1e6
    learned = scorers.Learned(folder)
    tokens = [one.decode() for one in learned.stage.tokens(pa.array(some))]
    library = fasttext.load_model(str(folder / "model.bin"))
    learned(some[:3])
    ours, theirs = [], []
    for _ in range(3):
        started = time.process_time()
        learned(some)
        between = time.process_time()
        for one in tokens:
            library.predict(one)
        ours.append(between - started)
        theirs.append(time.process_time() - between)
    return {"mb": round(size, 1), "ours_mb_per_s": round(size / min(ours), 1), "fasttext": round(size / min(theirs), 1)}
