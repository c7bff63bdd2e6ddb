"""A corpus is compiled: every stage writes one table about the rows it saw, and nothing is lost quietly."""

import os
import sys

# A compiled kernel is as old as the oldest file that went into it, see `kernel_cache.py`. Numba reads this when it is
# imported, which is after this line unless somebody else did so.
_LOCATORS = ",".join(f"corpus.kernel_cache.{name}" for name in ("Provided", "InTree", "UserWide"))
os.environ.setdefault("NUMBA_CACHE_LOCATOR_CLASSES", _LOCATORS)
if "numba" in sys.modules:
    sys.modules["numba"].config.CACHE_LOCATOR_CLASSES = os.environ["NUMBA_CACHE_LOCATOR_CLASSES"]
