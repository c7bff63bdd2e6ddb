"""Train an n-gram model of good text, and say in a card how surprising texts are to it that it has not seen.

Of a long document windows are learned from, some 32 kB. Equal documents are one, wherever they stand; which are learned
from and which measured is decided by a hash of the text. So the same documents and parameters give the same bytes,
whatever the files are called and however their records are ordered, and no text is in both.

Memory: while a source is read, twice `max_documents` samples of it, 33 kB each at most; what is chosen of all sources;
then 70 bytes for each of `max_units` units and 60 for each n-gram (`corpus/kneser_ney.py`).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import pyarrow as pa

from corpus import kneser_ney, ngram_file
from corpus.errors import InputError
from corpus.examples import Taken, read_documents
from corpus.identity import sha256
from corpus.logarithms import surprisal_steps
from corpus.perplexity_page import page
from corpus.texts import Texts

MODEL, CARD, PAGE = "perplexity.ngrams", "card.json", "card.md"
_BATCH = 1024  # samples made into units at a time


class Scorer(Protocol):
    """The stage `perplexity`. `made_of` says how texts become units, and enters the file."""

    made_of: dict[str, int]

    def samples(self, text: pa.Array) -> list[bytes]: ...

    def units(self, text: pa.Array) -> np.ndarray: ...

    def load(self, assets: Any) -> Any: ...

    def measure(self, text: pa.Array, model: Any) -> dict[str, np.ndarray]: ...


def train(asked: Texts, scorer: Scorer, out: Path) -> dict[str, Any]:
    """Train on what `asked` names; write model and card to the folder `out` -> the card. InputError where a file is
    missing or unreadable, or there is no text to learn from."""
    taken, learned, measured = _gather(asked, scorer)
    units = np.concatenate([np.zeros(0, np.uint64), *_units(asked, scorer, learned, taken)])
    if not units.any():
        raise InputError(f"{asked.path}: its sources have no text to learn from. Name more files.")
    found = kneser_ney.estimate(units, asked.model.order, asked.model.max_ngrams)
    out.mkdir(parents=True, exist_ok=True)
    header = ngram_file.save(
        out / MODEL,
        *found.rows(),
        order=asked.model.order,
        units=scorer.made_of,
        vocabulary=len(found.orders[0].hash) + 1,
        unknown=int(surprisal_steps(np.array([found.unknown]), ngram_file.STEPS, ngram_file.MOST)[0]),
        counts=tuple(len(one.hash) for one in found.orders),
        least=found.least,
        discounts=found.discounts,
    )
    data = (out / MODEL).read_bytes()
    card = {
        "name": asked.name,
        "model": MODEL,
        "sha256": sha256(data),
        "bytes": len(data),
        "seed": asked.seed,
        "held_out_share": asked.held_out_share,
        "parameters": msgspec.to_builtins(asked.model),
        "units": int((units != kneser_ney.SEPARATOR).sum()),
        "header": msgspec.to_builtins(header),
        "sources": [
            {"source": source.name, "licence": source.licence, "held_out": source.held_out}
            | msgspec.to_builtins(taken[source.name])
            for source in asked.sources
        ],
        "measured": _measure(scorer, out / MODEL, measured),
    }
    (out / CARD).write_bytes(msgspec.json.format(msgspec.json.encode(card)) + b"\n")
    (out / PAGE).write_text(page(card), encoding="utf-8")
    return card


def _gather(
    asked: Texts, scorer: Scorer
) -> tuple[dict[str, Taken], list[tuple[bytes, str, bytes]], dict[str, list[bytes]]]:
    """-> what was read, by source; (key, source, text) to learn from, by rising keys; texts to measure, by source."""
    taken: dict[str, Taken] = {}
    learned: list[tuple[bytes, str, bytes]] = []
    measured: dict[str, list[bytes]] = {}
    seen: set[bytes] = set()  # a document of two sources is that of one that is held out, else the first one's
    limit = int(asked.held_out_share * 2**64)
    for source in sorted(asked.sources, key=lambda one: not one.held_out):
        own, found = read_documents(asked, source, scorer.samples)
        keys = sorted(found.keys() - seen)
        seen.update(keys)
        own.equal += len(found) - len(keys)
        own.kept = len(keys)
        held = [key for key in keys if source.held_out or int.from_bytes(key[8:], "little") < limit]
        measured[source.name] = [found[key] for key in held]
        own.measured = len(held)
        learned += [(key, source.name, found[key]) for key in sorted(set(keys) - set(held))]
        taken[source.name] = own
    return taken, sorted(learned), {source.name: measured[source.name] for source in asked.sources}


def _units(
    asked: Texts, scorer: Scorer, learned: list[tuple[bytes, str, bytes]], taken: dict[str, Taken]
) -> Iterator[np.ndarray]:
    """Units of the first documents, so many as `max_units` has room for; counted in `taken`."""
    left = asked.model.max_units
    for at in range(0, len(learned), _BATCH):
        some = learned[at : at + _BATCH]
        units = scorer.units(_strings([text for _, _, text in some]))
        ends = np.append(np.flatnonzero(units == kneser_ney.SEPARATOR)[1:], len(units))
        fit = int(np.searchsorted(ends - np.arange(1, len(ends) + 1), left, side="right"))
        for _, name, _ in some[:fit]:
            taken[name].learned += 1
        if fit:
            yield units[: ends[fit - 1]]
            left -= int(ends[fit - 1]) - fit
        if fit < len(some):
            return


def _strings(texts: list[bytes]) -> pa.Array:
    return pa.array(texts, pa.binary()).cast(pa.string())


def _measure(scorer: Scorer, path: Path, measured: dict[str, list[bytes]]) -> list[dict[str, Any]]:
    model = scorer.load({path.name: path})
    rows = []
    for name, texts in measured.items():
        row: dict[str, Any] = {"source": name, "documents": len(texts)}
        if texts:
            found = scorer.measure(_strings(texts), model)
            tenths = np.sort(found["perplexity"])[[len(texts) * tenth // 10 for tenth in (1, 5, 9)]]
            row |= {"lowest_tenth": float(tenths[0]), "median": float(tenths[1]), "highest_tenth": float(tenths[2])}
            row["bits_per_unit"] = int(found["all_cost"].sum()) / max(int(found["units"].sum()), 1) / ngram_file.STEPS
            row["unknown_share"] = int(found["unknown"].sum()) / max(int(found["units"].sum()), 1)
        rows.append(row)
    return rows
