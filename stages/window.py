"""A stored file read once from front to back, with enough of its past kept to look back after damage.

All positions are byte offsets in the file as stored.
"""

from typing import BinaryIO

READ_BYTES = 1 << 20
REWIND_BYTES = 8 << 20  # a misread compressed member may run this far into its neighbours and still be resynchronised


class Window:
    """Bytes `start` to `end` of the file are at hand; `end` grows by reading, `start` by forgetting."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._buffer = bytearray()
        self._exhausted = False
        self.start = 0

    @property
    def end(self) -> int:
        return self.start + len(self._buffer)

    def reach(self, wanted: int) -> int:
        """Read until offset `wanted` is at hand or the file ends -> `wanted`, or the length of a file that is
        shorter."""
        while self.end < wanted and not self._exhausted:
            piece = self._stream.read(READ_BYTES)
            if piece:
                self._buffer += piece
            else:
                self._exhausted = True
        return min(wanted, self.end)

    def take(self, begin: int, end: int) -> bytes:
        """Bytes `begin` to `end`, fewer where the file ends."""
        end = self.reach(end)
        return bytes(memoryview(self._buffer)[begin - self.start : end - self.start])

    def done(self, position: int) -> None:
        """Nothing before `position` is needed, but for looking back."""
        spare = position - REWIND_BYTES - self.start
        if spare > REWIND_BYTES:
            self.forget(position - REWIND_BYTES)

    def forget(self, position: int) -> None:
        """Nothing before `position` is needed at all."""
        spare = min(position, self.end) - self.start
        if spare > 0:
            del self._buffer[:spare]
            self.start += spare

    def find(self, needle: bytes, begin: int) -> int:
        """Offset of the first `needle` at or after `begin`, -1 if the file ends without one. What was searched is
        forgotten."""
        at = begin
        while True:
            found = self._buffer.find(needle, max(0, at - self.start))
            if found >= 0:
                return self.start + found
            searched = self.end
            at = max(at, searched - len(needle) + 1)
            self.forget(at)
            if self.reach(searched + 1) == searched:
                return -1

    def skip_zeros(self, begin: int) -> int:
        """Offset of the first byte that is not zero at or after `begin`, or the end of the file."""
        at = begin
        while self.reach(at + 1) > at:
            run = self._buffer[at - self.start :]
            rest = run.lstrip(b"\0")
            at = self.end - len(rest)
            if rest:
                break
            self.forget(at)
        return at
