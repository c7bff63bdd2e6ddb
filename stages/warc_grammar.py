"""How a record begins in a WARC file and in its predecessor, ARC.

WARC (ISO 28500): a version line, header lines, a blank line, then Content-Length bytes.
ARC: one line `URL IP-address date content-type ... length`, then that many bytes; the first record is `filedesc:`.
"""

import re
from typing import NamedTuple, Protocol

_MAX_HEADER_BYTES = 1 << 20
_LENGTH = re.compile(rb"\n(?i:content-length):[ \t]*(\d{1,18})[ \t]*\r?\n")
ARC_LINE = re.compile(
    rb"(?P<url>[a-z][a-z0-9+.-]{1,15}:[^\n]{0,8192}?) (?P<ip>\S{1,64}) (?P<date>\d{12,17}) "
    rb"(?:(?P<mime>[^\n]{0,4096}?) )?(?P<length>\d{1,18})[ \t]*\r?\n"
)
_ARC_NEXT = re.compile(rb"\n(?=" + ARC_LINE.pattern + rb")")
_MAX_ARC_LINE_BYTES = 13_000


class Head(NamedTuple):
    """The header of a record: its own bytes (blank line included), and those of the content that it announces."""

    header_bytes: int
    content_bytes: int


class Grammar(Protocol):
    overlap: int  # bytes at the end of some data that can be the beginning of a record

    def begins(self, data: bytes | bytearray, at: int) -> bool | None:
        """Whether a record begins at `at`; None if more bytes are needed to say."""

    def head(self, data: bytes | bytearray) -> Head | str | None:
        """The header at the start of `data`, a string saying what is wrong with it, or None if it is not whole."""

    def next_start(self, data: bytes | bytearray, begin: int) -> int:
        """Where the next record begins at or after `begin`, at the start of a line; -1 if none does."""


class Warc:
    _mark = b"WARC/"
    overlap = 8

    def begins(self, data: bytes | bytearray, at: int) -> bool | None:
        if data.startswith(self._mark, at):
            return True
        return None if self._mark.startswith(bytes(data[at : at + len(self._mark)])) else False

    def head(self, data: bytes | bytearray) -> Head | str | None:
        end, size = data.find(b"\r\n\r\n", 0, _MAX_HEADER_BYTES), 4
        if (bare := data.find(b"\n\n", 0, _MAX_HEADER_BYTES if end < 0 else end)) >= 0:
            end, size = bare, 2
        if end < 0:
            return "record header without end" if len(data) >= _MAX_HEADER_BYTES else None
        length = _LENGTH.search(data, 0, end + size)
        if length is None:
            return "record header without Content-Length"
        return Head(end + size, int(length[1]))

    def next_start(self, data: bytes | bytearray, begin: int) -> int:
        return data.find(b"\n" + self._mark, max(0, begin - 1)) + 1 or -1


class Arc:
    overlap = _MAX_ARC_LINE_BYTES

    def begins(self, data: bytes | bytearray, at: int) -> bool | None:
        if ARC_LINE.match(data, at):
            return True
        return None if data.find(b"\n", at) < 0 and len(data) - at < _MAX_ARC_LINE_BYTES else False

    def head(self, data: bytes | bytearray) -> Head | str | None:
        line = ARC_LINE.match(data)
        return Head(line.end(), int(line["length"])) if line else "no ARC header line"

    def next_start(self, data: bytes | bytearray, begin: int) -> int:
        found = _ARC_NEXT.search(data, max(0, begin - 1))
        return found.end() if found else -1
