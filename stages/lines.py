"""Records divided by a separator: cutting a decoded stream at each newline (or any other byte string).

A record's span leaves out its separator; separators, blank records and a byte order mark at the start of the file are
skipped bytes. A record longer than `max_record_bytes` is never held: its row says `too_long`. Where bytes were lost,
the unfinished record before the loss and the loss itself are one row; what follows begins a new record.
"""

from collections.abc import Iterator
from itertools import compress

import numpy as np

from corpus.stage import Chunk, Ledger
from stages.chunks import Cutter
from stages.decompress import Block, End, Loss

BOM = b"\xef\xbb\xbf"
BLANK = (b"", b"\r")
_BLANK_BYTES = 1  # of the longest


def cut_records(
    events: Iterator[Block | End | Loss], separator: bytes, cutter: Cutter, ledger: Ledger, max_record_bytes: int
) -> Iterator[Chunk]:
    """Chunks of the records in `events`; with an empty `separator` the whole stream is one record."""
    overlap = max(0, len(separator) - 1)
    tail = _Tail(max_record_bytes, overlap)
    rows_before, member = 0, -1
    for event in events:
        match event:
            case Block(data, begin):
                if begin != member:
                    member, rows_before = begin, cutter.rows
                if separator:
                    # A separator may straddle two blocks: its first bytes wait in `tail`.
                    data = tail.reopen() + data
                    first, *complete = data.split(separator)
                    if complete:
                        yield from tail.close(first, len(separator), cutter, ledger)
                        first = complete.pop()
                        yield from tail.pass_over(complete, len(separator), cutter, ledger)
                    tail.extend(first)
                else:
                    tail.extend(data)
            case Loss():
                lost = event.settle(ledger, kept=cutter.rows > rows_before and event.member == member)
                yield from tail.lose(lost.drop, lost.detail, lost.file_start, lost.file_bytes, cutter)
                member = -1
    yield from tail.close(b"", 0, cutter, ledger)
    if last := cutter.finish():
        yield last


class _Tail:
    """The record that the stream is in the middle of. `start` is its place in the decoded stream."""

    def __init__(self, max_bytes: int, overlap: int) -> None:
        self._max_bytes = max_bytes
        self._overlap = overlap
        self._pieces: list[bytes] = []
        self._bytes = 0
        self._start = 0

    def extend(self, piece: bytes) -> None:
        if piece:
            self._bytes += len(piece)
            self._pieces.append(piece)
            if self._bytes > self._max_bytes + len(BOM) + self._overlap:
                # Too long whatever follows: only its length matters now, and how it ends.
                self._pieces = [b"".join(self._pieces)[-max(1, self._overlap) :]]

    def reopen(self) -> bytes:
        """Take back the last bytes, as many as can be the beginning of a separator."""
        if not self._overlap:
            return b""
        whole = b""
        while len(whole) < self._overlap and self._pieces:
            whole = self._pieces.pop() + whole
        cut = max(0, len(whole) - self._overlap)
        if cut:
            self._pieces.append(whole[:cut])
        self._bytes -= len(whole) - cut
        return whole[cut:]

    def close(self, piece: bytes, separator_bytes: int, cutter: Cutter, ledger: Ledger) -> Iterator[Chunk]:
        """The record ends with `piece`, and a separator follows it."""
        start, size = self._start, self._bytes + len(piece)
        mark = 0
        if size <= self._max_bytes + len(BOM):
            record = b"".join((*self._pieces, piece)) if self._pieces else piece
            if start == 0 and record.startswith(BOM):
                record, mark = record[len(BOM) :], len(BOM)
        self._next(size + separator_bytes)
        ledger.skipped_bytes += separator_bytes + mark
        start, size = start + mark, size - mark
        if size > self._max_bytes:
            chunk = cutter.add_fault("too_long", str(size), start, size)
        elif record in BLANK:
            ledger.skipped_bytes += size
            return
        else:
            chunk = cutter.add(record, start, size)
        if chunk:
            yield chunk

    def pass_over(self, records: list[bytes], separator_bytes: int, cutter: Cutter, ledger: Ledger) -> Iterator[Chunk]:
        """Whole records, each followed by a separator, at a point where no record is open."""
        sizes = np.fromiter(map(len, records), dtype=np.int64, count=len(records))
        if len(sizes) and sizes.max() > self._max_bytes:
            for record in records:
                yield from self.close(record, separator_bytes, cutter, ledger)
            return
        ends = self._start + np.cumsum(sizes + separator_bytes)
        starts = ends - separator_bytes - sizes
        self._next(int((sizes + separator_bytes).sum()))
        ledger.skipped_bytes += separator_bytes * len(records)
        if len(sizes) and sizes.min() <= _BLANK_BYTES:
            solid = np.array([record not in BLANK for record in records])
            ledger.skipped_bytes += int(sizes[~solid].sum())
            records = list(compress(records, solid))
            starts, sizes = starts[solid], sizes[solid]
        yield from cutter.add_many(records, starts, sizes)

    def lose(self, drop: str, detail: str, file_start: int, file_bytes: int, cutter: Cutter) -> Iterator[Chunk]:
        """The record ends because what follows it is lost."""
        start, size = self._start, self._bytes
        self._next(size)
        if chunk := cutter.add_fault(drop, detail, start, size, file_start, file_bytes):
            yield chunk

    def _next(self, size: int) -> None:
        self._start += size
        self._pieces, self._bytes = [], 0
