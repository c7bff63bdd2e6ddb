"""One side of a comparison in a process of its own, on one core: prepare, warm up, then one timed run.

`python -m bench.side` takes a JSON object on standard input ({"module", "core", "given"}) and prints one on standard
output. The launcher writes both; nobody calls this by hand.
"""

import gc
import importlib
import json
import os
import resource
import sys
import time
from importlib.metadata import version
from typing import Any

from bench.given import Done, Given


def high_water_bytes() -> int:
    """Peak resident memory of this process since its program began. `ru_maxrss` would count its parent's, too."""
    with open("/proc/self/status", encoding="ascii") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields["VmHWM"].split()[0]) * 1024


def cpu_seconds() -> float:
    spent = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in spent)


def measure(module: Any, given: Given) -> tuple[Done, dict[str, Any]]:
    job = module.prepare(given)
    gc.collect()
    before = high_water_bytes()
    cpu = cpu_seconds()
    started = time.perf_counter()
    done = job()
    seconds = time.perf_counter() - started
    spent = cpu_seconds() - cpu
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return done, {
        "seconds": seconds - done.start_s,
        "start_s": done.start_s,
        "cpu_s": spent,
        "peak_bytes": max(high_water_bytes(), children, done.peak_bytes),
        "peak_before_bytes": before,  # interpreter, libraries, models, and the input where it is held in memory
        **done.parts,
    }


def main() -> None:
    order = json.load(sys.stdin)
    os.sched_setaffinity(0, {order["core"]})
    answer = os.dup(1)
    os.dup2(2, 1)  # what a library prints goes where its log goes
    module = importlib.import_module(order["module"])
    done, figures = measure(module, Given.from_json(order["given"]))
    versions = {name: version(name) for name in module.PACKAGES}
    versions["python"] = sys.version.split()[0]
    result = {"figures": figures, "counts": done.counts, "answers": done.answers, "versions": versions}
    with os.fdopen(answer, "w") as out:
        json.dump(result, out)


if __name__ == "__main__":
    main()
