"""Cutting a decoded WARC or ARC stream into records, trusting no length.

Every record of the file becomes one row, whatever its type; line breaks between records are skipped bytes. A finished
record is held back until the compressed member it lies in has proved sound, or the header of another record follows
it. So a file that is compressed record by record loses, by one flipped byte, the one record it hits; and a length that
does not lead to the next record is noticed:

truncated  another record, or the end of the file, comes before the announced length is reached
damaged    something else than a record follows the announced length, or the compressed member was damaged
too_long   the record is longer than `max_record_bytes`; it is passed over in the stream

File ranges: the compressed member that holds this record alone, or its place in a file that is not compressed; unknown
for records that share a member. The row of a loss carries the range that was lost.
"""

import re
from collections.abc import Iterator
from enum import Enum, auto

from corpus.stage import Chunk, Ledger
from stages.chunks import Cutter
from stages.decompress import Block, End, Loss
from stages.warc_grammar import Grammar

_BREAKS = b"\r\n"
_BREAK_RUN = re.compile(rb"[\r\n]*")
_MAX_BREAKS = 64
_FEED_BYTES = 64 << 10  # what is looked at again with each piece of a record is small beside this
_UNKNOWN = (-1, -1)


def cut_records(
    events: Iterator[Block | End | Loss],
    grammar: Grammar,
    cutter: Cutter,
    ledger: Ledger,
    max_record_bytes: int,
    compressed: bool,
) -> Iterator[Chunk]:
    """Chunks of the records in `events`; `compressed` says whether file offsets differ from decoded ones."""
    framer = _Framer(grammar, cutter, ledger, max_record_bytes, compressed)
    member, rows_before = -1, 0
    lead: bytes | None = None  # the first bytes of a member, until they say whether a record begins there
    for event in _joined(events):
        if isinstance(event, Block):
            if event.member != member:
                member, lead = event.member, b""
            if lead is None:
                framer.feed(event.data)
                yield from framer.take()
                continue
            lead += event.data
            if grammar.begins(lead, 0) is None:
                continue
        if lead:
            framer.enter_member(grammar.begins(lead, 0) is True)
            rows_before = cutter.rows
            framer.feed(lead)
        lead = None
        match event:
            case End(start, size):
                framer.leave_member(start, size)
                member = -1
            case Loss():
                lost = event.settle(ledger, kept=event.member == member and cutter.rows > rows_before)
                framer.close(lost.drop, lost.detail, (lost.file_start, lost.file_bytes))
                member = -1
        yield from framer.take()
    framer.finish()
    yield from framer.take()
    if last := cutter.finish():
        yield last


def _joined(events: Iterator[Block | End | Loss]) -> Iterator[Block | End | Loss]:
    """The same events, small blocks of a member put together."""
    held: list[bytes] = []
    member = size = 0
    for event in events:
        if held and (size >= _FEED_BYTES or not isinstance(event, Block) or event.member != member):
            yield Block(b"".join(held), member)
            held, size = [], 0
        if isinstance(event, Block):
            held.append(event.data)
            member, size = event.member, size + len(event.data)
        else:
            yield event
    if held:
        yield Block(b"".join(held), member)


class _State(Enum):
    BETWEEN = auto()  # records
    HEADER = auto()
    CONTENT = auto()
    PASSING = auto()  # over the content of a record that is too long
    COMPLETE = auto()  # a record that waits for what follows it
    RUBBISH = auto()


