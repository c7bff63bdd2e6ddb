"""Training: one optimizer step after another.

The loss of a step is the sum of cross entropies over the global batch divided by its number of tokens, in nats. Every
process adds its own share to that sum and gradients are added, not averaged, so the result does not depend on how the
batch was cut into processes and micro-batches (except for the order of floating-point additions).
"""

import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule, MixedPrecisionPolicy, fully_shard
from torch.distributed.tensor import DTensor

from corpus.errors import TaskError
from trainer import checkpoint
from trainer.checkpoint import Identity, Progress, State
from trainer.config import Config, Optimizer, share
from trainer.data import Corpus
from trainer.job import Seat, Summary
from trainer.log import Log, Step
from trainer.manifest import Build, files, open_build, verify_files
from trainer.model import Decoder, initialise
from trainer.world import World, joined

_RECENT = 5  # steps over which the final loss is averaged: the loss of one batch is noisy


def run(directory: Path, config: Config, seat: Seat) -> Summary | None:
    """Train in this process, with the others that `seat` speaks of, from the newest checkpoint to the last step.

    The process of rank 0 prints, writes the log and returns the summary; the others return None. CorpusErrors are
    raised in all processes alike.
    """
    with joined(seat, config.device) as world:
        build = world.together(lambda: _open(directory, config, world))
        seed = build.manifest.seed if config.seed is None else config.seed
        corpus = world.together(lambda: Corpus(build, config.sequence, seed))
        entropy, counted = world.together(lambda: corpus.unigram_entropy() if world.leads else (0.0, 0))
        decoder = parallel(config, corpus.vocab_size, seed, world)
        optimizer = adamw(decoder, config.optimizer)
        identity = Identity(build.digest, seed, config.sequence, corpus.vocab_size, config.precision, config.model)
        saved = config.output(directory) / "checkpoints"
        found = checkpoint.newest(saved, world)
        progress = Progress() if found is None else checkpoint.load(found, world, decoder, optimizer, identity)
        with Log(config.output(directory), config, world) as log:
            log.start(build, corpus, entropy, counted, decoder, progress, found)
            progress = _train(config, world, corpus, decoder, optimizer, State(identity, progress, {}), saved, log)
            return log.end(progress, entropy, counted) if world.leads else None


def _open(directory: Path, config: Config, world: World) -> Build:
    """The build, with this process's share of its files re-hashed: together, those of one machine check them all."""
    build = open_build(directory)
    if not config.trust:
        verify_files(build, files(build)[world.seat.local_rank :: world.seat.local_size])
    return build


def parallel(config: Config, vocab_size: int, seed: int, world: World) -> Decoder:
    """The decoder with its weights, gradients and optimizer state cut over the data-parallel processes (ZeRO-3)."""
    with torch.device("meta"):
        decoder = Decoder(config.model, vocab_size).to(torch.float64 if config.precision == "fp64" else torch.float32)
    # Inputs are not cast: rotary tables come in fp64 and are rounded where they are used.
    policy = MixedPrecisionPolicy(cast_forward_inputs=False)
    if config.precision == "bf16":
        policy = MixedPrecisionPolicy(torch.bfloat16, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for module in (*decoder.layers.values(), decoder):
        fully_shard(module, mesh=world.mesh, mp_policy=policy)
    for module in decoder.modules():
        if isinstance(module, FSDPModule):
            # Gradients are summed, because the loss is divided by the tokens of the global batch. Gloo has no
            # reduction that scales, so the plain sum must be asked for by name.
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)
    decoder.to_empty(device=world.device)
    initialise(decoder, config.model, seed)
    return decoder


def adamw(decoder: nn.Module, settings: Optimizer) -> torch.optim.AdamW:
    """AdamW (Loshchilov and Hutter 2019); gains of the norms do not decay. Its moments exist from the start."""
    decaying = [parameter for parameter in decoder.parameters() if parameter.ndim > 1]
    others = [parameter for parameter in decoder.parameters() if parameter.ndim <= 1]
    optimizer = torch.optim.AdamW(
        [{"params": decaying, "weight_decay": settings.weight_decay}, {"params": others, "weight_decay": 0.0}],
        lr=settings.lr,
        betas=(settings.beta1, settings.beta2),
        eps=settings.eps,
        fused=True,
    )
    checkpoint.prepare(optimizer)
    return optimizer


