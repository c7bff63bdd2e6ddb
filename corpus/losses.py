"""The reader's law over a whole file, and how much of a source may be lost to damage."""

from collections.abc import Iterable

from corpus.errors import LawError
from corpus.graph import Partition
from corpus.recipe import Source
from corpus.record import FileRecord
from corpus.stage import UNREADABLE, Ledger


def check_file(source: str, path: str, spans: int, ledger: Ledger) -> None:
    """Spans of records + skipped bytes = decoded bytes, framed + lost bytes = bytes of the file; LawError otherwise."""
    if spans + ledger.skipped_bytes != ledger.decoded_bytes or (
        ledger.framed_bytes + ledger.lost_bytes != ledger.file_bytes
    ):
        raise LawError(
            f"{source}: {path}: the reader's law does not hold: spans {spans} + skipped "
            f"{ledger.skipped_bytes} must be {ledger.decoded_bytes} decoded bytes, framed {ledger.framed_bytes} "
            f"+ lost {ledger.lost_bytes} must be {ledger.file_bytes} bytes of the file"
        )


def check_losses(source: Source, partitions: Iterable[Partition], files: Iterable[FileRecord]) -> None:
    """LawError where a source lost more than its set share of records or bytes to damage."""
    rows = lost = total_bytes = lost_bytes = 0
    codes: dict[str, int] = {}
    for partition in partitions:
        rows += partition.records[0].rows
        for one in partition.records:
            for code, count in one.dropped.items():
                if code in UNREADABLE:
                    lost += count
                    codes[code] = codes.get(code, 0) + count
    for file in files:
        total_bytes += file.ledger["file_bytes"]
        lost_bytes += file.ledger["lost_bytes"]
    for what, part, whole in (("records", lost, rows), ("bytes", lost_bytes, total_bytes)):
        if whole and part / whole > source.max_lost_share:
            raise LawError(
                f"source `{source.name}` lost {part:,} of {whole:,} {what} ({part / whole:.1%}) to damage "
                f"({', '.join(f'{k} {v}' for k, v in sorted(codes.items())) or 'undecodable bytes'}), above "
                f"its max_lost_share of {source.max_lost_share:.1%}. Mend the input, or raise "
                f"max_lost_share in [[source]] {source.name}."
            )
