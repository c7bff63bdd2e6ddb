"""How a record begins in a WARC file and in its predecessor, ARC.

WARC (ISO 28500): a version line, header lines, a blank line, then Content-Length bytes.
ARC: one line `URL IP-address date content-type ... length`, then that many bytes; the first record is `filedesc:`.
"""

import re
from typing import NamedTuple, Protocol

_MAX_HEADER_BYTES = 1 << 20
# The blank line behind a header; or the next record, since no field is called WARC/: what begins records in every line
# is read once.
_END = re.compile(rb"\n(?:\n|(?<=\r\n)\r\n|(?P<record>WARC/))")
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

    def head(self, data: bytes | bytearray, seen: int = 0) -> Head | str | None:
        """The header at the start of `data`, a string saying what is wrong with it, or None if it is not whole; it
        was not in the first `seen` bytes either."""

    def next_start(self, data: bytes | bytearray, begin: int) -> int:
        """Where the next record begins at or after `begin`, at the start of a line; -1 if none does."""


class Warc:
    _mark = b"WARC/"
    overlap = 8

    def begins(self, data: bytes | bytearray, at: int) -> bool | None:
        if data.startswith(self._mark, at):
            return True
        return None if self._mark.startswith(bytes(data[at : at + len(self._mark)])) else False

    def head(self, data: bytes | bytearray, seen: int = 0) -> Head | str | None:
        found = _END.search(data, max(0, seen - 8), _MAX_HEADER_BYTES)
        if found is None and len(data) < _MAX_HEADER_BYTES:
            return None
        if found is None or found["record"]:
            return "record header without end"
        end = found.end()
        length = _LENGTH.search(data, 0, end)
        if length is None:
            return "record header without Content-Length"
        return Head(end, int(length[1]))

    def next_start(self, data: bytes | bytearray, begin: int) -> int:
        return data.find(b"\n" + self._mark, max(0, begin - 1)) + 1 or -1


class Arc:
    overlap = _MAX_ARC_LINE_BYTES

    def begins(self, data: bytes | bytearray, at: int) -> bool | None:
        if data.find(b"\n", at) < 0:  # nothing is matched twice while a line arrives in pieces
            return None if len(data) - at < _MAX_ARC_LINE_BYTES else False
        return ARC_LINE.match(data, at) is not None

    def head(self, data: bytes | bytearray, seen: int = 0) -> Head | str | None:
        line = ARC_LINE.match(data)
        return Head(line.end(), int(line["length"])) if line else "no ARC header line"

    def next_start(self, data: bytes | bytearray, begin: int) -> int:
        if data.find(b"\n", begin) < 0:
            return -1
        found = _ARC_NEXT.search(data, max(0, begin - 1))
        return found.end() if found else -1
