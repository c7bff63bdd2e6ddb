"""Input files: which there are, and whether their content is known.

The sha256 of a file is taken while it is read. Size and modification time (or etag) only say whether a remembered
digest may be trusted; they never enter identity. What is remembered lies in the store, one object per source, and may
be lost at any time: files are then hashed again.
"""

import fnmatch

import msgspec

from corpus.errors import InputError
from corpus.identity import Definition, sha256, step_id
from corpus.recipe import Source
from corpus.record import FileRecord
from corpus.store import Blobs, Stat, list_inputs


class Seen(msgspec.Struct, frozen=True):
    size: int
    mark: str
    sha256: str


class Memory:
    """Remembered digests of one source's files. They belong to a root: another root is another place."""

    def __init__(self, store: Blobs, source: Source) -> None:
        self.store = store
        self.root = source.root
        self.name = f"inputs/{source.name}-{sha256(source.root.encode())[:16]}.json"
        self.seen: dict[str, Seen] = {}
        self.changed = False
        if store.exists(self.name):
            try:
                self.seen = msgspec.json.decode(store.get(self.name), type=dict[str, Seen])
            except msgspec.DecodeError:  # a hint only: without it the files are hashed
                self.seen = {}

    def digest(self, path: str, stat: Stat) -> str | None:
        found = self.seen.get(path)
        return found.sha256 if found and (found.size, found.mark) == (stat.size, stat.mark) else None

    def remember(self, path: str, stat: Stat, sha256: str) -> None:
        self.seen[path] = Seen(stat.size, stat.mark, sha256)
        self.changed = True

    def save(self) -> None:
        if self.changed:
            self.store.put(self.name, msgspec.json.encode(self.seen, order="sorted"))
            self.changed = False


def listing(source: Source) -> dict[str, Stat]:
    """Files of a source by path relative to its root; InputError where a pattern matches nothing."""
    files = list_inputs(source.root, source.files)
    files = {p: s for p, s in files.items() if not any(fnmatch.fnmatch(p, pattern) for pattern in source.exclude)}
    if not files:
        raise InputError(
            f"source `{source.name}`: no file matches {', '.join(map(repr, source.files))} under {source.root}. "
            f"Check `files`, or give the right root with --root {source.name}=DIR."
        )
    return files


def file_step(
    definition: Definition, source: str, path: str, sha256: str, quarantined: dict[int, str], removed: str = ""
) -> str:
    """Identity of a file read to its end. `removed`: see `removal.file_identity`."""
    inputs: dict[str, object] = {"source": source, "path": path, "sha256": sha256}
    if quarantined:
        inputs["quarantined"] = {str(k): v for k, v in sorted(quarantined.items())}
    if removed:
        inputs["removed"] = removed
    return step_id(definition, inputs)


def by_path(records: dict[str, FileRecord]) -> dict[str, list[FileRecord]]:
    grouped: dict[str, list[FileRecord]] = {}
    for record in records.values():
        grouped.setdefault(record.path, []).append(record)
    return grouped
