"""Replay: a partition again from its raw records, with nothing adopted but what a stage over the corpus decided."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from corpus.chain import Walk
from corpus.errors import InputError
from corpus.graph import Graph, Partition
from corpus.identity import canonical
from corpus.opened import Build
from corpus.removal import sealed_list
from corpus.stage import Chunk, Ledger, Reader
from corpus.steps import Origin, is_map
from corpus.store import open_input
from corpus.work import load_model


@contextmanager
def replay(build: Build, graph: Graph, partition: Partition) -> Iterator[Walk]:
    """The walk of the partition through its chain, while its input file is open.

    InputError where `graph` is not of the manifest that the build was made from, or the file is missing or has changed.
    """
    if partition.source not in graph.chains:
        raise InputError(
            f"{graph.recipe.path}: has no source `{partition.source}`. Give the manifest that this was built from."
        )
    chain = graph.chains[partition.source]
    steps = tuple(msgspec.structs.replace(s, stored=()) if is_map(s.stage) else s for s in chain)
    for k, record in enumerate(partition.records):
        if k >= len(steps) or canonical(steps[k].definition.identity()) != canonical(record.definition):
            raise InputError(
                f"{graph.recipe.path}: stage {k} of source `{partition.source}` is not the `{record.kind}` that the "
                f"build was made with. Give the manifest that it was built from, with the same versions."
            )
    (root,) = (s.root for s in graph.recipe.sources if s.name == partition.source)
    url = f"{root.rstrip('/')}/{partition.path}"
    try:
        file = open_input(url)
    except FileNotFoundError:
        raise InputError(
            f"{url}: there is no such file. Give the source's root with --root {partition.source}=DIR."
        ) from None
    with file:
        yield Walk(
            Origin(partition.source, partition.path, partition.key),
            steps,
            build.store,
            {},
            lambda step: load_model(build.store, step),
            records=partition.records,
            chunk=_chunk(file, url, partition, steps[0].stage),
            quarantined={int(r): reason for r, reason in partition.records[0].inputs.get("quarantined", {}).items()},
            removal=sealed_list(build.out, build.manifest),
        )


def _chunk(file: Any, url: str, partition: Partition, reader: Any) -> Chunk:
    assert isinstance(reader, Reader)
    for chunk in reader.cut(file, partition.path, Ledger()):
        if chunk.number == partition.chunk:
            if chunk.digest != partition.records[0].inputs["bytes"]:
                raise InputError(f"{url}: chunk {chunk.number} does not hold what it held when the build was made.")
            return chunk
    raise InputError(f"{url}: ends before chunk {partition.chunk}: not the file that the build was made from.")
