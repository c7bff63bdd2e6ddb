"""Dedup at 1, 2 and 4 workers, and from documents in any order: one verdict."""

import os
from pathlib import Path

import pytest
from nodes import ROOT
from settling import Small, build, make, shuffled, small, tree, verdicts

from corpus.cluster import Cluster
from corpus.local import Local


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    make(folder)
    return folder


@pytest.fixture(scope="module")
def settled(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made in this process, in one bundle and one range."""
    store = tmp_path_factory.mktemp("settled")
    build(sample, store, Local())
    return store


def test_documents_in_another_order(sample: Path, settled: Path, tmp_path: Path) -> None:
    want = verdicts(build(sample, settled, Local())[0])
    assert sum(want.values()) > 300
    assert {one.drop for one in want} == {None, "exact_duplicate", "near_duplicate"}
    with pytest.MonkeyPatch.context() as patch:
        small(patch)
        for seed in range(2):
            shuffled(sample, tmp_path / f"in-{seed}", seed)
            builder, _ = build(tmp_path / f"in-{seed}", tmp_path / f"store-{seed}", Local())
            assert verdicts(builder) == want


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
def test_any_number_of_workers(
    workers: int, sample: Path, settled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, ROOT / "tests"))))
    flush_bytes = small(monkeypatch)
    cluster = Cluster(workers)
    try:
        build(sample, tmp_path, Small(cluster, flush_bytes))
    finally:
        cluster.close()
    assert tree(tmp_path, "tables", "records/one", "records/two") == tree(
        settled, "tables", "records/one", "records/two"
    )
