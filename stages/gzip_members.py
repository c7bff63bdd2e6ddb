"""Gzip members (RFC 1952), decoded as a stream with bounded output.

Zero bytes between members or at the end of the file are padding, as the gzip command has it.
"""

import zlib
from collections.abc import Callable, Generator

from stages.members import OUTPUT_BYTES, TRIAL_BYTES, Block, Fault, Limits
from stages.window import Window

# What follows a member within one piece is copied: small pieces keep that cheap where members are small.
PIECE_BYTES = 16 << 10
_GZIP = 31  # zlib: 32 KiB of history, gzip header and trailer


class GzipMembers:
    magic = b"\x1f\x8b\x08"

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def member(self, window: Window, at: int) -> Generator[Block, None, int | Fault]:
        head = window.take(at, at + 3)
        if head != self.magic:
            return self._padding(window, at, head)
        inflater, position, decoded = zlib.decompressobj(_GZIP), at, 0
        while not inflater.eof:
            piece = window.take(position, position + PIECE_BYTES)
            if not piece:
                return Fault("truncated", "file ends inside a gzip member", position)
            while piece and not inflater.eof:
                before = inflater.copy()
                try:
                    data = inflater.decompress(piece, OUTPUT_BYTES)
                except zlib.error as error:
                    data, used = _salvage(before, piece)
                    if data:
                        yield Block(data, at)
                    mismatch = "incorrect data check" in str(error) or "incorrect length check" in str(error)
                    reason = "checksum of a gzip member does not match" if mismatch else "gzip member does not inflate"
                    return Fault("damaged", reason, position + used)
                # At the end, `unconsumed_tail` may repeat what `unused_data` holds.
                left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
                position += len(piece) - len(left)
                piece = inflater.unconsumed_tail
                decoded += len(data)
                if data:
                    yield Block(data, at)
                if broken := self._limits.broken(decoded, position - at):
                    return Fault("too_large", f"gzip member {broken}", position, search=position)
            window.done(position)
        return position

    def _padding(self, window: Window, at: int, head: bytes) -> int | Fault:
        if head[:1] == b"\0":
            end = window.skip_zeros(at)
            following = window.take(end, end + 3)
            if not following or following == self.magic:
                return end
            return Fault("damaged", "no gzip member begins here", at, search=end)
        if len(head) < 3 and self.magic.startswith(head):
            return Fault("truncated", "file ends inside a gzip member", at)
        return Fault("damaged", "no gzip member begins here", at)

    def begins(self, window: Window, at: int, starts: Callable[[bytes], bool] | None) -> bool:
        piece = window.take(at, at + PIECE_BYTES)
        # Reserved flags, and the values of XFL and OS that writers use: three magic bytes alone are met by chance
        # once in 16 MB of compressed data.
        if len(piece) < 10 or piece[3] & 0xE0 or piece[8] not in (0, 2, 4) or not (piece[9] <= 13 or piece[9] == 255):
            return False
        inflater = zlib.decompressobj(_GZIP)
        try:
            first = inflater.decompress(piece, TRIAL_BYTES)
            if len(first) == TRIAL_BYTES:
                inflater.decompress(inflater.unconsumed_tail, OUTPUT_BYTES)
        except zlib.error:
            # Its own damage may lie close to its start: then what it begins with has to speak for it.
            first, _ = _salvage(zlib.decompressobj(_GZIP), piece[:1024])
            return starts is not None and bool(first) and starts(first[:TRIAL_BYTES])
        if not first and not inflater.eof:
            return False
        return starts is None or starts(first)


def _salvage(inflater: "zlib._Decompress", piece: bytes) -> tuple[bytes, int]:
    """Feed `piece` byte by byte until the decoder objects -> what it gave, and how many bytes it took. One call over
    the whole piece would lose the output before the error."""
    given: list[bytes] = []
    for used in range(len(piece)):
        try:
            given.append(inflater.decompress(piece[used : used + 1]))
        except zlib.error:
            return b"".join(given), used
    return b"".join(given), len(piece)
