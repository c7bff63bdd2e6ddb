"""The mixture: how often a training run reads each document, sealed as a table, applied once, by the trainer.

    [mixture]
    unit = "epochs"          # one unit for all: how often each source is read in a pass; default 1
    wikipedia = 2.0          # 1.5: all documents once, and half of them, chosen by id, again

    [mixture]
    unit = "weights"         # shares of the tokens of a pass; every source has one
    pass_tokens = 270e9      # the length of a pass; default: as many tokens as there are
    wikipedia = 0.3

    by_cluster = true        # beside either: a document counts as often as RATES say of its cluster

The table says of each source what it holds, what a pass takes of it, and under which licence; trainers read `epochs`
and nothing else. `mixture.json` in the build directory, its digest in `manifest.json`. Weights come to epochs here, in
exact arithmetic and one rounding, so that no library decides a count.

**Repetition.** Up to four epochs of the same text are worth almost as much as fresh text; from there on the worth of a
further epoch decays, to nothing at about forty (Muennighoff et al. 2023, "Scaling Data-Constrained Language Models",
section 5). A source that a pass repeats more than MOST_EPOCHS times draws a warning.

**Clusters.** In Chinese crawls pages of which there were several copies are better than those that stood once: filters
remove 61% of the latter, 50% of clusters of four. RATES are those of FineWeb2 (`misc/rehydration`): 1, 2, 3, 3, 5, 8
for sizes 1, 2, 3, 4, 5 to 99, 100 to 999; what stands a thousand times is boilerplate, and counts once.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec
import numpy as np

from corpus.errors import RecipeError

FILE = "mixture.json"
FORMAT = 1
MOST_EPOCHS = 4
RATES = ((0, 1), (2, 2), (3, 3), (5, 5), (100, 8), (1000, 1))  # least cluster size, factor


class Mixture(msgspec.Struct, frozen=True):
    """What a manifest says. `pass_tokens` 0: as many as there are."""

    unit: str
    values: dict[str, float]
    pass_tokens: int = 0
    by_cluster: bool = False


class Held(msgspec.Struct, frozen=True):
    """What a source has for training. `rated_tokens`: with each document as often as RATES say."""

    source: str
    licence: str
    documents: int
    tokens: int
    rated_tokens: int


class Row(msgspec.Struct, frozen=True):
    """A source in the mixture.

    epochs       how often a pass reads a document of it (of a cluster: times its rate)
    pass_tokens  that a pass takes of it, rounded
    weight       of all tokens of a pass
    repeated     pass_tokens / tokens: `epochs`, but for clusters
    """

    source: str
    licence: str
    documents: int
    tokens: int
    epochs: float
    pass_tokens: int
    weight: float
    repeated: float


class Mixed(msgspec.Struct, frozen=True):
    """The sealed table. `unmet`: sources that the manifest asks for, of which there is nothing."""

    format: int
    unit: str
    by_cluster: bool
    sources: list[Row]
    unmet: list[str] = []

    @property
    def epochs(self) -> dict[str, float]:
        """Of sources that have something to read."""
        return {row.source: row.epochs for row in self.sources if row.tokens}

    @property
    def warnings(self) -> list[str]:
        found = []
        often = [f"`{row.source}` {row.repeated:,.1f} times" for row in self.sources if row.repeated > MOST_EPOCHS]
        if often:
            found.append(
                f"mixture: a pass repeats {', '.join(often)}; beyond {MOST_EPOCHS} epochs repeated text is worth less "
                f"and less (Muennighoff et al. 2023). Take less of it, or add text."
            )
        if self.unmet:
            found.append(
                f"mixture: {', '.join(self.unmet)}: asked for, but there is nothing to read. The trainer will refuse."
            )
        return found


def rates(cluster_size: np.ndarray) -> np.ndarray:
    """How often a document counts, by the size of its cluster (0 or 1: it stood alone). (n,) int64"""
    least, factor = np.array(RATES).T
    found: np.ndarray = factor[np.searchsorted(least, cluster_size, "right") - 1]
    return found


def settled(mixture: Mixture, held: Sequence[Held]) -> Mixed:
    """The table, in the order of `held`. RecipeError where weights are missing, or all 0."""
    rated = {one.source: one.rated_tokens if mixture.by_cluster else one.tokens for one in held}
    if mixture.unit == "epochs":
        epochs = {name: Fraction(mixture.values.get(name, 1.0)) for name in rated}
    else:
        epochs = _of_weights(mixture, rated, sum(one.tokens for one in held))
    unmet = [name for name, tokens in rated.items() if mixture.values.get(name) and not tokens]
    read = {name: epochs[name] * tokens for name, tokens in rated.items()}
    total = sum(read.values()) or Fraction(1)
    rows = [
        Row(
            source=one.source,
            licence=one.licence,
            documents=one.documents,
            tokens=one.tokens,
            epochs=float(epochs[one.source]),
            pass_tokens=round(read[one.source]),
            weight=float(read[one.source] / total),
            repeated=float(read[one.source] / one.tokens) if one.tokens else 0.0,
        )
        for one in held
    ]
    return Mixed(FORMAT, mixture.unit, mixture.by_cluster, rows, unmet)


def _of_weights(mixture: Mixture, rated: Mapping[str, int], tokens: int) -> dict[str, Fraction]:
    """Epochs of each source. What there is nothing of, the others share out: the table says so."""
    if missing := [name for name in rated if name not in mixture.values]:
        raise RecipeError(f"mixture: no weight for {', '.join(missing)}. Give every source one, 0 to leave it out.")
    weights = {name: Fraction(mixture.values[name]) for name in rated}
    total = sum((weight for name, weight in weights.items() if rated[name]), Fraction(0))
    if not total:
        raise RecipeError("mixture: no source that has a weight has anything to read.")
    length = mixture.pass_tokens or tokens
    return {name: weight * length / total / (rated[name] or 1) for name, weight in weights.items()}
