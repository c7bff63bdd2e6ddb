"""Bundles of partitions by the first bits of their keys: a new partition touches one of them."""

from collections.abc import Mapping


def power_of_two(value: float) -> int:
    """The least power of two that is at least `value`."""
    power = 1
    while power < value:
        power *= 2
    return power


def bundles(keys: Mapping[int, int], size: int) -> list[list[int]]:
    """Group partition keys (key -> weight) by their first bits into bundles of about `size`."""
    count = power_of_two(sum(keys.values()) / size)
    grouped: dict[int, list[int]] = {}
    for key in sorted(keys):
        grouped.setdefault(key * count >> 64, []).append(key)
    return [grouped[number] for number in sorted(grouped)]
