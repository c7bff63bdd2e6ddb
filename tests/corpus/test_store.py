"""Local folders and an S3 server behave alike: published whole or not at all, created once."""

import os
from pathlib import Path

import pytest

from corpus.errors import InputError, StoreError
from corpus.record import Record, Table, fold, load, publish
from corpus.store import Blobs, list_inputs, open_input


@pytest.fixture(params=["local", "s3"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    if request.param == "local":
        return Blobs(str(tmp_path / "store"))
    return Blobs(f"{request.getfixturevalue('s3')}/{tmp_path.name}")


def test_put_get_slice_list_remove(blobs: Blobs) -> None:
    blobs.put("a/b/one", b"0123456789")
    blobs.put("a/two", b"x")
    blobs.put("a/b/one", b"abcdefghij")
    assert blobs.get("a/b/one") == b"abcdefghij"
    assert blobs.get("a/b/one", 2, 5) == b"cde"
    assert blobs.get("a/b/one", 8) == b"ij"
    assert blobs.size("a/b/one") == 10
    assert (blobs.exists("a/two"), blobs.exists("a/three")) == (True, False)
    assert blobs.list("a/b") == ["one"]
    assert blobs.list("nothing") == []
    assert list(blobs.walk("a")) == ["a/b/one", "a/two"]
    blobs.remove("a/two")
    blobs.remove("a/two")
    assert not blobs.exists("a/two")
    with pytest.raises(FileNotFoundError):
        blobs.get("a/two")


def test_create_only_where_nothing_is(blobs: Blobs) -> None:
    assert blobs.create("r/x", b"first")
    assert not blobs.create("r/x", b"second")
    assert blobs.get("r/x") == b"first"
    blobs.check()


def test_put_file(blobs: Blobs, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"y" * 100_000)
    blobs.put_file("d/big", path)
    assert blobs.get("d/big") == b"y" * 100_000


def test_inputs(blobs: Blobs) -> None:
    for name in ("in/a.txt", "in/sub/b.txt", "in/c.md"):
        blobs.put(name, name.encode())
    found = list_inputs(blobs.url("in"), ("**/*.txt",))
    assert set(found) == {"a.txt", "sub/b.txt"}
    assert {stat.size for stat in found.values()} == {8, 12}
    with open_input(blobs.url("in/sub/b.txt")) as file:
        assert file.read(3) == b"in/"
        assert file.read() == b"sub/b.txt"


def record(step: str, rows: int = 1) -> Record:
    return Record(
        step=step,
        source="s",
        partition="0" * 16,
        definition={"kind": "k"},
        inputs={},
        rows=rows,
        kept=rows,
        dropped={},
        columns={},
        alive="",
        table=Table("t", 1, "f"),
    )


def test_two_results_under_one_identity_fail(blobs: Blobs) -> None:
    publish(blobs, record("a"), "s", "k")
    publish(blobs, record("a"), "s", "k")
    with pytest.raises(StoreError, match="built before with another result"):
        publish(blobs, record("a", rows=2), "s", "k")


def test_records_fold(blobs: Blobs) -> None:
    for number in range(7):
        publish(blobs, record(f"step{number}"), "s", "k")
    loose = load(blobs, "s", "k", Record)
    assert fold(blobs, "s", "k", at_least=8) == 0
    assert fold(blobs, "s", "k", at_least=7) == 7
    assert [n.split("-")[0] for n in blobs.list("records/s/k")] == ["fold"]
    assert load(blobs, "s", "k", Record) == loose
    publish(blobs, record("later"), "s", "k")
    assert set(load(blobs, "s", "k", Record)) == {*loose, "later"}


def test_a_damaged_record_is_named(blobs: Blobs) -> None:
    blobs.put("records/s/k/x.json", b"{")
    with pytest.raises(StoreError, match=r"records/s/k/x\.json: not a record"):
        load(blobs, "s", "k", Record)


def test_a_stray_temporary_file_is_no_blob(tmp_path: Path) -> None:
    blobs = Blobs(str(tmp_path))
    blobs.put("a/one", b"1")
    (tmp_path / "a" / ".tmp-dead").write_bytes(b"half")
    assert blobs.list("a") == ["one"]
    assert list(blobs.walk("a")) == ["a/one"]
    assert blobs.sweep() == 1
    assert os.listdir(tmp_path / "a") == ["one"]


def test_an_unwritable_store_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="cannot write there"):
        Blobs(str(tmp_path / "file")).check()
