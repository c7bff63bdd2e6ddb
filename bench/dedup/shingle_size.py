"""How long a shingle should be: what edits leave of a document's shingles, and what unrelated documents share.

**Edits.** Real documents of prose, a share of whose words (English) or Han characters (Chinese) is substituted,
inserted or deleted at random places; the Jaccard similarity to the original, for every length of shingle: mean, tenth
percentile, and the edits per hundred units at which the mean falls through the threshold. Paragraphs that exist in
both languages say how many characters a word is, so the two can be compared: two lengths mean the same where as many
edits of the same content lead to the threshold.

**Unrelated documents.** All pairs of documents within a source whose texts follow formulas: how many reach 0.5 and 0.8.
Versions of one text are none of them: pairs that share a tenth of their runs of 20 words or 32 characters are left out.
"""

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from bench.dedup import edits
from bench.dedup.originals import DEFAULT, Original, lines, read
from bench.dedup.truth import HAN, THRESHOLD, WORDS, jaccard, shingles, units

LENGTHS = {"en": range(3, 9), "zh": range(4, 14)}
CHOSEN = {"en": WORDS, "zh": HAN}
SHARES = (0.01, 0.02, 0.03, 0.05, 0.10)
DOCUMENTS, CHARS = 100, (1_000, 8_000)  # per language, and how long they may be
PROSE = 0.9  # of the units of a document, how many must be those that are edited
FORMULAIC = {
    "en": ("pile/pubmed_abstracts", "pile/freelaw_scotus", "pile/dm_mathematics", "pile/hackernews"),
    "zh": ("zh/laws", "zh/manpages_zh", "zh/reviews_hotel", "zh/reviews_online_shopping"),
}
SOURCE_DOCUMENTS, SHORTEST_CHARS = 400, 20
LONG = {"en": 20, "zh": 32}
VERSIONS = 0.1
PARALLEL = "lid/xquad_paragraphs.jsonl.zst"  # `lang`, and the paragraphs of each language in one order
_STEP = 50_000  # shingles counted at a time


def study(data: Path) -> dict[str, Any]:
    """-> {"edits": rows, "unrelated": rows, "parallel": counts}."""
    return {
        "edits": [row for language in LENGTHS for row in _edits(data, language)],
        "unrelated": [
            row for language, names in FORMULAIC.items() for name in names for row in _unrelated(data, language, name)
        ],
        "parallel": _parallel(data),
    }


def run_sets(found: list[str], language: str, length: int) -> set[str]:
    """Shingles of `length` words or characters; for what is mixed, in the proportion of the default."""
    if language == "en":
        return shingles(found, length, round(HAN * length / WORDS))
    return shingles(found, round(WORDS * length / HAN), length)


def _edits(data: Path, language: str) -> Iterator[dict[str, Any]]:
    files = DEFAULT[language]
    found = [o for o in read(data, files) if CHARS[0] <= len(o.text) <= CHARS[1] and _prose(o.text, language)]
    material = _material(found[DOCUMENTS : 2 * DOCUMENTS], language)
    left: dict[tuple[int, float], list[float]] = {}
    for original in found[:DOCUMENTS]:
        before = units(original.text)
        sets = {length: run_sets(before, language, length) for length in LENGTHS[language]}
        for share in SHARES:
            rng = random.Random(f"shingles/{share}/{original.id}")
            after = units(edits.share(share)(original.text, material, rng))
            for length, own in sets.items():
                similarity = jaccard(own, run_sets(after, language, length))
                left.setdefault((length, share), []).append(similarity)
    for length in LENGTHS[language]:
        means = [float(np.mean(left[length, share])) for share in SHARES]
        yield {
            "language": language,
            "length": length,
            "documents": min(DOCUMENTS, len(found)),
            "mean": dict(zip(map(str, SHARES), (round(mean, 4) for mean in means), strict=True)),
            "p10": {str(share): round(float(np.quantile(left[length, share], 0.1)), 4) for share in SHARES},
            "edits_at_threshold": round(100 * _crossing(means), 2),
        }


def _prose(text: str, language: str) -> bool:
    return len(edits.editable(edits.tokens(text, language), language)) >= PROSE * len(units(text))


def _material(found: list[Original], language: str) -> edits.Material:
    parts = [edits.tokens(original.text, language) for original in found]
    words = [part[at] for part in parts for at in edits.editable(part, language)]
    return edits.Material(language, words, [original.text for original in found])


def _crossing(means: list[float]) -> float:
    """The share of edits at which the mean is the threshold, on straight lines between the shares that were made."""
    for (low, before), (high, after) in pairwise(zip((0.0, *SHARES), (1.0, *means), strict=True)):
        if after < THRESHOLD:
            return low + (high - low) * (before - THRESHOLD) / (before - after)
    return float("nan")


