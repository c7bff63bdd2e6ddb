"""What a side is given and what it gives back. Standard library alone: both environments import it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Given:
    """path       the input, already cut to the size asked for: JSON lines or WARC
    warm_up    a few documents of it, for what must not be timed: compiling, loading, first calls
    scratch    an empty folder of this side's own
    language   of the input, `en` or `zh`, for peers that have to be told
    lid_model  a fastText model
    tokenizer  a SentencePiece model"""

    path: Path
    warm_up: Path
    scratch: Path
    language: str = "en"
    lid_model: Path | None = None
    tokenizer: Path | None = None

    def to_json(self) -> dict[str, str | None]:
        return {name: None if value is None else str(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: dict[str, str | None]) -> "Given":
        paths = {name: Path(value) for name, value in values.items() if value is not None and name != "language"}
        return cls(language=values["language"] or "en", **paths)


@dataclass
class Done:
    """What a side did.

    counts      the same in every run: `bytes` is what its speed is reckoned by
    answers     one per document, compared between sides
    parts       seconds that some part of the timed work took, by name
    start_s     of the timed seconds, those in which a process of the side's own started: no side's time includes them
    peak_bytes  peak memory of processes that the side did not itself wait for
    """

    counts: dict[str, Any] = field(default_factory=dict)
    answers: list[Any] | None = None
    parts: dict[str, float] = field(default_factory=dict)
    start_s: float = 0.0
    peak_bytes: int = 0


Job = Callable[[], Done]
