"""The order of documents: every copy once, fractions by id, uniform, the same however it is asked for."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus import document_order, tables
from corpus.document_order import DocumentOrder
from corpus.errors import InputError, RecipeError
from corpus.id_order import halves, joined, mix, order_of
from corpus.mixture import Held, Mixed, Mixture, rates, settled
from corpus.pack import FileInfo, Shard
from corpus.store import Blobs

SEED = 3


def shards_of(
    out: Blobs, source: str, documents: int, shards: int = 1, generations: int = 1, clusters: Sequence[int] = ()
) -> list[Shard]:
    """Side tables of documents with drawn ids, as Pack writes them."""
    made = []
    nothing = FileInfo("", 0, "")
    for generation in range(generations):
        number = np.arange(documents, dtype=np.uint64) + np.uint64(generation << 32)
        hi, lo = mix(number ^ np.uint64(sum(source.encode()) << 16)), mix(number)
        order = order_of(hi, lo, SEED)
        sizes = np.array([clusters[i % len(clusters)] if clusters else 0 for i in range(documents)], np.uint32)
        for n in range(shards):
            own = np.flatnonzero((order >> np.uint64(52)) * np.uint64(shards) >> np.uint64(12) == n)
            own = own[np.argsort(order[own])]
            columns = {"id": joined(hi[own], lo[own])}
            if clusters:
                columns["cluster_size"] = pa.array(sizes[own])
            path = f"tokens/{source}_train_{generation}_{n:05d}_text_document"
            out.put(f"{path}.docs.parquet", tables.to_bytes(tables.canonical(columns)))
            docs = FileInfo(f"{path}.docs.parquet", 0, "")
            made.append(
                Shard("", source, "train", generation, path, len(own), 10 * len(own), "uint16", nothing, nothing, docs)
            )
    return made


def mixed(shards: Sequence[Shard], by_cluster: bool = False, **epochs: float) -> Mixed:
    held = [
        Held(name, "", sum(s.documents for s in shards if s.source == name), 1, 1)
        for name in dict.fromkeys(s.source for s in shards)
    ]
    return settled(Mixture("epochs", epochs, 0, by_cluster), held)


def copies(order: DocumentOrder) -> dict[tuple[int, int], list[int]]:
    """(shard, document) -> layers, in the order in which they came"""
    found: dict[tuple[int, int], list[int]] = {}
    for block in order:
        for shard, document, layer in block.tolist():
            found.setdefault((shard, document), []).append(layer)
    return found


def place_of(out: Blobs, order: DocumentOrder) -> dict[tuple[int, int], float]:
    """h of each document"""
    found = {}
    for position, shard in enumerate(order.shards):
        hi, lo = halves(tables.combine(tables.read(out.get(shard.docs.path))["id"]))
        for document, value in enumerate(order_of(hi, lo, SEED).tolist()):
            found[position, document] = value / 2.0**64
    return found


def shrink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups, slices and blocks of a few documents."""
    monkeypatch.setattr(tables, "ROW_GROUP_ROWS", 16)
    monkeypatch.setattr(document_order, "ROW_GROUP_ROWS", 16)
    monkeypatch.setattr(document_order, "SLICE", 32)
    monkeypatch.setattr(document_order, "BLOCK", 50)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink(monkeypatch)


