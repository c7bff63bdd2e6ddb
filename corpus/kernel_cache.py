"""Where compiled kernels are kept, and when they are compiled again.

Numba keeps a kernel until the file that it stands in changes. A kernel of another file that is compiled into it may
have changed as well: then the old code goes on being run, with the values of an older revision. Here a kernel is fresh
only as long as its file and every file of this project that it imports, directly or not, hold what they held.

Numba loads this class by its name in `NUMBA_CACHE_LOCATOR_CLASSES` (`corpus/__init__.py` sets it).
"""

import hashlib
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from numba.core import config
from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator

PACKAGES = ("corpus", "stages", "trainer", "bench")
_ROOT = Path(__file__).resolve().parent.parent
_IMPORT = re.compile(r"^from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)", re.MULTILINE)
_NAME = re.compile(r"\w+")


class _Stamped:
    """In place of the digest of one file, that of the file and what it imports."""

    _py_file: str

    def get_source_stamp(self) -> Any:
        return stamp(Path(self._py_file).resolve())


class Provided(_Stamped, UserProvidedCacheLocator):
    """In `NUMBA_CACHE_DIR`, where that is set."""


class InTree(_Stamped, InTreeCacheLocator):
    """Beside the source, where that can be written to."""


class UserWide(_Stamped, UserWideCacheLocator):
    """In the user's cache directory."""


def cold() -> bool:
    """True where nothing was compiled yet, as far as one can see: no kernel of the stages beside its source."""
    folder = _ROOT / "stages" / "__pycache__"
    return not config.CACHE_DIR and os.access(_ROOT / "stages", os.W_OK) and not any(folder.glob("*.nbi"))


@cache
def stamp(file: Path) -> str:
    """SHA-256 over a source file and every file of the project that it imports at the top, directly or not."""
    seen: set[Path] = set()
    waiting = [file]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting += _imports(one)
    digest = hashlib.sha256()
    for one in sorted(seen):
        digest.update(f"{one.name}\n".encode() + hashlib.sha256(one.read_bytes()).digest())
    return digest.hexdigest()


@cache
def _imports(file: Path) -> tuple[Path, ...]:
    found = []
    for module, names in _IMPORT.findall(file.read_text(encoding="utf-8")):
        if module.split(".")[0] in PACKAGES:
            # `from stages import key` names a file, `from stages.key import fold` does not.
            for parts in (module, *(f"{module}.{name}" for name in _NAME.findall(names))):
                path = _ROOT.joinpath(*parts.split(".")).with_suffix(".py")
                if path.is_file():
                    found.append(path)
    return tuple(found)
