"""What a run says: one line per step on standard output, and the same as JSON lines in OUT/log.jsonl.

A run that was resumed goes on in the same file; of two lines for one step the later one counts.
"""

import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import msgspec
from torch import nn

from trainer.checkpoint import Progress
from trainer.config import Config
from trainer.data import Corpus
from trainer.job import Summary
from trainer.manifest import Build
from trainer.world import World


class Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="step"):
    """One step. loss in nats per token (null in JSON when not finite); `seconds` of wall time, of which `data_s` went
    to reading tokens; `skipped`: not finite, so no weight was changed."""

    step: int
    loss: float
    grad_norm: float
    lr: float
    tokens: int
    seconds: float
    data_s: float
    tokens_per_s: float
    consumed_samples: int
    skipped: bool


class _Start(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="start"):
    manifest: str
    config: Config
    processes: int
    device: str
    parameters: int
    unigram_entropy: float
    progress: Progress


class _Saved(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="checkpoint"):
    path: str


class Log:
    """Speaks for the process of rank 0; silent in all others."""

    def __init__(self, out: Path, config: Config, world: World) -> None:
        self._out, self._config, self._world = out, config, world
        self._began = time.monotonic()
        self._tokens, self._seconds, self._steps = 0, 0.0, 0
        self._file: BinaryIO | None = None
        if world.leads:
            out.mkdir(parents=True, exist_ok=True)
            self._file = open(out / "log.jsonl", "ab")  # noqa: SIM115 (closed by __exit__)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._file is not None:
            self._file.close()

    def start(
        self, build: Build, corpus: Corpus, entropy: float, counted: int, decoder: nn.Module, progress: Progress,
        resumed: Path | None,
    ) -> None:  # fmt: skip
        config, order = self._config, corpus.order
        parameters = sum(parameter.numel() for parameter in decoder.parameters())
        self._say(f"build       {build.manifest.name}, manifest {build.digest[:16]}")
        for name, tokens, count, windows in zip(
            order.sources, order.tokens.tolist(), order.counts.tolist(), order.windows.tolist(), strict=True
        ):
            epochs = count / windows if windows else 0.0
            share = count / order.pass_samples
            self._say(f"  {name:<20} {tokens:>15,} tokens   {epochs:7.3f} epochs   {share:6.1%} of a pass")
        passes = config.steps * config.batch / order.pass_samples
        self._say(
            f"samples     {order.pass_samples:,} of {config.sequence:,} tokens in a pass; "
            f"{config.steps:,} steps of {config.batch:,} take {passes:.2f} passes"
        )
        self._say(f"model       {config.preset}, {parameters:,} parameters, vocabulary {corpus.vocab_size:,}")
        self._say(f"processes   {self._world.dp} data-parallel on {self._world.device.type}, {config.precision}")
        self._say(f"entropy     {entropy:.4f} nats per token, of single tokens ({counted:,} counted)")
        if resumed is not None:
            self._say(f"resumed     after step {progress.step:,} from {resumed}")
            if progress.step >= config.steps:
                self._say("            all steps are done; raise --steps, or train anew with another --out")
        self._write(_Start(
            manifest=build.digest, config=config, processes=self._world.dp, device=self._world.device.type,
            parameters=parameters, unigram_entropy=entropy, progress=progress,
        ))  # fmt: skip

    def step(self, step: Step) -> None:
        self._steps += 1
        if self._steps > 1:  # the first one warms up
            self._tokens += step.tokens
            self._seconds += step.seconds
        self._write(step)
        of = self._config.steps
        self._say(
            f"step {step.step:>{len(str(of))}}/{of}  loss {step.loss:8.4f}  {step.tokens_per_s:>9,.0f} tokens/s  "
            f"grad norm {step.grad_norm:8.3f}  lr {step.lr:.3e}{'  SKIPPED: not finite' if step.skipped else ''}"
        )

    def checkpoint(self, path: Path) -> None:
        self._write(_Saved(path=str(path)))

    def end(self, progress: Progress, entropy: float, counted: int) -> Summary:
        recent = progress.recent_losses
        last = sum(recent) / len(recent) if recent else None
        summary = Summary(
            out=str(self._out), step=progress.step, first_loss=progress.first_loss, last_loss=last,
            unigram_entropy=entropy, counted_tokens=counted, learned=last is not None and last < entropy,
            tokens_per_s=self._tokens / self._seconds if self._seconds else None,
            seconds=time.monotonic() - self._began,
        )  # fmt: skip
        self._write(summary)
        rate = "" if summary.tokens_per_s is None else f", {summary.tokens_per_s:,.0f} tokens/s"
        self._say(
            f"done        step {summary.step:,} after {summary.seconds:.1f} s{rate}; everything is in {self._out}"
        )
        if last is not None:
            over = f"mean of the last {len(recent)} steps"
            self._say(f"loss        {progress.first_loss:.4f} -> {last:.4f} nats per token ({over})")
            verdict = "below" if summary.learned else "NOT below"
            self._say(f"            {verdict} the entropy of single tokens, {entropy:.4f}")
        return summary

    def _say(self, line: str) -> None:
        if self._world.leads:
            print(line, flush=True)

    def _write(self, event: msgspec.Struct) -> None:
        if self._file is not None:
            self._file.write(msgspec.json.encode(event) + b"\n")
            self._file.flush()
