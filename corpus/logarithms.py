"""Logarithms and powers of two that come out the same on every machine: looked up in tables of decimal arithmetic.

numpy's own differ in the last place with and without AVX-512, and libm's between its versions.
"""

from decimal import Decimal, localcontext
from functools import cache

import numpy as np


@cache
def _powers(steps: int, shift: str) -> np.ndarray:
    """2**((i + shift) / steps) for i in 0..steps - 1, each the nearest float64."""
    with localcontext() as context:
        context.prec = 40
        log = Decimal(2).ln() / steps
        table = np.array([float(((Decimal(i) + Decimal(shift)) * log).exp()) for i in range(steps)])
    table.flags.writeable = False
    return table


def surprisal_steps(p: np.ndarray, steps: int, most: int) -> np.ndarray:
    """-log2(p) in steps, rounded to the nearest, 0 to `most`: int64. `p` is greater than 0."""
    mantissa, exponent = np.frexp(p)  # p = mantissa * 2**exponent, mantissa in 0.5..1
    log = np.searchsorted(_powers(steps, "0.5"), 2 * mantissa, side="right") + steps * (exponent.astype(np.int64) - 1)
    return np.clip(-log, 0, most)


def power_of_two(steps: np.ndarray, of: int) -> np.ndarray:
    """2**(steps / of), float64; `steps` are whole numbers."""
    return np.ldexp(_powers(of, "0")[steps % of], (steps // of).astype(np.int32))
