"""A seeded sample corpus: Pile subsets, Chinese text and crawled pages, with known faults planted in it.

    generate(directory, seed, scale)      a small corpus of every kind, with ground truth in planted.jsonl
    recipes(directory, seed)              stand-ins for the sets of published recipes, beside it
    stream_pile(path, seed, size_bytes)   one file of any size
    tiny_files(directory, count, seed)    very many very small files

Imports nothing of the compiler, so that what it makes is a test of it.
"""

from sampledata.recipes import ITEMS, recipes
from sampledata.stream import stream_pile, tiny_files
from sampledata.write import FileSummary, Summary, generate

__all__ = ["ITEMS", "FileSummary", "Summary", "generate", "recipes", "stream_pile", "tiny_files"]
