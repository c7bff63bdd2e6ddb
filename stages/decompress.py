"""Stored bytes -> decoded bytes, member by member, going on after damage.

A gzip file is a run of members, a zstd file a run of frames; "member" stands for both here, and a file that is not
compressed is one member. `decode` yields three kinds of event, in the order of the file:

Block    decoded bytes of a member
End      the member is complete and its checksum, where it has one, matches
Loss     some file bytes could not be used: damage, the file's end inside a member, or a member that expands too far.
         What decoded before the damage has been yielded. Reading goes on at the next member that can be found.

A checksum stands at a member's end, so a mismatch is known only after the bytes were yielded. Who keeps a member's
bytes until its `End` never sees a wrong one; who cannot (a file of one member) reports the loss and says so.

Members after damage are found by their magic number and a trial decoding. The search begins just behind the start of
the member that failed (up to `REWIND_BYTES` back), because a misread member may run over the start of the next. Where
members lie in one another, so that far more would be decoded than the file holds, it begins behind what was read.
"""

from collections.abc import Callable, Generator, Iterator
from typing import BinaryIO, NamedTuple, Protocol

from corpus.stage import Ledger
from stages.gzip_members import GzipMembers
from stages.members import Block, Fault, Limits
from stages.window import READ_BYTES, Window
from stages.zstd_frames import ZstdFrames

_AGAIN = 4  # times the file's bytes that may be decoded again after damage
_AGAIN_FREE_BYTES = 64 << 20

Starts = Callable[[bytes], bool]


class End(NamedTuple):
    file_start: int
    file_bytes: int


class Loss(NamedTuple):
    """File bytes `member` to `end` of which those from `good` on were of no use. The consumer settles it, since it
    alone knows whether anything of the member was kept."""

    drop: str
    reason: str
    member: int
    good: int
    end: int

    def settle(self, ledger: Ledger, kept: bool) -> "Lost":
        """Enter the loss into `ledger`: from `good` on if something of the member was `kept`, else all of it."""
        begin = self.good if kept else self.member
        ledger.framed_bytes += begin - self.member
        ledger.lost_bytes += self.end - begin
        detail = f"{self.reason}; {self.end - begin} file bytes lost at {begin}"
        return Lost(self.drop, detail, begin, self.end - begin)


class Lost(NamedTuple):
    """What the row of a loss says."""

    drop: str
    detail: str
    file_start: int
    file_bytes: int


class Members(Protocol):
    """A compressed format."""

    magic: bytes

    def member(self, window: Window, at: int) -> Generator[Block, None, int | Fault]:
        """Decode the member that begins at `at`; the generator returns its end, or what is wrong."""

    def begins(self, window: Window, at: int, starts: Starts | None) -> bool:
        """Whether a member begins at `at`, by its header and the start of its data."""


def compression(path: str) -> str:
    """`gzip`, `zstd` or `` by the suffix of `path`."""
    for suffix, name in ((".gz", "gzip"), (".zst", "zstd"), (".zstd", "zstd")):
        if path.lower().endswith(suffix):
            return name
    return ""


def decode(
    stream: BinaryIO, path: str, ledger: Ledger, limits: Limits, starts: Starts | None = None
) -> Iterator[Block | End | Loss]:
    """Events of the file `stream`. Enters `file_bytes`, `decoded_bytes` and the `framed_bytes` of sound members into
    `ledger`; losses are for the consumer to `settle`. `starts` says whether the first decoded bytes of a member (up
    to 512) can be its beginning; it is asked after damage only, and guards against magic numbers inside of data."""
    window = Window(stream)
    match compression(path):
        case "gzip":
            events = _members(GzipMembers(limits), window, ledger, starts)
        case "zstd":
            events = _members(ZstdFrames(limits), window, ledger, starts)
        case _:
            events = _stored(stream, ledger)
    for event in events:
        if isinstance(event, Block):
            ledger.decoded_bytes += len(event.data)
        yield event


def _stored(stream: BinaryIO, ledger: Ledger) -> Iterator[Block | End | Loss]:
    while data := stream.read(READ_BYTES):
        ledger.file_bytes += len(data)
        ledger.framed_bytes += len(data)
        yield Block(data, 0)
    if ledger.file_bytes:
        yield End(0, ledger.file_bytes)


def _members(codec: Members, window: Window, ledger: Ledger, starts: Starts | None) -> Iterator[Block | End | Loss]:
    at = furthest = again = 0
    while window.reach(at + 1) > at:
        outcome = yield from codec.member(window, at)
        if isinstance(outcome, int):
            ledger.framed_bytes += outcome - at
            yield End(at, outcome - at)
            at = outcome
            window.done(at)
            continue
        again += max(0, min(furthest, outcome.good) - at)
        furthest = max(furthest, outcome.good)
        begin = max(at + 1, outcome.search, window.start)
        if again > _AGAIN * window.end + _AGAIN_FREE_BYTES:
            begin = max(begin, furthest)
        following = _next_member(codec, window, begin, starts)
        end = window.end if following < 0 else following
        # A member that was misread can run to the end of the file: another after it says that the file goes on.
        drop = "damaged" if outcome.drop == "truncated" and following >= 0 else outcome.drop
        good = outcome.good if outcome.good <= end else at
        yield Loss(drop, outcome.reason, at, good, end)
        at = end
    ledger.file_bytes = window.end


def _next_member(codec: Members, window: Window, begin: int, starts: Starts | None) -> int:
    """Where the next member begins, at or after `begin`; -1 if none does."""
    at = window.find(codec.magic, begin)
    while at >= 0 and not codec.begins(window, at, starts):
        at = window.find(codec.magic, at + 1)
    return at