class _Framer:
    """The record in progress starts at `_start` of the decoded stream; `_open` holds its bytes and what follows them,
    but for the first `_passed`."""

    def __init__(
        self, grammar: Grammar, cutter: Cutter, ledger: Ledger, max_record_bytes: int, compressed: bool
    ) -> None:
        self._grammar, self._cutter, self._ledger = grammar, cutter, ledger
        self._max_record_bytes, self._compressed = max_record_bytes, compressed
        self._state = _State.BETWEEN
        self._open = bytearray()
        self._start = self._passed = 0
        self._size = self._header_bytes = 0  # of the record, from HEADER on
        self._seen = 0  # bytes of `_open` that were searched in vain: in HEADER for its end, in RUBBISH for a record
        self._ready: list[Chunk] = []
        self._fault = ""  # what is wrong with RUBBISH
        self._begun = 0  # records begun in this member
        self._alone = False  # whether the record in progress began first in this member
        self._range = _UNKNOWN  # of the member that the record in progress has to itself, once it has ended

    def take(self) -> list[Chunk]:
        """The chunks completed since the last call."""
        ready, self._ready = self._ready, []
        return ready

    def feed(self, data: bytes) -> None:
        self._open += data
        steps = {
            _State.BETWEEN: self._between,
            _State.HEADER: self._header,
            _State.CONTENT: self._content,
            _State.PASSING: self._passing,
            _State.COMPLETE: self._complete,
            _State.RUBBISH: self._rubbish,
        }
        state = None
        while state is not self._state:
            state = self._state
            steps[state]()

    def enter_member(self, record_begins: bool) -> None:
        """A compressed member begins; `record_begins` if its first bytes are those of a record."""
        if record_begins and (self._open or self._state is not _State.BETWEEN):
            drop, detail = self._unfinished("another record begins before the announced length")
            self.close(drop, detail, self._range)
        self._begun, self._alone, self._range = 0, False, _UNKNOWN

    def leave_member(self, file_start: int, file_bytes: int) -> None:
        """The member ended, and is sound."""
        self._range = (file_start, file_bytes) if self._alone else _UNKNOWN
        if self._state is _State.COMPLETE and not self._open[self._size - self._passed :].strip(_BREAKS):
            self._commit(self._range)
            self.feed(b"")

    def close(self, drop: str, detail: str, file_range: tuple[int, int]) -> None:
        """Everything up to here is one row, which is dropped."""
        self._row(drop, detail, len(self._open), file_range)

    def finish(self) -> None:
        """The file has ended."""
        reason = "the file ends before the announced length"
        while True:
            if self._state is _State.COMPLETE:
                self._commit(_UNKNOWN)
            elif self._state is _State.CONTENT:
                # A length that is too great may have swallowed the records behind.
                following = self._grammar.next_start(self._open, self._header_bytes)
                if following < 0:
                    break
                self._row("truncated", reason, following, _UNKNOWN)
            else:
                break
            self.feed(b"")
        if self._open or self._state is not _State.BETWEEN:
            self.close(*self._unfinished(reason), self._range)

    def _unfinished(self, reason: str) -> tuple[str, str]:
        match self._state:
            case _State.RUBBISH | _State.COMPLETE:
                return "damaged", self._fault or "no record header"
        return "truncated", reason

    def _between(self) -> None:
        breaks = _BREAK_RUN.match(self._open).end()  # type: ignore[union-attr]
        self._ledger.skipped_bytes += breaks
        self._start += breaks
        del self._open[:breaks]
        begins = self._grammar.begins(self._open, 0) if self._open else None
        if begins is not None:
            self._begun += 1
            self._alone = self._begun == 1
            self._state, self._fault = (_State.HEADER, "") if begins else (_State.RUBBISH, "no record header")

    def _header(self) -> None:
        head = self._grammar.head(self._open, self._seen)
        self._seen = 0 if head else len(self._open)
        if isinstance(head, str):
            self._state, self._fault = _State.RUBBISH, head
        elif head:
            self._header_bytes, self._size = head.header_bytes, sum(head)
            self._state = _State.PASSING if self._size > self._max_record_bytes else _State.CONTENT

    def _content(self) -> None:
        if len(self._open) >= self._size:
            self._state = _State.COMPLETE

    def _passing(self) -> None:
        self._pass(min(self._size - self._passed, len(self._open)))
        if self._passed == self._size:
            self._state = _State.COMPLETE

    def _complete(self) -> None:
        end = at = self._size - self._passed
        while at < len(self._open) and self._open[at] in _BREAKS and at - end < _MAX_BREAKS:
            at += 1
        if at == len(self._open):
            return
        begins = at - end == _MAX_BREAKS or self._grammar.begins(self._open, at)
        if begins:
            self._commit(_UNKNOWN)
        elif begins is False:
            self._state = _State.RUBBISH
            self._fault = f"announced length of {self._size - self._header_bytes} bytes does not lead to a record"

    def _rubbish(self) -> None:
        after = self._header_bytes - self._passed if self._size else 1
        following = self._grammar.next_start(self._open, max(1, after, self._seen))
        if following >= 0:
            drop = "truncated" if self._passed + following <= self._size else "damaged"
            self._row(drop, self._fault, following, _UNKNOWN)
        else:
            self._seen = self._open.rfind(b"\n") + 1 or len(self._open)  # only the last line may still begin a record
            self._pass(max(0, len(self._open) - self._grammar.overlap))

    def _pass(self, count: int) -> None:
        self._passed += count
        self._seen = max(0, self._seen - count)
        del self._open[:count]

    def _commit(self, file_range: tuple[int, int]) -> None:
        if self._size > self._max_record_bytes:
            self._row("too_long", str(self._size), self._size - self._passed, file_range)
            return
        self._row("", "", self._size, file_range, bytes(memoryview(self._open)[: self._size]))

    def _row(self, drop: str, detail: str, held: int, file_range: tuple[int, int], record: bytes = b"") -> None:
        """The record in progress ends after the first `held` bytes of `_open`."""
        start, size = self._start, self._passed + held
        del self._open[:held]
        self._start, self._passed, self._size, self._header_bytes, self._seen = start + size, 0, 0, 0, 0
        self._state, self._range = _State.BETWEEN, _UNKNOWN
        if not self._compressed:
            file_range = (start, size)
        if drop:
            chunk = self._cutter.add_fault(drop, detail, start, size, *file_range)
        else:
            chunk = self._cutter.add(record, start, size, *file_range)
        if chunk:
            self._ready.append(chunk)