def _unrelated(data: Path, language: str, name: str) -> Iterator[dict[str, Any]]:
    files = {f"{name}.jsonl.zst": SOURCE_DOCUMENTS}
    found = [units(original.text) for original in read(data, files, shortest_chars=SHORTEST_CHARS)]
    versions = similarities([run_sets(own, language, LONG[language]) for own in found]) >= VERSIONS
    pairs = np.triu(~versions, 1)
    for length in LENGTHS[language]:
        similarity = similarities([run_sets(own, language, length) for own in found])[pairs]
        yield {
            "language": language,
            "source": name,
            "length": length,
            "documents": len(found),
            "pairs": int(pairs.sum()),
            "versions": int(np.triu(versions, 1).sum()),
            "at_0.5": int((similarity >= 0.5).sum()),
            "at_0.8": int((similarity >= THRESHOLD).sum()),
            "most": round(float(similarity.max(initial=0)), 3),
        }


def similarities(sets: list[set[str]]) -> np.ndarray:
    """float64 (documents, documents): Jaccard similarities of all pairs, counted exactly."""
    places: dict[str, list[int]] = {}
    for at, own in enumerate(sets):
        for run in own:
            places.setdefault(run, []).append(at)
    shared = [owners for owners in places.values() if len(owners) > 1]
    both = np.zeros((len(sets), len(sets)))
    for start in range(0, len(shared), _STEP):
        some = shared[start : start + _STEP]
        has = np.zeros((len(sets), len(some)), np.float32)  # sums of ones: exact below 2**24
        for column, owners in enumerate(some):
            has[owners, column] = 1
        both += has @ has.T
    sizes = np.array([len(own) for own in sets], float)
    np.fill_diagonal(both, sizes)
    either = sizes[:, None] + sizes - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def _parallel(data: Path) -> dict[str, Any]:
    """Words of English and Han characters of Chinese in the same paragraphs."""
    counts = {"en": 0, "zh": 0}
    for line in lines(data / PARALLEL):
        record = json.loads(line)
        if record["lang"] in counts:
            counts[record["lang"]] += len(units(record["text"]))
    return counts | {"characters_per_word": round(counts["zh"] / counts["en"], 3)}


def page(found: dict[str, Any]) -> str:
    """Markdown."""
    ratio = found["parallel"]["characters_per_word"]
    rows = [
        f"# Length of a shingle, {found['at']}",
        "",
        f"commit {found['commit']}, `{found['command']}`; how: `bench/dedup/shingle_size.py`",
        "",
        "Jaccard similarity left by edits, mean (tenth percentile). Last columns: edits per 100 words or characters at",
        f"which the mean is {THRESHOLD}, and the same per 100 words: for Chinese, edits of what 100 words of English",
        f"say, where paragraphs that exist in both languages have {ratio} Chinese units for a word of English.",
        "",
        f"| shingle | {' | '.join(f'{share:.0%}' for share in SHARES)} | edits at {THRESHOLD} | per 100 words |",
        "|---" * (len(SHARES) + 3) + "|",
    ]
    for row in found["edits"]:
        language, length = row["language"], row["length"]
        name = f"{length} {'words' if language == 'en' else 'characters'}"
        cells = [f"{row['mean'][str(share)]:.3f} ({row['p10'][str(share)]:.3f})" for share in SHARES]
        edits_there = row["edits_at_threshold"]
        same = edits_there * (1 if language == "en" else ratio)
        bold = "**" if CHOSEN[language] == length else ""
        rows.append(f"| {bold}{name}{bold} | {' | '.join(cells)} | {edits_there:.2f} | {same:.2f} |")
    rows += [
        "",
        f"Pairs of unrelated documents of formulaic sources: how many reach 0.5 / {THRESHOLD}, and the most of any:",
        "",
    ]
    for language, names in FORMULAIC.items():
        unit = "words" if language == "en" else "characters"
        own = [row for row in found["unrelated"] if row["language"] == language]
        firsts = [next(row for row in own if row["source"] == name) for name in names]
        heads = [f"{row['source']} ({row['pairs']:,} pairs, {row['versions']} of versions left out)" for row in firsts]
        rows += [f"| {unit} | {' | '.join(heads)} |", "|---" * (len(names) + 1) + "|"]
        for length in LENGTHS[language]:
            cells = [
                f"{row['at_0.5']} / {row['at_0.8']}, {row['most']}"
                for name in names
                for row in own
                if row["source"] == name and row["length"] == length
            ]
            bold = "**" if CHOSEN[language] == length else ""
            rows.append(f"| {bold}{length}{bold} | {' | '.join(cells)} |")
        rows.append("")
    return "\n".join(rows)
