"""One random source per document: a function of the seed and of the document's name, never of what came before.

So a document can be written again anywhere (a planted duplicate re-writes its original), and adding a file changes no
other. `random.Random` seeded with a string hashes it with SHA-512 and is the same on every platform.
"""

import hashlib
import random


def source(seed: int, name: str) -> random.Random:
    """The random source of document `name`."""
    return random.Random(f"{seed}/{name}")


def fingerprint(seed: int, name: str) -> bytes:
    """32 bytes that are unique to document `name`, for record identifiers and dates."""
    return hashlib.sha256(f"{seed}/{name}".encode()).digest()
