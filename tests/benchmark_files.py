"""Files of benchmark items, and `contamination` opened on them without a store."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpus.exchange import Opener
from stages.benchmarks import Benchmark
from stages.contamination import Contamination


def write(folder: Path, **benchmarks: Sequence[str | dict[str, Any]]) -> None:
    """`<name>.jsonl` of each; an item that is a string stands in `text`."""
    for name, items in benchmarks.items():
        rows = [{"text": item} if isinstance(item, str) else item for item in items]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


class Opened(Opener, frozen=True):
    stage: Contamination
    folder: str

    def open(self) -> Any:
        return self.stage.load({name: Path(self.folder) / name for name in self.stage.assets})


def named(*names: str) -> tuple[Benchmark, ...]:
    return tuple(Benchmark(name=name, files=(f"{name}.jsonl",)) for name in names)
