"""Which documents there are: of each its base text, what is done to it, and the family that it is a copy in.

Of n documents 30% are planted copies, so 70% must stay:

    alone     the rest, no copy of anything
    pair      a text and a copy with one word or character in the middle replaced: Jaccard similarity 0.83 to 0.92
    family    3 to 20 copies, each without up to two units at either end, half of them with other punctuation besides:
              many have one key, and any two others a similarity of 0.90 or more
    hot       one text, copied like a family, of 1% of all documents
    template  pages of a site, all different: one frame of 95 words (192 characters) and 5 words (8 characters) of the
              page's own in the middle, so of similarity 0.83 (0.86) all the same. 1% of all documents in sites of 5 to
              20 pages, and 0.1% in one site

Any two copies of a family are similar at 0.8 or more, so exactly one document of each must stay. Sizes of pairs and
families follow size**-2. Documents stand in a seeded random order.
"""

from typing import NamedTuple

import numpy as np

ALONE, PAIR, FAMILY, HOT, TEMPLATE = range(5)
KINDS = ("alone", "pair", "family", "hot", "template")
COPIES, HOT_SHARE, SITES, LARGE_SITE = 0.30, 0.01, 0.01, 0.001
LARGEST = 20


class Population(NamedTuple):
    """Columns of n documents, in the order in which they are written."""

    seed: np.ndarray  # uint64: of the base text
    kind: np.ndarray  # uint8
    variant: np.ndarray  # uint32: what is done to the base text; 0: nothing
    family: np.ndarray  # uint32: number of the family; a document that is no copy has one of its own

    def part(self, begin: int, end: int) -> "Population":
        return Population(*(column[begin:end] for column in self))


def _sizes(random: np.random.Generator, copies: int) -> np.ndarray:
    """Sizes of families, 2 to LARGEST, that hold so many copies beside one original each."""
    shares = 1 / np.arange(2, LARGEST + 1) ** 2.0
    sizes = random.choice(np.arange(2, LARGEST + 1), size=copies + 1, p=shares / shares.sum())
    many = int(np.searchsorted(np.cumsum(sizes - 1), copies))
    sizes = sizes[: many + 1].copy()
    sizes[-1] -= int((sizes - 1).sum()) - copies
    return sizes[sizes > 1]


def population(documents: int, seed: int = 1) -> Population:
    """`documents` must be 1,000 or more: hot texts and the large site are shares of it."""
    random = np.random.default_rng([seed, documents])
    hot = int(documents * HOT_SHARE)
    families = _sizes(random, int(documents * COPIES) - (hot - 1))
    sites = random.integers(5, LARGEST + 1, size=int(documents * SITES / 12.5))
    sites = np.append(sites, int(documents * LARGE_SITE))
    alone = documents - hot - int(families.sum()) - int(sites.sum())
    sizes = np.concatenate([np.ones(alone, np.int64), families, [hot], sites])
    kinds = np.repeat(
        np.array([ALONE, PAIR, FAMILY, HOT, TEMPLATE], np.uint8),
        [alone, (families == 2).sum(), (families > 2).sum(), 1, len(sites)],
    )
    kinds[alone : alone + len(families)] = np.where(families == 2, PAIR, FAMILY)
    group = np.repeat(np.arange(len(sizes)), sizes)
    begin = np.cumsum(sizes) - sizes
    number = np.arange(documents) - begin[group]  # of the document in its group
    kind = kinds[group]
    copies = (kind == FAMILY) | (kind == HOT)
    drawn = random.integers(0, 18, size=documents)  # 3 beginnings, 3 ends, 2 kinds of punctuation
    variant = np.where(copies & (number > 0), drawn, np.where(copies, 0, number)).astype(np.uint32)
    page = kind == TEMPLATE
    family = np.where(page, len(sizes) + np.arange(documents), group).astype(np.uint32)
    order = random.permutation(documents)
    seeds = random.integers(0, 1 << 64, size=len(sizes), dtype=np.uint64)
    return Population(seeds[group[order]], kind[order], variant[order], family[order])
