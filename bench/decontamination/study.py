"""The study: plant, build to `contamination` as a user does, score; beside datatrove's stage on the same documents."""

import json
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import stages
from bench import inputs
from bench.decontamination.planting import FIELDS, FOLDERS, ITEMS, UNITS, Planted, plant
from corpus import recipe, tables
from corpus.build import Builder
from corpus.drive import compile_corpus
from corpus.exchange import Part
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs
from stages.benchmarks import Benchmark
from stages.contamination import Contamination

PEERS = ("datatrove",)
_LENGTHS = (8, 10, 13, 16, 20, 26)  # units of a gram
_MOST_SHOWN = 40  # passages of documents in which nothing was planted
_CONTEXTS = "cmrc2018_dev", "wikipedia_cmrc"  # the items that are known to stand in a set, and the set
_SOURCE = """
[[source]]
name = "{name}"
format = "jsonl"
root = "{root}"
files = ["{file}"]
"""


def study(data: Path, scratch: Path, peers: list[str], peers_python: str, each: int) -> dict[str, Any]:
    """`each`: items planted in each way. -> rows of planted kinds, of sets as they are, of known copies; speeds"""
    benchmarks = tuple(
        Benchmark(name=_label(path), files=(str(path),), fields=FIELDS.get(path.name.split(".")[0], ("text",)))
        for path in sorted((data / "bench").glob("*.jsonl.zst"))
    )
    truth: dict[str, list[Planted]] = {}
    for language in ITEMS:
        documents, truth[language] = plant(data, language, each)
        rows = "".join(json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in documents)
        (scratch / f"planted-{language}.jsonl").write_text(rows, encoding="utf-8")
    sets = [path for folder in FOLDERS.values() for path in sorted((data / folder).glob("*.jsonl.zst"))]
    started = time.process_time()
    found, counts = _build(scratch, sets, benchmarks)
    print(f"  built in {time.process_time() - started:.0f} processor seconds", flush=True)
    planted = [row for own in truth.values() for row in _planted(own, found)]
    for row in planted:
        print(f"  {row['language']} {row['kind']}: found {row['found']} of {row['planted']}", flush=True)
    result = {
        "planted": planted,
        "clean": [_clean(path, found[_label(path)]) for path in sets],
        "known": _known(data, found),
        "tasks": {name: n for name, n in counts.items() if "." in name},
        "passages": _passages(sets, found),
        "lengths": [*_lengths(scratch, sets, benchmarks, truth)],
        "speed": _speed(data, benchmarks),
        "peers": [],
        "versions": {name: version(name) for name in ("numpy", "numba", "pyarrow", "opencc")},
    }
    for peer in peers:
        result["peers"] += [_peer(peer, data, language, truth[language], scratch, peers_python) for language in ITEMS]
    return result


def _label(path: Path) -> str:
    return path.name.split(".")[0].replace("_", "-")


def _build(
    scratch: Path, sets: list[Path], benchmarks: tuple[Benchmark, ...], units: int = UNITS
) -> tuple[dict[str, dict[str, list[Any]]], dict[str, int]]:
    """-> columns of each source, what was counted"""
    manifest = ['name = "decontamination"\n']
    for path in [*sets, *(scratch / f"planted-{language}.jsonl" for language in ITEMS)]:
        manifest.append(_SOURCE.format(name=_label(path), root=path.parent, file=path.name))
    manifest.append(f'[[stage]]\nkind = "contamination"\nunits = {units}\n')
    manifest += [
        f'[[stage.benchmark]]\nname = "{one.name}"\nfiles = ["{one.files[0]}"]\nfields = {json.dumps(one.fields)}\n'
        for one in benchmarks
    ]
    path = scratch / "decontamination.toml"
    path.write_text("".join(manifest), encoding="utf-8")
    plan = recipe.load(path, stages.Stage, stages.Reader)
    builder = Builder(Graph(plan, Blobs(str(scratch / "store"))), Local(), Progress(quiet=True))
    outcome = compile_corpus(builder, Blobs(str(scratch / "out")), "contamination")
    found: dict[str, dict[str, list[Any]]] = {}
    for source, partitions in builder.partitions.items():
        whole = [tables.read(builder.store.get(p.records[-1].table.name)) for p in partitions]
        found[source] = pa.concat_tables(whole).to_pydict()
    return found, outcome.exchanges["contamination"]


