"""An n-gram model of a few texts, for tests of the stage `perplexity`."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from corpus import kneser_ney, ngram_file
from corpus.kneser_ney import Estimate
from corpus.logarithms import surprisal_steps
from stages.perplexity import Perplexity

STAGE = Perplexity(model="m")


def write(path: Path, texts: list[str], order: int = 3, most: int = 10**6) -> Estimate:
    found = kneser_ney.estimate(STAGE.units(pa.array(texts)), order, most)
    ngram_file.save(
        path,
        *found.rows(),
        order=order,
        units=STAGE.made_of,
        vocabulary=len(found.orders[0].hash) + 1,
        unknown=int(surprisal_steps(np.array([found.unknown]), ngram_file.STEPS, ngram_file.MOST)[0]),
        counts=tuple(len(one.hash) for one in found.orders),
        least=found.least,
        discounts=found.discounts,
    )
    return found