@settings(deadline=None, max_examples=40)
@given(
    documents=st.lists(st.integers(0, 300), min_size=1, max_size=3),
    epochs=st.lists(st.sampled_from([0.0, 0.18, 0.5, 1.0, 1.5, 3.07, 2.999]) | st.floats(0, 4), min_size=3, max_size=3),
    shards=st.sampled_from([1, 2, 8]),
    generations=st.sampled_from([1, 2]),
    passes=st.integers(1, 3),
)
def test_every_copy_once_and_fractions_by_id(
    documents: list[int], epochs: list[float], shards: int, generations: int, passes: int
) -> None:
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        shrink(patch)
        out = Blobs(folder)
        names = [f"s{n}" for n in range(len(documents))]
        made = [
            s
            for name, count in zip(names, documents, strict=True)
            for s in shards_of(out, name, count, shards, generations)
        ]
        wanted = dict(zip(names, epochs, strict=False))
        read: dict[tuple[int, int], int] = {}
        for number in range(passes):
            try:
                order = DocumentOrder(out, mixed(made, **wanted), made, SEED, number)
            except InputError:
                continue
            found = copies(order)
            assert sum(len(layers) for layers in found.values()) == order.documents
            assert all(layers == list(range(len(layers))) for layers in found.values())  # in the order of layers
            for key, layers in found.items():
                read[key] = read.get(key, 0) + len(layers)
        order_shards = sorted(made, key=lambda s: s.path)
        for position, shard in enumerate(order_shards):
            total = wanted[shard.source] * passes
            hi, lo = halves(tables.combine(tables.read(out.get(shard.docs.path))["id"]))
            for document, value in enumerate(order_of(hi, lo, SEED).tolist()):
                h = value / 2.0**64
                if abs((total - h) % 1) > 1e-9:
                    assert read.get((position, document), 0) == int(np.ceil(total - h)), (shard.path, document)


@pytest.mark.usefixtures("small")
def test_whole_epochs_are_exact_and_no_document_comes_again_before_the_others(tmp_path: Path) -> None:
    out = Blobs(str(tmp_path))
    made = [*shards_of(out, "a", 400, 4), *shards_of(out, "b", 150, 2), *shards_of(out, "c", 90)]
    order = DocumentOrder(out, mixed(made, a=1.0, b=3.0, c=0.0), made, SEED)
    assert order.documents == 400 + 450
    assert order.blocks > 3
    documents = np.concatenate(list(order))
    source = np.array([order.shards[s].source for s in documents["shard"]])
    assert set(source) == {"a", "b"}
    assert np.array_equal(documents["layer"][source == "b"], np.repeat([0, 1, 2], 150))
    for layer in range(3):
        own = documents[(source == "b") & (documents["layer"] == layer)]
        assert len(set(zip(own["shard"].tolist(), own["document"].tolist(), strict=True))) == 150


@pytest.mark.usefixtures("small")
def test_sources_are_spread_evenly_and_copies_are_drawn_anew(tmp_path: Path) -> None:
    out = Blobs(str(tmp_path))
    made = [*shards_of(out, "a", 3000, 8), *shards_of(out, "b", 500, 1)]
    order = DocumentOrder(out, mixed(made, a=1.0, b=2.0), made, SEED)
    documents = np.concatenate(list(order))
    source = np.array([order.shards[s].source for s in documents["shard"]])
    for part in np.array_split(source == "b", 20):
        assert abs(part.sum() - 50) <= 3
    h = place_of(out, order)
    own = documents[source == "a"]
    values = np.array([h[s, d] for s, d in own[["shard", "document"]].tolist()])
    assert abs(np.corrcoef(values, np.arange(len(values)))[0, 1]) < 0.3  # slices of a hundred are drawn as one
    twice = documents[source == "b"]
    first, second = (
        {int(d): at for at, d in enumerate(twice["document"][twice["layer"] == layer])} for layer in (0, 1)
    )
    assert abs(np.corrcoef([first[d] for d in range(500)], [second[d] for d in range(500)])[0, 1]) < 0.3
    assert first != second


