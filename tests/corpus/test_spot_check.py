"""Spot check: random tokens, each partition of them made again once; every kind of difference is found."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import sealed
import toys

from corpus.errors import InputError
from corpus.opened import Build
from corpus.spot_check import Checked, draws, spot_check
from corpus.store import Blobs


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    sealed.build(sealed.prepare(folder))
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    shutil.copytree(whole, tmp_path / "copy")
    return tmp_path / "copy"


def check(folder: Path, count: int = 500, seed: int = 0) -> Checked:
    graph = sealed.graph(folder / "m.toml")
    return spot_check(Blobs(str(folder / "out")), Blobs(str(folder / "store")), graph, count, seed)


def test_draws_are_uniform_seeded_and_in_range() -> None:
    at = draws(100_000, 1000, 3)
    assert (at.min(), at.max()) == (0, 999)
    counts = np.bincount(at, minlength=1000)
    assert 60 < counts.min() <= counts.max() < 145  # mean 100, standard deviation 10
    assert np.array_equal(at, draws(100_000, 1000, 3))
    assert not np.array_equal(at, draws(100_000, 1000, 4))


def test_all_tokens_come_out_the_same_and_each_partition_once(whole: Path) -> None:
    build = Build(Blobs(str(whole / "out")), Blobs(str(whole / "store")))
    toys.applied.clear()
    found = check(whole, 3000)
    assert found.ok
    assert (found.tokens, found.same) == (3000, 3000)
    assert found.documents == sum(s.documents for s in build.shards)  # 3,000 draws of some 1,500 tokens miss none
    assert found.document_tokens == sum(s.tokens for s in build.shards)
    living = [p for p in build.partitions() if p.records[-1].kept]
    assert found.partitions == len(living) == toys.applied.count("parse")
    assert found.columns > 12 * found.partitions


def test_a_changed_token_is_found_wherever_it_is_in_a_drawn_document(folder: Path) -> None:
    build = Build(Blobs(str(folder / "out")), Blobs(str(folder / "store")))
    shard = max(build.shards, key=lambda s: s.tokens)
    path = folder / "out" / f"{shard.path}.bin"
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    found = check(folder, 3000)
    assert not found.ok
    assert 0 < found.same < 3000
    (wrong,) = found.wrong
    assert wrong.file == shard.path


def test_a_stage_that_writes_other_values_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply = sealed.Script.apply
    monkeypatch.setattr(
        sealed.Script, "apply", lambda self, batch, model: apply(self, batch, model) | {"lang": batch["text"]}
    )
    found = check(folder)
    assert not found.ok
    assert found.same == 0
    assert all("`lang`" in one.problem for one in found.wrong)


def test_an_input_that_changed_is_an_error(folder: Path) -> None:
    (folder / "data" / "web" / "b.txt").write_text("other\n")
    with pytest.raises(InputError, match="ends before chunk 1: not the file"):
        check(folder)
