"""The whole dedup, from text in the store to the tables of verdicts: the stages `sign` and `dedup` of a build.

`read` and `normalise` are built beforehand, untimed; what is timed reads the stored text, signs it, runs every round,
compares shingle sets, writes both tables of each partition and their records. One process, `Local`.
"""

import json
from pathlib import Path

import stages
from bench import inputs
from bench.given import Done, Given, Job
from corpus import recipe
from corpus.build import Builder
from corpus.drive import Outcome, compile_corpus
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs

PACKAGES = ("corpus-compiler", "numba", "numpy", "pyarrow", "xxhash")

_MANIFEST = """name = "speed"
seed = 1

[[source]]
name = "text"
format = "jsonl"
root = {root}
files = [{files}]

[[stage]]
kind = "normalise"

[[stage]]
kind = "sign"

[[stage]]
kind = "dedup"
"""


def prepare(given: Given) -> Job:
    texts = inputs.documents(given.path)
    size, count = inputs.text_bytes(texts), len(texts)
    del texts
    warm = given.scratch / "warm"
    for until in ("normalise", "dedup"):
        _build(warm, given.warm_up, until)
    cold = given.scratch / "cold"
    _build(cold, given.path, "normalise")

    def run() -> Done:
        outcome = _build(cold, given.path, "dedup")
        said = outcome.exchanges["dedup"]
        counts = {"bytes": size, "documents": count, "removed": said["dropped"]}
        parts = {f"phase_{name}_s": seconds for name, seconds in outcome.phases.items()}
        return Done(counts | {name: said[name] for name in ("copies", "compared", "templates", "apart")}, parts=parts)

    return run


def _build(folder: Path, path: Path, until: str) -> Outcome:
    """`corpus build --local --until` in this process."""
    folder.mkdir(exist_ok=True)
    manifest = folder / "speed.toml"
    quoted = {name: json.dumps(value) for name, value in {"root": str(path.parent), "files": path.name}.items()}
    manifest.write_text(_MANIFEST.format(**quoted), encoding="utf-8")
    plan = recipe.load(manifest, stages.Stage, stages.Reader, {})
    builder = Builder(Graph(plan, Blobs(str(folder / "store"))), Local(), Progress(quiet=True))
    return compile_corpus(builder, Blobs(str(folder / "out")), until)
