"""The sealed build and its token streams, compared with plain numpy on the same documents."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corpus.errors import CorpusError, InputError, VerifyError
from trainer.data import Corpus
from trainer.manifest import files, open_build, verify_files
from trainer.order import Order

SEQUENCE = 64
Edit = Callable[[Path, Path, Callable[[dict], None]], Path]


def corpus_of(build: Path, sequence: int = SEQUENCE) -> Corpus:
    return Corpus(open_build(build), sequence, seed=5)


def rings(code: list[np.ndarray]) -> list[np.ndarray]:
    """The two sources of the `build` fixture, as one array each."""
    documents = [np.append(document, 256) for document in code]
    return [np.concatenate(documents[:12]), np.concatenate(documents[12:])]


def test_samples_are_windows_of_the_rings(build: Path, code: list[np.ndarray]) -> None:
    corpus = corpus_of(build)
    samples = corpus.samples(1000, 50)
    place = corpus.order.locate(np.arange(1000, 1050))
    for row, source, start in zip(samples, place.source, place.start, strict=True):
        assert np.array_equal(row, np.roll(rings(code)[source], -start)[: SEQUENCE + 1])
    assert set(place.source.tolist()) == {0, 1}


def test_a_window_may_span_shards_and_close_the_ring(make_build: Callable[..., Path], tmp_path: Path) -> None:
    parts = [[np.arange(3)], [], [np.arange(10, 12), np.arange(20, 21)], [np.arange(30, 35)]]
    build = make_build(tmp_path / "b", {"s": parts}, 100)
    ring = np.array([0, 1, 2, 99, 10, 11, 99, 20, 99, 30, 31, 32, 33, 34, 99])
    corpus = corpus_of(build, sequence=15)
    assert corpus.order.pass_samples == 1
    starts = set()
    for epoch in range(40):
        start = int(corpus.order.locate(np.array([epoch])).start[0])
        assert np.array_equal(
            corpus.samples(epoch, 1)[0], np.concatenate([np.roll(ring, -start), ring[start : start + 1]])
        )
        starts.add(start)
    assert len(starts) > 5


@pytest.mark.parametrize("dp", [1, 2, 4])
def test_a_global_batch_does_not_depend_on_the_number_of_processes(build: Path, dp: int) -> None:
    batch = 16
    whole = corpus_of(build).samples(0, 3 * batch)
    mine = batch // dp
    shares = [corpus_of(build) for _ in range(dp)]  # each process opens the build for itself
    for k in range(3):
        read = [shares[rank].samples(k * batch + rank * mine, mine) for rank in range(dp)]
        assert np.array_equal(np.concatenate(read), whole[k * batch : (k + 1) * batch])


def test_unigram_entropy(build: Path, code: list[np.ndarray]) -> None:
    corpus = corpus_of(build)
    entropy, counted = corpus.unigram_entropy()
    shares = corpus.order.counts / corpus.order.pass_samples
    parts = [np.bincount(ring, minlength=257) / ring.size for ring in rings(code)]
    mixed = shares[0] * parts[0] + shares[1] * parts[1]
    assert entropy == pytest.approx(-sum(p * np.log(p) for p in mixed if p), rel=1e-12)
    assert counted == sum(ring.size for ring in rings(code))


def test_entropy_refuses_tokens_outside_the_vocabulary(build: Path, tmp_path: Path, edit_manifest: Edit) -> None:
    def smaller(manifest: dict) -> None:
        manifest["tokenizer"]["vocab_size"] = 100

    with pytest.raises(VerifyError, match="expected 0 to 99"):
        corpus_of(edit_manifest(build, tmp_path / "b", smaller)).unigram_entropy()


@pytest.fixture(scope="session")
def edit_manifest() -> Edit:
    """Copy a build, change its manifest, seal it anew."""

    def edit(build: Path, copy: Path, change: Callable[[dict], None]) -> Path:
        shutil.copytree(build, copy)
        manifest = json.loads((copy / "manifest.json").read_bytes())
        change(manifest)
        data = json.dumps(manifest).encode()
        (copy / "manifest.json").write_bytes(data)
        (copy / "manifest.sha256").write_text(hashlib.sha256(data).hexdigest() + "\n")
        return copy

    return edit


def shard(manifest: dict) -> dict:
    return manifest["shards"][1]


@pytest.mark.parametrize(
    ("change", "kind", "message"),
    [
        (lambda m: m.update(format=2), VerifyError, "expected format 1, got 2"),
        (lambda m: m.pop("tokenizer"), VerifyError, "tokenizer"),
        (lambda m: shard(m).update(dtype="int64"), VerifyError, r"\$\.shards\[1\]\.dtype"),
        (lambda m: shard(m).update(tokens=3), VerifyError, "expected .* 3 tokens"),
        (lambda m: shard(m).update(path="../x"), VerifyError, "leaves the build"),
        (lambda m: shard(m).update(path="/etc/x"), VerifyError, "leaves the build"),
        (
            lambda m: shard(m)["bin"].update(bytes=1),
            VerifyError,
            r"00001_text_document\.bin: expected 1 bytes",
        ),
        (lambda m: shard(m).update(path="tokens/none"), VerifyError, r"none\.bin: expected .* no such file"),
        (lambda m: [s.update(split="heldout") for s in m["shards"]], InputError, "no shard with split `train`"),
    ],
)
def test_manifests_that_are_refused(
    build: Path,
    tmp_path: Path,
    edit_manifest: Edit,
    change: Callable,
    kind: type[CorpusError],
    message: str,
) -> None:
    copy = edit_manifest(build, tmp_path / "b", change)
    with pytest.raises(kind, match=message):
        corpus_of(copy)


def test_a_manifest_that_was_edited_after_sealing(build: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(build, tmp_path / "b")
    with open(copy / "manifest.json", "ab") as file:
        file.write(b" ")
    with pytest.raises(
        VerifyError, match=r"manifest\.json: expected sha256 '[0-9a-f]{64}'.*got [0-9a-f]{64}; run `corpus verify"
    ):
        open_build(copy)
    (copy / "manifest.sha256").unlink()
    with pytest.raises(InputError, match=r"manifest\.sha256: cannot be read .* `corpus build`"):
        open_build(copy)


def test_a_shard_that_was_changed_without_changing_its_size(build: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(build, tmp_path / "b")
    opened = open_build(copy)
    verify_files(opened, files(opened))
    path = files(opened)[2][0]
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    still_opens = open_build(copy)
    with pytest.raises(VerifyError, match=rf"{path.name}: expected sha256 .* got .*; run `corpus verify"):
        verify_files(still_opens, files(still_opens))


def test_heldout_shards_are_neither_read_nor_checked(build: Path, tmp_path: Path, edit_manifest: Edit) -> None:
    def hold_out(manifest: dict) -> None:
        shard(manifest)["split"] = "heldout"

    copy = edit_manifest(build, tmp_path / "b", hold_out)
    before = corpus_of(build).order
    for path in copy.glob("tokens/early_train_0_00001*"):
        path.unlink()
    after: Order = corpus_of(copy).order
    assert after.sources == before.sources
    assert after.tokens[0] < before.tokens[0]
    assert after.tokens[1] == before.tokens[1]
