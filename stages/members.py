"""What gzip members and zstd frames have in common: decoded blocks, faults, and the bounds on expansion."""

from typing import NamedTuple

import msgspec

OUTPUT_BYTES = 1 << 20  # most that one call of a decoder may return
RATIO_FREE_BYTES = 16 << 20  # a member may decode to this much whatever its ratio
TRIAL_BYTES = 512  # decoded bytes shown to whoever judges where a member may begin


class Block(NamedTuple):
    """Decoded bytes (never none) of the member that begins at file offset `member`."""

    data: bytes
    member: int


class Fault(NamedTuple):
    """Why a member could not be decoded to its end. File bytes before `good` were used; the search for the next
    member need not look before `search`."""

    drop: str
    reason: str
    good: int
    search: int = 0


class Limits(msgspec.Struct, frozen=True):
    """Bounds on one member. A member beyond them is dropped from there on (`too_large`)."""

    ratio: int
    decoded_bytes: int
    window_bytes: int = 128 << 20  # zstd history; the largest that the zstd command accepts unasked

    def broken(self, decoded: int, stored: int) -> str:
        """Why `decoded` bytes from `stored` are too many; empty if they are not."""
        if decoded > self.decoded_bytes:
            return f"more than {self.decoded_bytes} bytes decoded"
        if decoded > RATIO_FREE_BYTES and decoded > self.ratio * stored:
            return f"expands more than {self.ratio} times"
        return ""
