"""`python -m trainer DIR ...`: the entry for torchrun, and the only place where training options are spelled."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from corpus.errors import CorpusError
from trainer.config import PRESETS, preset
from trainer.launch import train


def parser(prog: str) -> argparse.ArgumentParser:
    """Options of `prog`. What is not given is None and left to the preset."""
    options = argparse.ArgumentParser(prog, description="Train a language model on a finished build.")
    options.add_argument("directory", type=Path, metavar="DIR", help="build directory, made by `corpus build`")
    options.add_argument("--preset", choices=PRESETS, default="tiny", help="shape and schedule (default: tiny)")
    options.add_argument("--dp", type=int, help="data-parallel processes on this machine (default: 1)")
    options.add_argument("--steps", type=int, help="optimizer steps in all")
    options.add_argument("--out", help="where logs and checkpoints go (default: DIR.train/PRESET)")
    options.add_argument("--sequence", type=int, help="tokens that the model sees at once")
    options.add_argument("--batch", type=int, help="sequences per step, over all processes")
    options.add_argument("--micro-batch", type=int, help="sequences per forward pass of one process")
    options.add_argument("--lr", type=float, help="peak learning rate")
    options.add_argument("--warmup-tokens", type=int, help="tokens until the peak")
    options.add_argument("--decay-tokens", type=int, help="tokens until the end of the cosine (default: all steps)")
    options.add_argument("--seed", type=int, help="of weights and order (default: the build's)")
    options.add_argument("--save-every", type=int, help="steps between checkpoints")
    options.add_argument("--keep", type=int, help="newest checkpoints that are kept")
    options.add_argument("--device", choices=("auto", "cpu", "cuda"), help="default: the GPU where there is one")
    options.add_argument("--precision", choices=("fp32", "bf16", "fp64"), help="of the forward and backward pass")
    options.add_argument("--trust", action="store_true", default=None, help="do not re-hash the shards")
    return options


def main(arguments: Sequence[str] | None = None, prog: str = "python -m trainer") -> int:
    """Parse, train, and return the exit status: 0, that of the CorpusError that was printed, or 130 after
    a Ctrl-C."""
    given = vars(parser(prog).parse_args(arguments))
    directory, name = given.pop("directory"), given.pop("preset")
    try:
        train(directory, preset(name, **given))
    except CorpusError as error:
        if os.environ.get("RANK", "0") == "0":  # under torchrun all processes raise it
            print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the newest checkpoint", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Under torchrun this process has had gloo's threads, which may still be freeing the tensors of the last collective
    # and abort the process when the interpreter is torn down around them (seen in 1 of 6 runs on torch 2.13).
    os._exit(status)
