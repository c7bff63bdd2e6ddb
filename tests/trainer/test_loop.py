"""Training in this one process: learning, resuming exactly, refusing, giving up."""

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch

from corpus.errors import RecipeError, TaskError, VerifyError
from trainer.config import Config, Optimizer, preset
from trainer.job import Seat, Summary
from trainer.loop import learning_rate, run, update


def train(build: Path, config: Config) -> Summary:
    summary = run(build, config, Seat())
    assert summary is not None
    return summary


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Config]:
    """A run of milliseconds; by default its checkpoints and logs go to tmp_path/out."""

    def make(**changes: object) -> Config:
        small = {"steps": 8, "sequence": 16, "batch": 4, "micro_batch": 2, "save_every": 4, "out": tmp_path / "out"}
        values = {**small, "decay_tokens": 512, "warmup_tokens": 128, "device": "cpu", **changes}
        return preset("tiny", **{**values, "out": str(values["out"])})

    return make


def losses(out: Path) -> dict[int, tuple[float, float, float]]:
    """Loss, gradient norm and rate of each step, exactly as computed; the last line of a step counts."""
    events = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return {e["step"]: (e["loss"], e["grad_norm"], e["lr"]) for e in events if e["event"] == "step"}


def tensor_files(path: Path) -> dict[str, list[int | str]]:
    """Size and digest of the files of a checkpoint that hold tensors."""
    files = json.loads((path / "state.json").read_bytes())["files"]
    return {name: value for name, value in files.items() if name != ".metadata"}