@pytest.mark.usefixtures("small")
def test_a_block_is_the_same_from_wherever_it_is_asked_for(tmp_path: Path) -> None:
    out = Blobs(str(tmp_path))
    made = [*shards_of(out, "a", 900, 4), *shards_of(out, "b", 200, 2)]
    table = mixed(made, a=1.3, b=2.5)
    order = DocumentOrder(out, table, made, SEED)
    every = list(order)
    for k in reversed(range(order.blocks)):
        assert np.array_equal(order.block(k), every[k])
        assert np.array_equal(DocumentOrder(out, table, list(reversed(made)), SEED).block(k), every[k])
    with pytest.raises(IndexError):
        order.block(order.blocks)
    others = (DocumentOrder(out, table, made, SEED + 1), DocumentOrder(out, table, made, SEED, 1))
    assert all(not np.array_equal(other.block(0), every[0]) for other in others)


@pytest.mark.usefixtures("small")
def test_documents_of_larger_clusters_come_more_often(tmp_path: Path) -> None:
    out = Blobs(str(tmp_path))
    sizes = [0, 1, 2, 3, 4, 5, 99, 100, 999, 1000, 5000]
    assert rates(np.array(sizes)).tolist() == [1, 1, 2, 3, 3, 5, 5, 8, 8, 1, 1]
    made = shards_of(out, "a", 330, 2, clusters=sizes)
    order = DocumentOrder(out, mixed(made, by_cluster=True, a=1.5), made, SEED)
    found, h = copies(order), place_of(out, order)
    for position, shard in enumerate(order.shards):
        own = tables.read(out.get(shard.docs.path))["cluster_size"].to_pylist()
        for document, size in enumerate(own):
            total = 1.5 * int(rates(np.array([size]))[0])
            assert len(found.get((position, document), [])) == int(np.ceil(total - h[position, document]))


def test_memory_is_that_of_slices(tmp_path: Path) -> None:
    """Only the shard in which the fraction ends is read to count, and of the others what has its turn."""
    out = Blobs(str(tmp_path))
    made = shards_of(out, "a", 4000, 16)
    for shard in made[3:]:
        (tmp_path / shard.docs.path).write_bytes(b"not read")
    order = DocumentOrder(out, mixed(made, a=0.15), made, SEED)
    assert len(order._read) == 1
    assert abs(order.documents - 600) < 80
    assert len(np.concatenate(list(order))) == order.documents


def test_nothing_to_read(tmp_path: Path) -> None:
    made = shards_of(Blobs(str(tmp_path)), "a", 10)
    with pytest.raises(InputError, match="leaves nothing to read in pass 0"):
        DocumentOrder(Blobs(str(tmp_path)), mixed(made, a=0.0), made, SEED)
    with pytest.raises(RecipeError, match="a pass reads documents of `a` 1,500 times, 1,000 at most"):
        DocumentOrder(Blobs(str(tmp_path)), mixed(made, a=1500), made, SEED)


@pytest.mark.usefixtures("small")
def test_over_many_passes_every_document_is_everywhere(tmp_path: Path) -> None:
    """Mean and spread of the place of each of 300 documents over 80 passes: those of a uniform place, five deviations
    wide; and no two documents stay together."""
    out = Blobs(str(tmp_path))
    made = [*shards_of(out, "a", 300, 2), *shards_of(out, "b", 40)]
    table, passes = mixed(made), 80
    places = np.empty((passes, 300))
    followed = []
    for number in range(passes):
        documents = np.concatenate(list(DocumentOrder(out, table, made, SEED, number)))
        own = np.flatnonzero(documents["shard"] < 2)
        names = documents["shard"][own].astype(np.int64) * 1000 + documents["document"][own]
        places[number, np.argsort(names)] = own / len(documents)
        followed += list(zip(names[:-1].tolist(), names[1:].tolist(), strict=True))
    assert np.abs(places.mean(axis=0) - 0.5).max() < 5 * 0.289 / np.sqrt(passes)
    assert np.abs(places.std(axis=0) - 0.289).max() < 5 * 0.289 / np.sqrt(2 * passes)
    counts = np.unique(np.array(followed), axis=0, return_counts=True)[1]
    assert counts.max() < 16  # the two follow each other in 1 of 32 passes where they share a slice: 2.5 times
