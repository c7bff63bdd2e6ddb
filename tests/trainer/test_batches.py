"""The windows of a batch are the samples that the process was given, whatever the log went through."""

import json
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from corpus.errors import InputError, VerifyError
from trainer.batches import batch, find_run
from trainer.config import preset
from trainer.data import Corpus
from trainer.manifest import open_build

SEQUENCE, BATCH = 32, 8


def log(run: Path, *events: dict) -> Path:
    run.mkdir(parents=True, exist_ok=True)
    (run / "log.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    return run


def start(build: Path, processes: int, size: int = BATCH, **more: object) -> dict:
    config = msgspec.to_builtins(preset("tiny", sequence=SEQUENCE, batch=size, seed=5))
    return {"event": "start", "manifest": open_build(build).digest, "config": config, "processes": processes, **more}


def step(number: int, consumed: int) -> dict:
    return {"event": "step", "step": number, "consumed_samples": consumed, "loss": None}


@pytest.mark.parametrize("processes", [1, 2, 4])
def test_windows_are_what_the_process_read(build: Path, tmp_path: Path, processes: int) -> None:
    run = log(tmp_path / "r", start(build, processes), *(step(n, n * BATCH) for n in range(1, 6)))
    corpus = Corpus(open_build(build), SEQUENCE, 5)
    mine = BATCH // processes
    for rank in range(processes):
        windows = batch(build, run, 4, rank)
        samples = corpus.samples(3 * BATCH + rank * mine, mine)
        assert [w.sample for w in windows] == list(range(3 * BATCH + rank * mine, 3 * BATCH + (rank + 1) * mine))
        for window, sample in zip(windows, samples, strict=True):
            out = np.empty(window.tokens, np.int64)
            corpus._streams[corpus.order.sources.index(window.source)].read(window.start, window.tokens, out)
            assert np.array_equal(out, sample)


def test_a_step_that_was_done_again_with_another_batch(build: Path, tmp_path: Path) -> None:
    run = log(
        tmp_path / "r",
        start(build, 2),
        *(step(n, n * BATCH) for n in (1, 2, 3)),
        start(build, 4, size=4),  # resumed behind step 2
        step(3, 2 * BATCH + 4),
    )
    assert [w.sample for w in batch(build, run, 2, 1)] == [12, 13, 14, 15]
    assert [w.sample for rank in range(4) for w in batch(build, run, 3, rank)] == [16, 17, 18, 19]
    with pytest.raises(InputError, match="--rank 2: the run had processes 0 to 1 at step 2"):
        batch(build, run, 2, 2)


def test_what_cannot_be_told(build: Path, tmp_path: Path, make_build: Callable[..., Path]) -> None:
    run = log(tmp_path / "r", start(build, 1), step(1, BATCH))
    with pytest.raises(InputError, match=r"--step 2: .* has steps up to 1"):
        batch(build, run, 2, 0)
    with pytest.raises(InputError, match="cannot be read"):
        batch(build, tmp_path / "none", 1, 0)
    other = make_build(tmp_path / "other", {"s": [[np.arange(200)]]}, 300)
    with pytest.raises(VerifyError, match="built again since"):
        batch(other, run, 1, 0)
    with (run / "log.jsonl").open("a") as file:
        file.write('{"event": "st')  # killed while it wrote
    assert len(batch(build, run, 1, 0)) == BATCH


def test_the_run_of_a_build(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="none"):
        find_run(tmp_path / "b")
    log(tmp_path / "b.train" / "tiny")
    assert find_run(tmp_path / "b").name == "tiny"
    log(tmp_path / "b.train" / "other")
    with pytest.raises(InputError, match="other, tiny"):
        find_run(tmp_path / "b")
