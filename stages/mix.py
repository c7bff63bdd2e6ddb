"""Spreading 64 bits, inside numba kernels."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, inline="always")
def mix(h):  # type: ignore[no-untyped-def]
    """MurmurHash3's 64-bit finalizer."""
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    return h ^ (h >> np.uint64(33))
