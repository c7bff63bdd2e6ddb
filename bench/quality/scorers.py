"""Scores of texts, the higher the better: what a classifier says, and what can be had without one.

A score that another stage measures comes in here: in `UNLEARNED` a function of texts and their language; in `FROM_GOOD`
one that makes a scorer out of the good texts that a turn may learn from, with a folder for its files.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

import stages
from bench.quality.training import write
from corpus import perplexity as perplexities
from corpus.texts import load as load_texts
from stages.judge import Judge
from stages.perplexity import Perplexity
from stages.quality import Quality
from stages.signals import Signals

BATCH = 2048


def _batches(texts: list[str]) -> list[list[str]]:
    return [texts[at : at + BATCH] for at in range(0, len(texts), BATCH)]


def rules(texts: list[str], language: str) -> np.ndarray:
    """Minus the number of rules that a text breaks, of the pack of its language; 0 where it is kept."""
    signals, judge = Signals(), Judge(packs=(language,))
    model = signals.load({})
    broken = []
    for some in _batches(texts):
        columns = signals.apply(pa.record_batch({"text": pa.array(some, pa.string())}), model)
        columns |= {"lang": pa.array([language] * len(some)), "lang_score": pa.array(np.ones(len(some), np.float32))}
        batch = pa.record_batch({name: columns[name] for name in judge.reads})
        broken.append(judge.apply(batch, None)["rules_broken"].to_numpy())
    return -np.concatenate(broken).astype(np.float64) if broken else np.zeros(0)


UNLEARNED: dict[str, Callable[[list[str], str], np.ndarray]] = {"rules": rules}


def perplexity(column: str, texts: list[str], folder: Path) -> Callable[[list[str]], np.ndarray]:
    """Minus the perplexity of a text to an n-gram model of the good `texts`; `column` of what the stage measures."""
    place = folder / "perplexity"
    if not (place / perplexities.MODEL).exists():
        file = write(place, "good", texts)
        manifest = place / "texts.toml"
        manifest.write_text(f'name = "study"\n[[source]]\nname = "good"\nformat = "jsonl"\nfiles = ["{file}"]\n')
        trained = Perplexity(model=perplexities.MODEL, windows=64)
        perplexities.train(load_texts(manifest, stages.Reader), trained, place)
    stage = Perplexity(model=perplexities.MODEL)
    model = stage.load({perplexities.MODEL: place / perplexities.MODEL})

    def score(some: list[str]) -> np.ndarray:
        columns = [
            stage.apply(pa.record_batch({"text": pa.array(part, pa.string())}), model) for part in _batches(some)
        ]
        return -np.concatenate([one[column].to_numpy().astype(np.float64) for one in columns])

    return score


FROM_GOOD: dict[str, Callable[[list[str], Path], Callable[[list[str]], np.ndarray]]] = {
    "perplexity": partial(perplexity, "perplexity"),
    "perplexity of the worst run": partial(perplexity, "perplexity_worst"),
}


class Learned:
    """The stage `quality` with the model of a folder: what it makes of the class `high`."""

    def __init__(self, folder: Path) -> None:
        self.stage = Quality(model="model.bin")
        self.model = self.stage.load({"model.bin": folder / "model.bin"})

    def __call__(self, texts: list[str]) -> np.ndarray:
        scores = [self.stage.scores(pa.array(some, pa.string()), self.model)[:, 0] for some in _batches(texts)]
        return np.concatenate(scores) if scores else np.zeros(0)
