"""A tool on the labelled texts, in an environment of its own: its answer to every text, and its speed.

`python -m bench.lid_quality.side` takes a JSON object on standard input ({"module", "texts", "timed", "lid_model",
"answer"}). A tool's module has `PACKAGES`, `ABOUT` and `prepare(lid_model)`, which gives a function from a list of
texts to a list of labels.
"""

import importlib
import json
import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

ROUNDS = 3


def main() -> None:
    order = json.load(sys.stdin)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    module = importlib.import_module(order["module"])
    answer = module.prepare(Path(order["lid_model"]))
    labels = answer(json.loads(Path(order["texts"]).read_text(encoding="utf-8")))
    speeds = {}
    for name, texts in json.loads(Path(order["timed"]).read_text(encoding="utf-8")).items():
        size = sum(len(text.encode()) for text in texts)
        best = 0.0
        for _ in range(ROUNDS):
            started = time.process_time()
            answer(texts)
            spent = time.process_time() - started
            best = max(best, size / 1e6 / spent)
            if spent > 20:
                break
        speeds[name] = best
    versions = {name: version(name) for name in module.PACKAGES}
    said = {"about": module.ABOUT, "versions": versions, "labels": labels, "mb_per_s": speeds}
    Path(order["answer"]).write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main()
