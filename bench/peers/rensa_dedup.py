"""rensa's RMinHashDeduplicator at 0.8: its LSH proposes, the share of equal signature positions decides.

Over our shingles; its documentation splits at white space and takes single words, which tells documents of one
language apart badly and is nothing that Chinese has.
"""

from pathlib import Path

from rensa import RMinHash, RMinHashDeduplicator

from bench.peers import streamed
from bench.peers.shingles import shingles
from bench.peers.streamed import Verdicts

PACKAGES = ("rensa",)
ABOUT = "RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True) over our shingles; first kept"


def verdicts(path: Path, language: str, folder: Path) -> Verdicts:
    index = RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True)
    twins: dict[str, str | None] = {}
    for name, text in streamed.documents(path):
        found = shingles(text)
        twins[name] = None
        if not found:  # an empty signature equals every other empty one
            continue
        signature = RMinHash(num_perm=128, seed=42)
        signature.update(found)
        if not index.add(name, signature):
            twins[name] = min(index.get_duplicates(signature))
    return streamed.verdicts(twins)