def _planted(truth: list[Planted], found: dict[str, dict[str, list[Any]]]) -> Iterator[dict[str, Any]]:
    """Of each kind: how many are found (a passage lies in what was planted), and what part of their bytes goes."""
    columns = found[f"planted-{truth[0].language}"]
    for kind in dict.fromkeys(one.kind for one in truth):
        own = [one for one in truth if one.kind == kind]
        hits, gone, beside, dropped = 0, 0, 0, 0
        for one in own:
            passages, cuts = columns["contamination"][one.row], columns["contamination_cuts"][one.row]
            hits += any(p["start"] < one.end and one.start < p["end"] for p in passages)
            beside += sum(p["start"] >= one.end or one.start >= p["end"] for p in passages)
            left = columns["drop"][one.row] is not None
            dropped += left
            gone += (
                one.end - one.start
                if left
                else sum(max(0, min(c["end"], one.end) - max(c["start"], one.start)) for c in cuts)
            )
        yield {
            "language": own[0].language,
            "kind": kind,
            "planted": len(own),
            "long_enough": sum(one.units >= UNITS for one in own),
            "found": hits,
            "gone": gone / sum(one.end - one.start for one in own),
            "documents_dropped": dropped,
            "passages_elsewhere": beside,
        }


def _clean(path: Path, columns: dict[str, list[Any]]) -> dict[str, Any]:
    """A set as it is: what is taken from it, and how long the passages are that it is taken for."""
    texts = inputs.documents(path)
    chars = [len(text) for text in texts]
    dropped = [row for row, drop in enumerate(columns["drop"]) if drop is not None]
    cut = [n for n, drop in zip(columns["contaminated_chars"], columns["drop"], strict=True) if drop is None]
    grams = [p["grams"] for own in columns["contamination"] for p in own]
    return {
        "set": path.name.split(".")[0],
        "documents": len(texts),
        "chars": sum(chars),
        "documents_cut": sum(n > 0 for n in cut),
        "documents_dropped": len(dropped),
        "share_lost": (sum(cut) + sum(chars[row] for row in dropped)) / max(1, sum(chars)),
        "passages": {
            "one gram": sum(n == 1 for n in grams),
            "2 to 12": sum(2 <= n <= 12 for n in grams),
            "13 or more": sum(n > 12 for n in grams),
        },
    }


def _lengths(
    scratch: Path, sets: list[Path], benchmarks: tuple[Benchmark, ...], truth: dict[str, list[Planted]]
) -> Iterator[dict[str, Any]]:
    """The same with grams of other lengths: what is lost, and what is found of some kinds of copies. The set that is
    known to hold items is left out."""
    for units in _LENGTHS:
        found, _ = _build(scratch, sets, benchmarks, units)
        for language, folder in FOLDERS.items():
            rows = [_clean(p, found[_label(p)]) for p in sets if p.parent.name == folder and _CONTEXTS[1] not in p.name]
            planted = {row["kind"]: row["found"] / row["planted"] for row in _planted(truth[language], found)}
            lost = sum(row["share_lost"] * row["chars"] for row in rows) / sum(row["chars"] for row in rows)
            told = {kind: planted[kind] for kind in ("verbatim", "first half", "5% edited", "10% edited")}
            yield {"units": units, "language": language, "share_lost": lost, "found": told}


def _known(data: Path, found: dict[str, dict[str, list[Any]]]) -> dict[str, Any]:
    """Documents of a set in which an item stands as a whole, letter by letter: what is found of them."""
    items, name = inputs.documents(data / "bench" / f"{_CONTEXTS[0]}.jsonl.zst"), _CONTEXTS[1]
    texts = inputs.documents(data / "zh" / f"{name}.jsonl.zst")
    copies = [row for row, text in enumerate(texts) if any(item in text for item in items)]
    columns = found[name.replace("_", "-")]
    hit = sum(bool(columns["contamination"][row]) for row in copies)
    other = set(range(len(texts))) - set(copies)
    return {
        "set": name,
        "benchmark": _CONTEXTS[0],
        "copies": len(copies),
        "found": hit,
        "other_documents": len(other),
        "other_documents_found": sum(bool(columns["contamination"][row]) for row in other),
    }