def learning_rate(settings: Optimizer, tokens: int, decay_tokens: int) -> float:
    """The rate of the step that ends at `tokens`: linear warm-up, cosine, then flat at the final ratio."""
    if tokens < settings.warmup_tokens:
        return settings.lr * tokens / settings.warmup_tokens
    done = min(1.0, (tokens - settings.warmup_tokens) / max(1, decay_tokens - settings.warmup_tokens))
    return settings.lr * (settings.final_ratio + (1 - settings.final_ratio) * (1 + math.cos(math.pi * done)) / 2)


def backward(decoder: nn.Module, batch: Tensor, micro_batch: int, global_tokens: int) -> Tensor:
    """Add the gradients of this process's share int64[sequences, L + 1]; return its share of the loss, float64[]."""
    loss = torch.zeros((), dtype=torch.float64, device=batch.device)
    for rows in torch.split(batch, micro_batch):
        logits_NV = decoder(rows[:, :-1]).flatten(0, 1)
        if logits_NV.dtype == torch.bfloat16:
            logits_NV = logits_NV.float()
        part = nn.functional.cross_entropy(logits_NV, rows[:, 1:].flatten(), reduction="sum") / global_tokens
        part.backward()
        loss += part.detach()
    return loss


def gradient_norm(decoder: nn.Module) -> float:
    """Euclidean norm of all gradients together, over all processes."""
    norm = nn.utils.get_total_norm([p.grad for p in decoder.parameters() if p.grad is not None])
    return float(norm.full_tensor() if isinstance(norm, DTensor) else norm)


def update(decoder: nn.Module, optimizer: torch.optim.Optimizer, lr: float, clip: float, norm: float) -> None:
    """Scale the gradients to a norm of at most `clip` and let the optimizer use them."""
    if norm > clip:
        for parameter in decoder.parameters():
            if parameter.grad is not None:
                parameter.grad.mul_(clip / norm)
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()


def _train(
    config: Config, world: World, corpus: Corpus, decoder: Decoder, optimizer: torch.optim.AdamW,
    state: State, saved: Path, log: Log,
) -> Progress:  # fmt: skip
    """Steps from where `state` stands to `config.steps`, with a checkpoint every so often and after the last."""
    progress, bad = state.progress, 0
    mine = share(config, world.dp)
    while progress.step < config.steps:
        began = time.perf_counter()
        first = progress.consumed_samples + world.seat.rank * mine
        batch = torch.from_numpy(corpus.samples(first, mine)).to(world.device)
        read = time.perf_counter()
        loss = float(world.sum(backward(decoder, batch, config.micro_batch, config.step_tokens)))
        norm = gradient_norm(decoder)
        consumed = progress.consumed_samples + config.batch
        lr = learning_rate(config.optimizer, consumed * config.sequence, config.decay_tokens)
        finite = math.isfinite(loss) and math.isfinite(norm)
        if finite:
            update(decoder, optimizer, lr, config.optimizer.clip, norm)
        optimizer.zero_grad()
        bad = 0 if finite else bad + 1
        progress = Progress(
            step=progress.step + 1,
            updates=progress.updates + finite,
            consumed_samples=consumed,
            first_loss=loss if finite and progress.first_loss is None else progress.first_loss,
            recent_losses=(*progress.recent_losses, loss)[-_RECENT:] if finite else progress.recent_losses,
        )
        ended = time.perf_counter()
        log.step(Step(
            step=progress.step, loss=loss, grad_norm=norm, lr=lr, tokens=config.step_tokens, seconds=ended - began,
            data_s=read - began, tokens_per_s=config.step_tokens / (ended - began),
            consumed_samples=consumed, skipped=not finite,
        ))  # fmt: skip
        if bad >= config.optimizer.max_bad_steps:
            raise TaskError(
                f"step {progress.step}: loss {loss} and gradient norm {norm}, not finite for {bad} steps in a row; "
                f"lower --lr, or look at the samples before {consumed} (the newest checkpoint is in {saved})"
            )
        if progress.step % config.save_every == 0 or progress.step == config.steps:
            now = State(state.identity, progress, {})
            log.checkpoint(checkpoint.save(saved, world, decoder, optimizer, now, config.keep))
    return progress
