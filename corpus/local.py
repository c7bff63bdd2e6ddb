"""The executor without Ray: every task in this process, one after another. For tests, `pdb` and small builds."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any


class Local:
    """Runs tasks in order, in this process."""

    workers = 1

    def map(self, function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """(position, result) for each item, as they finish."""
        for index, item in enumerate(items):
            yield index, function(item)

    def close(self) -> None:
        pass
