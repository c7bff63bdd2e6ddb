"""The processes that train together, as a value: nothing here is global but what torch itself keeps.

Collectives run on gloo for the CPU and NCCL for the GPU; on a GPU both exist, because checkpoints are gathered on the
CPU.
"""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeVar

import torch
import torch.distributed as dist
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh

from corpus.errors import CorpusError, RecipeError
from trainer.job import Failure, Seat

# How long a process waits for the others in a collective: longer than hashing one's share of a large build takes.
_TIMEOUT = timedelta(hours=1)
Result = TypeVar("Result")


@dataclass(frozen=True)
class World:
    """This process among the others. `mesh` has one dimension, "dp"."""

    seat: Seat
    device: torch.device
    mesh: DeviceMesh

    @property
    def leads(self) -> bool:
        return self.seat.rank == 0

    @property
    def dp(self) -> int:
        return self.mesh.size()

    def sum(self, value: torch.Tensor) -> torch.Tensor:
        """The sum of `value` over data-parallel processes, in place."""
        dist.all_reduce(value, group=self.mesh.get_group("dp"))
        return value

    def gather(self, value: Any) -> list[Any]:
        """Every process's value, in order of rank."""
        values: list[Any] = [None] * self.seat.size
        dist.all_gather_object(values, value)
        return values

    def together(self, work: Callable[[], Result]) -> Result:
        """Do `work` everywhere. If it raised a CorpusError anywhere, it is raised everywhere: no process is left
        waiting for one that has given up."""
        error = None
        try:
            result = work()
        except CorpusError as raised:
            error = raised
        for failure in self.gather(None if error is None else Failure.of(error)):
            if failure is not None:
                raise failure.error() from error
        return result


@contextmanager
def joined(seat: Seat, device: Literal["auto", "cpu", "cuda"]) -> Iterator[World]:
    """Meet the other processes; leave them when the block ends."""
    cuda = device == "cuda" or (device == "auto" and torch.cuda.is_available())
    if cuda:
        if not torch.cuda.is_available():
            raise RecipeError("--device cuda: torch sees no GPU here; expected one, or --device cpu")
        if torch.cuda.device_count() < seat.local_size:
            raise RecipeError(
                f"--dp: {seat.local_size} processes on this machine, but torch sees {torch.cuda.device_count()} GPUs"
            )
        torch.cuda.set_device(seat.local_rank)
    elif "OMP_NUM_THREADS" not in os.environ:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        torch.set_num_threads(max(1, cores // seat.local_size))
    arguments: dict[str, Any] = {"backend": "cpu:gloo,cuda:nccl" if cuda else "gloo", "timeout": _TIMEOUT}
    if seat.store is not None:
        arguments |= {"store": dist.FileStore(seat.store, seat.size), "rank": seat.rank, "world_size": seat.size}
    elif seat.size == 1:
        arguments |= {"store": dist.HashStore(), "rank": 0, "world_size": 1}
    if "store" in arguments:  # all on this machine: talk over loopback, listen on nothing else
        loopback = [name for _, name in socket.if_nameindex() if name.startswith("lo")]
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback[0])
    dist.init_process_group(**arguments)
    try:
        kind = "cuda" if cuda else "cpu"
        mesh = init_device_mesh(kind, (seat.size,), mesh_dim_names=("dp",))
        yield World(seat, torch.device(kind, seat.local_rank) if cuda else torch.device("cpu"), mesh)
    finally:
        dist.destroy_process_group()
