"""Kernels that hold no reference to an array of their own.

Numba counts references to arrays wherever one is passed on or named again, and often cannot prove that it need not: in
`stages/segments.py` that took 15 ns a byte beside 3 for the work. `_nrt=False` leaves it out. What is compiled so gets
all its arrays from its caller: to make one in it is an error when it is compiled.
"""

from numba import njit

uncounted = njit(cache=True, nogil=True, _nrt=False)
