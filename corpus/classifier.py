"""Train a classifier of texts: a supervised fastText model, its card, and what the card says of it.

One thread and a fixed seed: with two threads, fastText's sums depend on who comes first. The same documents, parameters
and library give the same bytes of `model.bin`, whatever the files are called and however their records are ordered. The
trainer gets its documents from a temporary file, which the model does not name.

The card, `card.json` and the same as `card.md` for people, says what was learned from (files by sha256, documents by
source), with what parameters, and how the model fares on documents that it has not seen: those held out of the sources
it learned from, and whole sources that are held out. Figures are those of the library's own `predict`.
"""

import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import fasttext
import msgspec
import numpy as np

from corpus import scored
from corpus.classes import Classes
from corpus.classifier_page import page
from corpus.examples import Example, Gathered, Tokens, gather
from corpus.identity import sha256

MODEL, CARD, PAGE = "model.bin", "card.json", "card.md"
_LABEL = "__label__"
_LIBRARY = "fasttext-community"


def train(asked: Classes, tokens: Tokens, prepared: dict[str, Any], out: Path) -> dict[str, Any]:
    """Train what `asked` names on what `tokens` makes of its texts; write model and card to the folder `out` -> the
    card. `prepared` says for the card how texts become tokens. InputError as in `gather`."""
    gathered = gather(asked, tokens)
    with tempfile.TemporaryDirectory() as folder:
        lines = Path(folder) / "documents"
        with lines.open("wb") as file:
            file.writelines(b"%s%s %s\n" % (_LABEL.encode(), of.encode(), text) for _, of, text in gathered.learned)
        model = fasttext.train_supervised(
            str(lines),
            dim=asked.model.dim,
            wordNgrams=asked.model.word_ngrams,
            bucket=asked.model.buckets,
            minCount=asked.model.min_count,
            epoch=asked.model.epochs,
            lr=asked.model.learning_rate,
            loss=asked.model.loss,
            minn=0,
            maxn=0,
            seed=asked.seed,
            thread=1,
            verbose=0,
        )
        model.save_model(str(Path(folder) / MODEL))
        data = (Path(folder) / MODEL).read_bytes()
    card = _card(asked, gathered, prepared, sha256(data)) | figures(asked, gathered, model)
    out.mkdir(parents=True, exist_ok=True)
    (out / MODEL).write_bytes(data)
    (out / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card)) + b"\n")
    (out / PAGE).write_text(page(card), encoding="utf-8")
    return card


def _card(asked: Classes, gathered: Gathered, prepared: dict[str, Any], digest: str) -> dict[str, Any]:
    sources = [
        {"source": source.name, "class": source.of, "weight": source.weight, "licence": source.licence}
        | {"held_out": source.held_out}
        | msgspec.to_builtins(gathered.taken[source.name])
        for source in asked.sources
    ]
    return {
        "name": asked.name,
        "model": MODEL,
        "sha256": digest,
        "classes": list(asked.names),
        "good": asked.good,
        "seed": asked.seed,
        "held_out_share": asked.held_out_share,
        "parameters": msgspec.to_builtins(asked.model),
        "tokens": prepared,
        "library": f"{_LIBRARY} {version(_LIBRARY)}",
        "in_two_classes": gathered.in_two,
        "sources": sources,
    }


def figures(asked: Classes, gathered: Gathered, model: Any) -> dict[str, Any]:
    """What the model says of documents that it has not seen."""
    of = {source.name: source.of for source in asked.sources}
    own = {name: _probabilities(asked, model, some) for name, some in gathered.measured.items() if some}
    apart = {name: _probabilities(asked, model, some) for name, some in gathered.held_out.items() if some}
    good = asked.names.index(asked.good)
    truth = np.concatenate([np.full(len(found), asked.names.index(of[name])) for name, found in own.items()])
    found = np.concatenate(list(own.values()))
    scores = {name: found[truth == number, good] for number, name in enumerate(asked.names)}
    others = {name: score for name, score in scores.items() if name != asked.good}
    cut = scored.let_through(scores[asked.good], others, asked.good_loss)
    sources = [
        {"source": name, "class": of[name], "held_out": name in apart, "documents": len(some)}
        | {"passed": scored.passed(some[:, good], cut["cutoff"]), "median": float(np.median(some[:, good]))}
        for name, some in (own | apart).items()
    ]
    unseen = {
        name: np.concatenate([some[:, good] for source, some in apart.items() if of[source] == name])
        for name in asked.names
        if any(of[source] == name for source in apart)
    }
    return {
        "held_out": {
            "classes": scored.by_class(asked.names, truth, found),
            "auc_good": scored.auc(scores[asked.good], np.concatenate(list(others.values()))),
            "calibration": scored.calibration(found[:, good], truth == good),
            "cutoff": cut,
            "sources": sources,
        },
        "held_out_sources": _apart(asked, scores, unseen, cut["cutoff"]),
    }


def _apart(
    asked: Classes, scores: dict[str, np.ndarray], unseen: dict[str, np.ndarray], least: float
) -> dict[str, Any] | None:
    """What becomes of whole sources held out, `unseen`, at the cutoff `least` of those learned from, and at one of
    their own; None where there are none. Where a class has none, documents held out stand for it, `scores`."""
    if not unseen:
        return None
    whole = scores | unseen
    good = whole.pop(asked.good)
    return {
        "classes": list(unseen),
        "lost": float((good < least).mean()),
        "passed": {name: scored.passed(some, least) for name, some in whole.items()},
        "auc": {name: scored.auc(good, some) for name, some in whole.items()},
        "cutoff": scored.let_through(good, whole, asked.good_loss),
    }


def _probabilities(asked: Classes, model: Any, examples: list[Example]) -> np.ndarray:
    """(n, classes), as the library reports them."""
    out = np.zeros((len(examples), len(asked.names)))
    for row, example in enumerate(examples):
        labels, values = model.predict(example.tokens.decode(), k=-1)
        for label, value in zip(labels, values, strict=True):
            out[row, asked.names.index(label.removeprefix(_LABEL))] = min(value, 1.0)
    return out
