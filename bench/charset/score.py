"""What was right, and what was taken for what."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.charset.sample import Sample, family


@dataclass
class Tally:
    """Of one part of the samples and one side."""

    pages: int = 0
    right: int = 0  # by text
    label: int = 0  # by family of the name
    undecodable: int = 0
    confused: Counter[tuple[str, str]] = field(default_factory=Counter)  # (true, named) of pages read wrongly

    def add(self, sample: Sample, truth: str, name: str | None, text: str | None) -> bool:
        """-> whether the text is right."""
        right = text is not None and text == truth
        self.pages += 1
        self.right += right
        self.label += family(name) == family(sample.label)
        self.undecodable += text is None
        if not right:
            self.confused[sample.label, name or "none"] += 1
        return right

    def plain(self) -> dict[str, Any]:
        """As JSON holds it."""
        confused = [[*pair, count] for pair, count in sorted(self.confused.items(), key=lambda one: (-one[1], one[0]))]
        return {
            "pages": self.pages,
            "right": self.right,
            "label": self.label,
            "undecodable": self.undecodable,
            "confused": confused,
        }


def reason(sample: Sample, truth: str, name: str | None, text: str | None) -> str:
    """Why a page was read wrongly, in a few words."""
    if text is None:
        return "nothing fits: counted as undecodable"
    if family(name) == family(sample.label):
        return "the right charset, read differently"
    if len(text) == len(truth):
        different = [(a, b) for a, b in zip(truth, text, strict=True) if a != b]
        kinds = sorted({f"{ascii(a)[1:-1]} as {ascii(b)[1:-1]}" for a, b in different})
        shown = ", ".join(kinds[:3]) + (", …" if len(kinds) > 3 else "")
        return f"{len(different)} of {len(truth)} characters differ: {shown}"
    return f"another reading: {len(text)} characters for {len(truth)}"
