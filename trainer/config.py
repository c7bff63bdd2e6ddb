"""What to train: frozen structs, and named presets.

Lengths are in tokens, batches in sequences. A value that decides which tokens are seen in which order (`sequence`,
`seed`) or the shape of the weights (`Model`) is fixed for the life of a checkpoint; the rest may change on resume.
"""

from pathlib import Path
from typing import Any, Literal

import msgspec

from corpus.errors import RecipeError


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Shape of the decoder; the vocabulary comes from the build.

    layers    number of blocks
    dim       width of the residual stream
    heads     attention heads, each of dim / heads
    hidden    inner width of the SwiGLU layer
    rope_base    base of the rotary frequencies (RoFormer, section 3.4)
    init_std     standard deviation of initial weights; those that write to the residual stream get
                 init_std / sqrt(2 layers) (GPT-2, section 2.3)
    """

    layers: int
    dim: int
    heads: int
    hidden: int
    rope_base: float = 10_000.0
    init_std: float = 0.02


class Optimizer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """AdamW and its schedule: linear warm-up, then a cosine down to `final_ratio` times the peak.

    warmup_tokens   tokens until the peak
    decay_tokens    tokens until the end of the cosine; None: those of all `steps`
    clip            largest global gradient norm
    max_bad_steps   how many non-finite steps in a row are skipped before the run is given up
    """

    lr: float
    final_ratio: float = 0.1
    warmup_tokens: int
    decay_tokens: int | None = None
    beta1: float = 0.9
    beta2: float = 0.95
    eps: float = 1e-8
    weight_decay: float = 0.1
    clip: float = 1.0
    max_bad_steps: int = 10


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One training run.

    sequence     tokens that the model sees at once
    batch        sequences per optimizer step, over all processes
    micro_batch  sequences per forward pass of one process
    steps        optimizer steps in all, counted from the first run
    dp           data-parallel processes; None: one, or as many as torchrun started
    device       auto: the GPU where there is one
    precision    bf16 keeps weights, gradients and optimizer state in fp32
    seed         None: that of the build
    save_every   steps between checkpoints (there is always one at the end)
    keep         newest checkpoints that are kept
    out          where logs and checkpoints go; None: beside the build, see `output`
    trust        skip re-hashing the shards; sizes and the manifest's digest are checked always
    """

    preset: str
    model: Model
    optimizer: Optimizer
    sequence: int
    batch: int
    micro_batch: int
    steps: int
    dp: int | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["fp32", "bf16", "fp64"] = "fp32"
    seed: int | None = None
    save_every: int = 200
    keep: int = 2
    out: str | None = None
    trust: bool = False

    @property
    def step_tokens(self) -> int:
        return self.batch * self.sequence

    @property
    def decay_tokens(self) -> int:
        return self.optimizer.decay_tokens or self.steps * self.step_tokens

    def output(self, directory: Path) -> Path:
        """Where this run writes: `out`, or DIR.train/PRESET. Never inside the build, which is sealed."""
        return Path(self.out) if self.out else directory.with_name(f"{directory.resolve().name}.train") / self.preset


PRESETS = {
    # For a first look on a laptop's CPU: learns visibly within a minute. About 1M parameters at a vocabulary of 6,000.
    "tiny": Config(
        preset="tiny",
        model=Model(layers=4, dim=64, heads=4, hidden=176),
        optimizer=Optimizer(lr=1e-2, warmup_tokens=10_240),
        sequence=256,
        batch=8,
        micro_batch=4,
        steps=60,
    ),
    # Shape and batch (0.5M tokens) of GPT-3 125M (Brown et al. 2020, table 2.1), with SwiGLU.
    "small-125m": Config(
        preset="small-125m",
        model=Model(layers=12, dim=768, heads=12, hidden=2048),
        optimizer=Optimizer(lr=6e-4, warmup_tokens=100_000_000),
        sequence=2048,
        batch=256,
        micro_batch=8,
        steps=5_000,
        precision="bf16",
        save_every=500,
    ),
}


def preset(name: str, **overrides: Any) -> Config:
    """A preset with some fields replaced; a value of None leaves the field as it is. `lr` and `warmup_tokens` reach
    into the optimizer. RecipeError names the option and what it may be."""
    if name not in PRESETS:
        raise RecipeError(f"--preset {name}: expected one of {', '.join(PRESETS)}")
    chosen = PRESETS[name]
    given = {key: value for key, value in overrides.items() if value is not None}
    for_optimizer = {key: given.pop(key) for key in ("lr", "warmup_tokens", "decay_tokens") if key in given}
    config = msgspec.structs.replace(
        chosen, **given, optimizer=msgspec.structs.replace(chosen.optimizer, **for_optimizer)
    )
    return checked(config)


def checked(config: Config) -> Config:
    """The same configuration, or RecipeError. Types are re-read through msgspec, so a caller may pass any mapping."""
    try:
        config = msgspec.convert(msgspec.to_builtins(config), Config)
    except msgspec.ValidationError as error:
        raise RecipeError(f"training configuration: {error}") from error
    for name in ("sequence", "batch", "micro_batch", "steps", "save_every", "keep"):
        if getattr(config, name) < 1:
            raise RecipeError(f"--{name.replace('_', '-')} {getattr(config, name)}: expected 1 or more")
    if config.optimizer.lr <= 0:
        raise RecipeError(f"--lr {config.optimizer.lr}: expected a positive number")
    if config.model.dim % (2 * config.model.heads):
        raise RecipeError(
            f"model: dim {config.model.dim} over {config.model.heads} heads; rotary positions need an even width each"
        )
    if config.dp is not None:
        share(config, config.dp)
    return config


def share(config: Config, dp: int) -> int:
    """Sequences of a global batch that each of `dp` processes takes; RecipeError when they do not come out even."""
    if dp < 1:
        raise RecipeError(f"--dp {dp}: expected 1 or more")
    if config.batch % dp:
        raise RecipeError(f"--batch {config.batch} does not divide by --dp {dp}: choose a multiple of {dp}")
    return config.batch // dp
