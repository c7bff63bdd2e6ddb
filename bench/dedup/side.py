"""A peer on a planted set, in the peers' environment: verdicts of every document.

`python -m bench.dedup.side` takes a JSON object on standard input ({"module", "path", "language", "folder", "answer"}).
A peer's module has `PACKAGES`, `ABOUT` and `verdicts(path, language, folder)`, which gives (kept, cluster) by id.
"""

import importlib
import json
import sys
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    order = json.load(sys.stdin)
    module = importlib.import_module(order["module"])
    found = module.verdicts(Path(order["path"]), order["language"], Path(order["folder"]))
    versions = {name: version(name) for name in module.PACKAGES}
    answer = {"about": module.ABOUT, "versions": versions, "verdicts": found}
    Path(order["answer"]).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
