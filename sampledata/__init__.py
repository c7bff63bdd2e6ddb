"""A seeded sample corpus: Pile subsets, Chinese text and crawled pages, with known faults planted in it.

    generate(directory, seed, scale)      a small corpus of every kind, with ground truth in planted.jsonl
    stream_pile(path, seed, size_bytes)   one file of any size
    tiny_files(directory, count, seed)    very many very small files

Imports nothing of the compiler, so that what it makes is a test of it.
"""

from sampledata.stream import stream_pile, tiny_files
from sampledata.write import FileSummary, Summary, generate

__all__ = ["FileSummary", "Summary", "generate", "stream_pile", "tiny_files"]
