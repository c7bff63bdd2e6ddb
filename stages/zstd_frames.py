"""Zstandard frames (RFC 8878), decoded block by block.

The frame and block headers are read here, so that the end of a frame is known (the library's stream reader ends
without an error on a truncated file), one block of at most 128 KiB is decoded per call, and everything before a bad
block is kept.
A frame without checksum can hold a flipped bit that no decoder notices.
"""

from collections.abc import Callable, Generator
from typing import NamedTuple

import zstandard

from stages.members import TRIAL_BYTES, Block, Fault, Limits
from stages.window import Window

_MAX_BLOCK_BYTES = 128 << 10
_MAX_HEADER_BYTES = 18
_RAW, _RLE, _COMPRESSED = 0, 1, 2


class _Header(NamedTuple):
    header_bytes: int
    window_bytes: int
    checksum_bytes: int


class ZstdFrames:
    magic = b"\x28\xb5\x2f\xfd"

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def member(self, window: Window, at: int) -> Generator[Block, None, int | Fault]:
        head = window.take(at, at + _MAX_HEADER_BYTES)
        if not head.startswith(self.magic):
            return self._skippable(window, at, head)
        header = _header(head)
        if header is None:
            return Fault("truncated", "file ends inside a zstd frame", at) if len(head) < 6 else _foreign(at)
        if len(head) < header.header_bytes:
            return Fault("truncated", "file ends inside a zstd frame", at)
        if header.window_bytes > self._limits.window_bytes:
            return Fault("too_large", f"zstd frame wants {header.window_bytes} bytes of history", at)
        decoder = self._decoder()
        position, decoded, stored, last = at + header.header_bytes, 0, head[: header.header_bytes], False
        while not last:
            last, kind, size = _block_header(window.take(position, position + 3))
            end = position + 3 + size + (header.checksum_bytes if last else 0)
            if kind > _COMPRESSED or size > _MAX_BLOCK_BYTES:
                return Fault("damaged", "zstd block does not decode", position)
            stored += window.take(position, end)
            if kind < 0 or window.reach(end) < end:
                return Fault("truncated", "file ends inside a zstd frame", position)
            try:
                data = decoder.decompress(stored)
            except zstandard.ZstdError:
                return Fault("damaged", "zstd block does not decode or checksum does not match", position)
            position, stored = end, b""
            decoded += len(data)
            if data:
                yield Block(data, at)
            if broken := self._limits.broken(decoded, position - at):
                return Fault("too_large", f"zstd frame {broken}", position, search=position)
            window.done(position)
        if not decoder.eof:
            return Fault("damaged", "zstd frame is shorter than it says", position - 1)
        return position

    def _decoder(self) -> "zstandard.ZstdDecompressionObj":
        return zstandard.ZstdDecompressor(max_window_size=self._limits.window_bytes).decompressobj()

    def _skippable(self, window: Window, at: int, head: bytes) -> int | Fault:
        if len(head) >= 4 and head[1:4] == b"\x2a\x4d\x18" and head[0] & 0xF0 == 0x50:
            end = at + 8 + int.from_bytes(head[4:8], "little")
            position = at
            while position < end and window.reach(position + 1) > position:
                position = window.reach(min(end, position + (1 << 20)))
                window.done(position)
            if position < end or len(head) < 8:
                return Fault("truncated", "file ends inside a skippable frame", at)
            return end
        if len(head) < 4 and self.magic.startswith(head):
            return Fault("truncated", "file ends inside a zstd frame", at)
        return _foreign(at)

    def begins(self, window: Window, at: int, starts: Callable[[bytes], bool] | None) -> bool:
        head = window.take(at, at + _MAX_HEADER_BYTES)
        header = _header(head)
        if header is None or header.window_bytes > self._limits.window_bytes:
            return False
        position = at + header.header_bytes
        _, kind, size = _block_header(window.take(position, position + 3))
        if not _RAW <= kind <= _COMPRESSED or size > _MAX_BLOCK_BYTES:
            return False
        stored = window.take(at, position + 3 + size)
        try:
            first = self._decoder().decompress(stored)
        except zstandard.ZstdError:
            return False
        return starts is None or starts(first[:TRIAL_BYTES])


def _foreign(at: int) -> Fault:
    return Fault("damaged", "no zstd frame begins here", at)


def _header(head: bytes) -> _Header | None:
    """None where `head` is no frame header (or too short to say)."""
    if len(head) < 6 or head[4] & 0x08:
        return None
    single, size_flag = head[4] >> 5 & 1, head[4] >> 6
    content_field = (single, 2, 4, 8)[size_flag]
    dictionary_field = (0, 1, 2, 4)[head[4] & 3]
    header_bytes = 5 + (1 - single) + dictionary_field + content_field
    if single:
        raw = int.from_bytes(head[header_bytes - content_field : header_bytes], "little")
        window_bytes = raw + 256 if size_flag == 1 else raw
    else:
        base = 1 << (10 + (head[5] >> 3))
        window_bytes = base + (base >> 3) * (head[5] & 7)
    return _Header(header_bytes, window_bytes, 4 if head[4] & 4 else 0)


def _block_header(stored: bytes) -> tuple[bool, int, int]:
    """(last of its frame, kind, bytes that follow the header); kind -1 where the file ended."""
    if len(stored) < 3:
        return True, -1, 0
    value = int.from_bytes(stored, "little")
    kind, size = value >> 1 & 3, value >> 3
    return bool(value & 1), kind, 1 if kind == _RLE else size
