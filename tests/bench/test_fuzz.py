"""Hostile input: cases follow from their numbers, failing ones are kept and can be played again, no case is passed over."""

import random
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest

from bench.fuzz import archives, cases, pages, steps, study
from bench.fuzz.cases import Archive, Pool
from bench.fuzz.pages import MOST_BYTES, MUTATIONS, Page
from bench.fuzz.trial import Trial
from bench.fuzz.watch import Death, Part, after
from corpus.stage import Columns, Map
from stages.extract import Extract
from stages.read_warc import ReadWarc

BODY = b"<html><title>t</title><p>some text of a page, and more of it</p><p>\xd6\xd0\xce\xc4</p></html>"
RECORD = (
    b"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a/\r\nContent-Length: 60\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>some text"
).replace(b"60", b"57")
POOL = Pool([Page(BODY, "gbk", "text/html", "http://a/"), Page(BODY * 99, None, None, None)], [RECORD, RECORD * 3])


def test_a_case_follows_from_its_number() -> None:
    for make in (cases.page, cases.archive):
        made = [make(1, number, POOL) for number in range(60)]
        assert made == [make(1, number, POOL) for number in range(60)]
        assert made != [make(2, number, POOL) for number in range(60)]


@pytest.mark.parametrize("number", range(len(MUTATIONS)))
def test_every_mutation_takes_any_bytes(number: int) -> None:
    for seed, data in enumerate([b"", b"<", BODY, bytes(5000)] * 5):
        chance = random.Random(f"{number} {seed}")
        assert isinstance(MUTATIONS[number](chance, data, POOL.pages), bytes)


def test_cases_are_bounded_and_of_all_kinds() -> None:
    made = [cases.page(3, number, POOL) for number in range(600)]
    assert max(len(page.body) for page in made) <= MOST_BYTES
    assert sum(len(page.body) < 100_000 for page in made) > 500
    files = [cases.archive(3, number, POOL) for number in range(200)]
    assert {Path(file.path).name for file in files} == {
        f"x.{kind}{suffix}" for kind in ("warc", "arc") for suffix in ("", ".gz", ".zst")
    }


def test_archives_of_the_mutator_hold_records_and_the_law() -> None:
    fates = sum((steps.read(*cases.archive(4, number, POOL)) for number in range(60)), start=steps.Counter())
    assert {"kept", "damaged", "truncated", "too_long"} <= set(fates)


class Odd(Map, frozen=True, kw_only=True, tag="odd"):
    """Raises on some texts, and says of others how many rows stand beside them."""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"odd": pa.int64()}
    crosses: bool = False

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        if not self.crosses and any("x" * 40 in text for text in batch["text"].to_pylist()):
            raise ValueError("a text of x")
        return {"odd": pa.array([len(batch) if self.crosses else 0] * len(batch))}


def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: Map, bodies: dict[int, bytes]) -> Trial:
    def made(seed: int, number: int, given: Pool) -> Page:
        return Page(bodies.get(number, BODY), None, "text/plain", None)

    monkeypatch.setattr(cases, "page", made)
    one = Trial(7, POOL, [(Extract(), None), (stage, None)], tmp_path, np.zeros(3, np.int64))
    one.pages(range(10, 20))
    return one


def test_a_row_that_raises_is_found_kept_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = trial(tmp_path, monkeypatch, Odd(), {13: b"x" * 50, 17: b"x" * 60})
    assert one.fates == {"kept": 8, "failed in odd": 2}
    assert [failed["case"] for failed in one.failed] == [13, 17]
    saved = cases.load(tmp_path / one.failed[1]["file"])
    assert saved == Page(b"x" * 60, None, "text/plain", None)


def test_a_stage_whose_rows_are_not_alone_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = trial(tmp_path, monkeypatch, Odd(crosses=True), {})
    assert "depends on the rest of its batch" in one.failed[0]["why"]


def test_an_archive_is_saved_with_its_reader(tmp_path: Path) -> None:
    case = Archive("x.arc.gz", b"\x1f\x8b\n{}\n", ReadWarc(max_ratio=3, partition_rows=7))
    path = cases.save(tmp_path, 1, 2, case, "why")
    assert path.name == "1-archive-2.case"
    assert cases.load(path) == case


@pytest.mark.parametrize("done", [0, 64, 96])
def test_no_case_is_passed_over_where_a_child_dies(done: int) -> None:
    part = Part("page", 0, 100, 32)
    left, blamed = after(part, done, Death(done + 3, 0, "hang"))
    assert blamed is None
    assert [n for one in left for n in range(one.begin, one.end)] == list(range(done, 100))
    assert left[0].block == 1
    left, blamed = after(Part("page", done, 100, 1), done + 2, Death(done + 3, 0, "hang"))
    assert blamed == done + 3
    assert [n for one in left for n in range(one.begin, one.end)] == [n for n in range(done + 2, 100) if n != done + 3]


def test_what_children_told_is_added_up() -> None:
    line = {
        "cases": [0, 2],
        "fates": {"kept": 1, "failed in odd": 1},
        "bytes": 10,
        "seconds": {"odd": 0.5},
        "slowest": [[0.25, "odd", 1, 7]],
        "failed": [{"case": 1, "step": "odd", "why": "x", "file": "f"}],
        "peak_bytes": 5,
    }
    found = study.added("page", [("page", line), ("archive", line), ("page", line)], [("page", Death(9, 0, "hang"))])
    assert (found["cases"], found["records"], found["accounted"], found["hangs"]) == (5, 5, 5, 1)
    assert found["fates"] == {"failed in odd": 2, "kept": 2}
    whole = {"kinds": {"page": found | {"failed": []}}, "killed": []}
    assert study.sound(whole)
    assert not study.sound(whole | {"killed": [{}]})
    assert not study.sound({"kinds": {"page": found}, "killed": []})


def test_damage_leaves_something_to_read() -> None:
    chance = random.Random(1)
    sizes = [len(archives.mutated(chance, POOL.records)[1]) for _ in range(50)]
    assert sum(sizes) > 50_000
    assert pages.span(chance, b"") == (0, 0)
