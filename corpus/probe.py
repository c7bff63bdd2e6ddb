"""Which record kills its worker? A diagnosis, never part of a build: it decides nothing by itself.

The file is read again in child processes with all records but a range left out, and the range is halved until one
record is left. Nothing is published: children write to a folder that is thrown away.
"""

import os
import sys
import tempfile

import msgspec

from corpus.errors import InputError
from corpus.stage import Ledger
from corpus.store import Blobs, open_input
from corpus.work import Hashing, ReadTask, read_file


def _survives(task: ReadTask, records: int, begin: int, end: int) -> bool:
    """Whether a child process lives through records begin..end-1 of the file."""
    left_out = {n: "probe" for n in range(records) if not begin <= n < end} | task.quarantined
    with tempfile.TemporaryDirectory(prefix="corpus-probe-") as folder:
        trial = msgspec.structs.replace(task, store=Blobs(folder), known={}, quarantined=left_out, lane=0, lanes=1)
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                read_file(trial)
                status = 0
            finally:
                os._exit(status)  # an exception is no death: exit status 1
        _, outcome = os.waitpid(child, 0)
        return not os.WIFSIGNALED(outcome)


def find_killer(task: ReadTask) -> int | None:
    """Ordinal of a record on which a process dies, or None where none does. InputError where the file is unreadable."""
    records = 0
    try:
        with open_input(task.url) as file:
            reader = task.steps[0].stage
            stream = file if reader.seeks else Hashing(file)  # type: ignore[attr-defined]
            for chunk in reader.cut(stream, task.path, Ledger()):  # type: ignore[attr-defined]
                records = chunk.first_record + chunk.records
    except OSError as error:
        raise InputError(f"{task.url}: cannot be read: {error}") from error
    begin, end = 0, records
    if _survives(task, records, begin, end):
        return None
    while end - begin > 1:
        middle = (begin + end) // 2
        if not _survives(task, records, begin, middle):
            end = middle
        elif not _survives(task, records, middle, end):
            begin = middle
        else:
            return None  # only together do they kill: memory, not a record
    return begin
