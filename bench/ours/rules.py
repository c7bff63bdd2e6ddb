"""`signals`, then `judge` with the packs en and zh. The language is given: finding it is another work."""

import pyarrow as pa

from bench.given import Done, Given, Job
from bench.ours import batches
from stages.judge import Judge
from stages.signals import Signals

PACKAGES = ("numpy", "numba", "pyarrow")
CHINESE_PACK = "fineweb2-zh"  # beside peers that are told FineWeb2's thresholds


def prepare(given: Given) -> Job:
    return judged(given, ("en", "zh"))


def judged(given: Given, packs: tuple[str, ...]) -> Job:
    """All signals, and the rules of `packs`."""
    signals, judge = Signals(), Judge(packs=packs)
    model = signals.load({})
    whole = batches.of_text(given.path)

    def verdicts(batch: pa.RecordBatch) -> pa.Array:
        columns = signals.apply(batch, model)
        columns["lang"] = pa.array([given.language] * batch.num_rows)
        named = pa.record_batch({name: columns[name] for name in judge.reads})
        return judge.apply(named, None)["drop"]

    for batch in batches.of_text(given.warm_up):
        verdicts(batch)

    def run() -> Done:
        answers = [drop is None for batch in whole for drop in verdicts(batch).to_pylist()]
        counts = {"bytes": batches.text_bytes(whole), "documents": len(answers), "kept": sum(answers)}
        return Done(counts | {"removed": len(answers) - sum(answers)}, answers)

    return run
