"""What passes between the processes of a run. Needs no torch, so that whoever starts a run does not either."""

import os

import msgspec

from corpus.errors import CorpusError, InputError, LawError, RecipeError, StoreError, TaskError, VerifyError
from trainer.config import Config, share

_ERRORS = {
    kind.__name__: kind for kind in (CorpusError, InputError, LawError, RecipeError, StoreError, TaskError, VerifyError)
}


class Seat(msgspec.Struct, frozen=True):
    """Which of the processes this one is: rank of size in all, local_rank of local_size on this machine. `store` is a
    file through which the processes of one machine find each other; None: torchrun's environment says how, or there is
    only this one."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    store: str | None = None


def from_torchrun(config: Config) -> Seat | None:
    """The seat that torchrun gave this process; None when it did not start it. RecipeError when `dp` disagrees."""
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    rank, size, local_rank, local_size = (
        int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    )
    seat = Seat(rank, size, local_rank, local_size)
    if config.dp not in (None, seat.size):
        raise RecipeError(f"--dp {config.dp}, but torchrun started {seat.size} processes; leave --dp out")
    share(config, seat.size)
    return seat


class Job(msgspec.Struct, frozen=True):
    """Work for `processes` processes on this machine."""

    directory: str
    config: Config
    processes: int


class Summary(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="summary"):
    """How a run ended. Losses and entropy in nats per token.

    last_loss         mean of the last steps, at most 5; None if no step was finite
    unigram_entropy   of the training mixture, counted on `counted_tokens` of its tokens
    learned           whether last_loss fell below unigram_entropy: then the model uses context
    tokens_per_s      of this run, without its first step; None when it took fewer than two
    """

    out: str
    step: int
    first_loss: float | None
    last_loss: float | None
    unigram_entropy: float
    counted_tokens: int
    learned: bool
    tokens_per_s: float | None
    seconds: float


class Failure(msgspec.Struct, frozen=True, tag_field="event", tag="failure"):
    """A CorpusError on its way between processes: name of its class, and its message."""

    kind: str
    message: str

    @classmethod
    def of(cls, error: CorpusError) -> "Failure":
        return cls(type(error).__name__, str(error))

    def error(self) -> CorpusError:
        return _ERRORS[self.kind](self.message)


Outcome = Summary | Failure