def _passages(sets: list[Path], found: dict[str, dict[str, list[Any]]]) -> list[list[Any]]:
    """A few passages of documents in which nothing was planted, as they are told to a user: shortest first."""
    every = [
        (p["grams"], path.name.split(".")[0], p["benchmark"], p["item"], p["documents"], p["gram"])
        for path in sets
        for own in found[_label(path)]["contamination"]
        for p in own
    ]
    every.sort(key=lambda p: (p[0], p[5], p[1:5]))
    step = max(1, len(every) // _MOST_SHOWN)
    return [list(p) for p in every[::step]][:_MOST_SHOWN]


def _speed(data: Path, benchmarks: tuple[Benchmark, ...]) -> list[dict[str, Any]]:
    """Processor seconds of both walks, the second over a partition of which something must be cut; and of the table."""
    stage = Contamination(benchmark=benchmarks)
    one = np.zeros(1, [("key", "<u8"), ("gram", "<u4"), ("documents", "<u4")])
    one["documents"] = 1
    started = time.process_time()
    model = stage.load({name: Path(name) for name in stage.assets})
    rows = [{"what": "making the table", "grams": len(model.grams.keys), "seconds": time.process_time() - started}]
    for language, names in (("en", ("openwebtext_bbc", "freelaw_scotus", "gutenberg")), ("zh", ("tech_lctt", "laws"))):
        texts = [t for n in names for t in inputs.documents(data / FOLDERS[language] / f"{n}.jsonl.zst")]
        batch = pa.record_batch({"text": pa.array(texts, pa.string())})
        part, megabytes = Part(1, "s", 1, len(texts)), sum(len(text.encode()) for text in texts) / 1e6
        for what, walk in (
            ("counting", lambda b=batch, p=part: stage.documents(b, p, model)),
            ("finding places", lambda b=batch, p=part: stage.spans(one, np.zeros(1), b, p, model)),
        ):
            walk()
            best = min(_seconds(walk) for _ in range(3))
            rows.append({"what": what, "language": language, "mb": megabytes, "mb_per_s": megabytes / best})
            print(f"  {what}, {language}: {megabytes / best:.0f} MB/s", flush=True)
    return rows


def _seconds(work: Any) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _peer(name: str, data: Path, language: str, truth: list[Planted], scratch: Path, python: str) -> dict[str, Any]:
    """A peer on the planted documents and on one clean set, with items of the same language."""
    clean = {"en": "openwebtext_bbc", "zh": "tech_lctt"}[language]
    texts = inputs.documents(data / FOLDERS[language] / f"{clean}.jsonl.zst")[:500]
    order = {
        "language": language,
        "units": UNITS,
        "items": [str(data / "bench" / f"{item}.jsonl.zst") for item in ITEMS[language]],
        "planted": [
            json.loads(line)["text"] for line in (scratch / f"planted-{language}.jsonl").open(encoding="utf-8")
        ],
        "clean": texts,
    }
    given, made = scratch / "given.json", scratch / "made.json"
    given.write_text(json.dumps(order), encoding="utf-8")
    subprocess.run([python, "-m", f"bench.peers.{name}_decontamination", str(given), str(made)], check=True)
    answer = json.loads(made.read_text(encoding="utf-8"))
    hits: Counter[str] = Counter()
    for one in truth:
        hits[one.kind] += answer["planted"][one.row]
    megabytes = sum(len(text.encode()) for text in order["planted"] + texts) / 1e6  # type: ignore[operator]
    return {
        "peer": name,
        "language": language,
        "versions": answer["versions"],
        "found": dict(hits),
        "clean": clean,
        "clean_documents": len(texts),
        "clean_dropped": sum(answer["clean"]),
        "mb_per_s": megabytes / answer["seconds"],
    }
