"""One half of a build in a process of its own: `python -m bench.shards.side MANIFEST (encode | pack)` -> JSON.

`encode` makes tables of tokens; `pack` finds them fresh, and what it takes is shards, indices and seal. So its peak
memory owes nothing to the making of the tables. Everything runs in this one process.
"""

import json
import resource
import sys
import time
from pathlib import Path

from bench.shards.generated import Ids, Numbers
from corpus import pack, recipe
from corpus.build import Builder
from corpus.drive import compile_corpus
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.store import Blobs


class Clocked(Local):
    """Seconds by task, of wall time and of the processor; and the peak memory of the process when each last ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu_s: dict[str, float] = {}
        self.peak_bytes: dict[str, int] = {}

    def map(self, function, items):  # type: ignore[no-untyped-def]
        for index, item in enumerate(items):
            started, used, name = time.perf_counter(), time.process_time(), function.__name__
            result = function(item)
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started
            self.cpu_s[name] = self.cpu_s.get(name, 0.0) + time.process_time() - used
            self.peak_bytes[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            yield index, result


def main(manifest: Path, half: str) -> None:
    folder = manifest.parent
    graph = Graph(recipe.load(manifest, Ids | pack.Pack, Numbers), Blobs(str(folder / "store")))
    clock = Clocked()
    builder = Builder(graph, clock, Progress(quiet=True))
    started = time.perf_counter()
    outcome = compile_corpus(builder, Blobs(str(folder / "out")), "ids" if half == "encode" else None)
    found = {
        "seconds": time.perf_counter() - started,
        "phases": outcome.phases,
        "tasks": clock.seconds,
        "cpu_s": clock.cpu_s,
        "peaks": clock.peak_bytes,
        "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    if outcome.manifest is not None:
        found |= {name: [shard[name] for shard in outcome.manifest["shards"]] for name in ("documents", "tokens")}
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
