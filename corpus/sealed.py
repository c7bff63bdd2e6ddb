"""Reading what `seal.py` wrote: the manifest, checked against its digest, and the records of partitions."""

from typing import Any

import msgspec

from corpus import tables
from corpus.errors import VerifyError
from corpus.graph import Partition
from corpus.identity import sha256
from corpus.record import Record
from corpus.store import Blobs


def open_manifest(out: Blobs) -> dict[str, Any]:
    """The sealed manifest, checked against its digest. VerifyError where it is missing or differs."""
    try:
        data, want = out.get("manifest.json"), out.get("manifest.sha256").decode(errors="replace").strip()
    except FileNotFoundError as error:
        raise VerifyError(
            f"{out.root}: no sealed build here ({error.filename or error}). Run `corpus build` to its end."
        ) from None
    if sha256(data) != want:
        raise VerifyError(
            f"{out.url('manifest.json')}: sha256 is {sha256(data)}, manifest.sha256 says {want}. "
            f"One of the two was changed after sealing; build again to restore them."
        )
    return dict(msgspec.json.decode(data))


def read_steps(out: Blobs, file: dict[str, Any]) -> list[Partition]:
    """Partitions of one of the files in `steps/`, in order of their keys."""
    table = tables.read(out.get(file["path"]))
    decoder = msgspec.json.Decoder(Record)
    found: list[Partition] = []
    rows = zip(*(table[name].to_pylist() for name in ("root", "source", "path", "chunk", "record")), strict=True)
    for root, source, path, chunk, data in rows:
        if not found or found[-1].key != root:
            found.append(Partition(source, path, chunk, root, []))
        found[-1].records.append(decoder.decode(data))
    return found