def test_resuming_is_never_having_stopped(build: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    whole = train(build, config(steps=8, out=tmp_path / "whole"))
    train(build, config(steps=4))
    resumed = train(build, config(steps=8))
    expected, got = losses(tmp_path / "whole"), losses(tmp_path / "out")
    assert sorted(got) == [1, 2, 3, 4, 5, 6, 7, 8]
    assert got == expected
    name = "checkpoints/step-00000008"
    assert tensor_files(tmp_path / "out" / name) == tensor_files(tmp_path / "whole" / name)
    assert (resumed.first_loss, resumed.last_loss, resumed.step) == (whole.first_loss, whole.last_loss, 8)
    again = train(build, config(steps=8))  # nothing is left to do
    assert (again.last_loss, again.step, again.tokens_per_s) == (whole.last_loss, 8, None)


def test_micro_batches_do_not_change_the_result(build: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    for micro_batch in (1, 3, 4):  # 3 leaves a rest
        train(build, config(steps=5, micro_batch=micro_batch, precision="fp64", out=tmp_path / str(micro_batch)))
    one = losses(tmp_path / "1")
    for other in ("3", "4"):
        for step, values in losses(tmp_path / other).items():
            assert values == pytest.approx(one[step], rel=1e-10)


def test_bf16_stays_near_fp32(build: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    for precision in ("bf16", "fp32"):
        train(build, config(steps=4, precision=precision, out=tmp_path / precision))
    halves, wholes = losses(tmp_path / "bf16"), losses(tmp_path / "fp32")
    assert halves != wholes
    for step, (loss, _, _) in wholes.items():
        assert halves[step][0] == pytest.approx(loss, rel=0.01)  # bf16 keeps 8 bits, 0.4%


def test_it_learns_more_than_frequencies(build: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    summary = train(build, preset("tiny", sequence=128, device="cpu", out=str(tmp_path / "out")))
    assert summary.first_loss == pytest.approx(5.55, abs=0.2)  # ln 257: nothing is known yet
    assert summary.last_loss is not None
    assert summary.last_loss < summary.unigram_entropy - 0.1
    assert summary.learned
    printed = capfd.readouterr().out
    assert len([line for line in printed.splitlines() if line.startswith("step ")]) == 60
    assert "below the entropy" in printed


def test_complete_checkpoints_only(build: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    saved = tmp_path / "out" / "checkpoints"
    train(build, config(steps=6, save_every=1, keep=2))
    assert sorted(path.name for path in saved.iterdir()) == ["step-00000005", "step-00000006"]
    (saved / "step-00000006").rename(saved / "step-00000006.partial")  # as a crash would have left it
    train(build, config(steps=8, save_every=3, keep=9))
    assert sorted(path.name for path in saved.iterdir()) == ["step-00000005", "step-00000006", "step-00000008"]
    events = [json.loads(line) for line in (tmp_path / "out" / "log.jsonl").read_text().splitlines()]
    assert [e["progress"]["step"] for e in events if e["event"] == "start"] == [0, 5]


def test_checkpoints_that_are_refused(build: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    train(build, config(steps=2))
    step = tmp_path / "out" / "checkpoints" / "step-00000002"
    for change, message in (
        ({"sequence": 8}, "expected sequence 8, got a checkpoint with sequence 16; .* --out"),
        ({"seed": 9}, "expected seed 9"),
        ({"precision": "fp64"}, "expected precision fp64"),
    ):
        with pytest.raises(VerifyError, match=message):
            train(build, config(**change))
    kept = shutil.copytree(step, tmp_path / "kept")

    def damaged(name: str, change: Callable[[Path], None], message: str) -> None:
        shutil.rmtree(step)
        shutil.copytree(kept, step)
        change(step / name)
        with pytest.raises(VerifyError, match=message):
            train(build, config())

    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    damaged("__0_0.distcp", flip, "expected sha256 .* to go on from the checkpoint before it")
    damaged("__0_0.distcp", lambda path: path.write_bytes(b""), "bytes, got 0 bytes")
    damaged("__0_0.distcp", Path.unlink, "no such file")
    damaged("state.json", Path.unlink, "state.json")


def test_a_hostile_index_runs_nothing(build: Path, config: Callable[..., Config], tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
            return Path.touch, (tmp_path / "exploded",)

    train(build, config(steps=2))
    step = tmp_path / "out" / "checkpoints" / "step-00000002"
    bomb = pickle.dumps(Bomb())
    pickle.loads(bomb)
    assert (tmp_path / "exploded").exists()  # it does go off elsewhere
    (tmp_path / "exploded").unlink()
    (step / ".metadata").write_bytes(bomb)
    state = json.loads((step / "state.json").read_bytes())
    state["files"][".metadata"] = [len(bomb), hashlib.sha256(bomb).hexdigest()]
    (step / "state.json").write_text(json.dumps(state))
    with pytest.raises(VerifyError, match="expected an index of tensors"):
        train(build, config())
    assert not (tmp_path / "exploded").exists()


def test_losses_that_stop_being_finite_end_the_run(
    build: Path, config: Callable[..., Config], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wild = config(steps=50, lr=1e30, warmup_tokens=0)
    wild = msgspec.structs.replace(wild, optimizer=msgspec.structs.replace(wild.optimizer, max_bad_steps=3))
    with pytest.raises(TaskError, match="not finite for 3 steps in a row; lower --lr"):
        train(build, wild)
    assert capfd.readouterr().out.count("SKIPPED: not finite") == 3
    logged = list(losses(tmp_path / "out").values())
    assert len(logged) < 50
    assert all(None in (loss, norm) for loss, norm, _ in logged[-3:])
    assert None not in logged[-4]


def test_a_gradient_is_clipped_to_its_norm() -> None:
    layer = torch.nn.Linear(2, 1, bias=False)
    sgd = torch.optim.SGD(layer.parameters(), lr=9.0)
    for clip, expected in ((1.0, [0.6, 0.8]), (10.0, [3.0, 4.0])):
        torch.nn.init.zeros_(layer.weight)
        layer.weight.grad = torch.tensor([[3.0, 4.0]])
        update(layer, sgd, 1.0, clip, 5.0)
        assert (-layer.weight.detach()).flatten().tolist() == pytest.approx(expected)


def test_the_schedule() -> None:
    settings = Optimizer(lr=1.0, warmup_tokens=100, final_ratio=0.1)
    rates = {tokens: learning_rate(settings, tokens, 300) for tokens in (1, 50, 100, 200, 300, 10_000)}
    assert rates == pytest.approx({1: 0.01, 50: 0.5, 100: 1.0, 200: 0.55, 300: 0.1, 10_000: 0.1})


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("huge", {}, "--preset huge: expected one of tiny, small-125m"),
        ("tiny", {"dp": 3}, "--batch 8 does not divide by --dp 3"),
        ("tiny", {"dp": 0}, "--dp 0"),
        ("tiny", {"steps": 0}, "--steps 0: expected 1 or more"),
        ("tiny", {"lr": -1.0}, "--lr -1.0"),
        ("tiny", {"precision": "fp8"}, "precision"),
    ],
)
def test_configurations_that_are_refused(name: str, changes: dict[str, object], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        preset(name, **changes)
