"""The indices in many buckets: all ids of a file begin alike, and are spread over the buckets nonetheless."""

from pathlib import Path

import numpy as np
import pytest
import sealed

from corpus import index, tables
from corpus.opened import Build, Tables
from corpus.verify import verify


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    monkeypatch.setattr(index, "BUCKET_ENTRIES", 4)
    monkeypatch.setattr(index, "BUNDLE_ENTRIES", 8)
    return Build(*sealed.build(sealed.prepare(tmp_path)))


def test_every_id_and_url_is_found_in_its_bucket(build: Build) -> None:
    assert build.manifest["index"]["ids"]["buckets"] == 16
    rows = 0
    for partition in build.partitions():
        seen = Tables(build.store, partition)
        for row, identity in enumerate(seen.column(0, "id").to_pylist()):
            assert (partition.key, 0, row) in index.find_id(build.out, build.manifest, identity)
            rows += 1
        for row, url in enumerate(seen.column(0, "url").to_pylist()):
            assert url is None or (partition.key, row) in index.find_url(build.out, build.manifest, url)
    files = build.manifest["index"]["ids"]["files"]
    sizes = np.array([len(tables.read(build.out.get(file["path"]))) for file in files])
    assert sizes.sum() > rows  # parts of books have ids of their own
    assert sizes.max() < 4 * sizes.mean()
    assert verify(build.out, build.store).wrong == []
