"""The decoder: RMSNorm, rotary positions, SwiGLU, an untied head. No dropout, no biases.

Shapes: B sequences, L tokens, D width, H heads, E = D / H (in rotary tables: half of it), V vocabulary.

Layers are keyed by their number in the whole model, so a parameter's name says nothing about how the model is cut
over processes; and the initial value of a parameter is a function of its name and the seed, so neither does that.
"""

import math
import zlib

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn import functional

from trainer.config import Model


class RMSNorm(nn.Module):
    """Divide by the root mean square over D, times a learned gain (Zhang and Sennrich 2019)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(dim))

    def forward(self, x_BLD: Tensor) -> Tensor:
        return functional.rms_norm(x_BLD, (x_BLD.shape[-1],), self.weight, eps=1e-5)


class Attention(nn.Module):
    """Causal self-attention with rotary positions."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.heads = model.heads
        self.query, self.key, self.value, self.output = (nn.Linear(model.dim, model.dim, bias=False) for _ in range(4))

    def forward(self, x_BLD: Tensor, turns_2LE: Tensor) -> Tensor:
        q_BHLE, k_BHLE, v_BHLE = (
            # The number of heads is read off the projection, which may be narrower than the model.
            project(x_BLD).unflatten(-1, (-1, x_BLD.shape[-1] // self.heads)).transpose(1, 2)
            for project in (self.query, self.key, self.value)
        )
        mixed_BHLE = functional.scaled_dot_product_attention(
            rotated(q_BHLE, turns_2LE), rotated(k_BHLE, turns_2LE), v_BHLE, is_causal=True
        )
        added_BLD: Tensor = self.output(mixed_BHLE.transpose(1, 2).flatten(2))
        return added_BLD


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)) (Shazeer 2020)."""

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.gate = nn.Linear(model.dim, model.hidden, bias=False)
        self.up = nn.Linear(model.dim, model.hidden, bias=False)
        self.down = nn.Linear(model.hidden, model.dim, bias=False)

    def forward(self, x_BLD: Tensor) -> Tensor:
        added_BLD: Tensor = self.down(functional.silu(self.gate(x_BLD)) * self.up(x_BLD))
        return added_BLD


class Block(nn.Module):
    def __init__(self, model: Model) -> None:
        super().__init__()
        self.attention_norm = RMSNorm(model.dim)
        self.attention = Attention(model)
        self.feed_norm = RMSNorm(model.dim)
        self.feed = SwiGLU(model)

    def forward(self, x_BLD: Tensor, turns_2LE: Tensor) -> Tensor:
        x_BLD = x_BLD + self.attention(self.attention_norm(x_BLD), turns_2LE)
        x_BLD = x_BLD + self.feed(self.feed_norm(x_BLD))
        return x_BLD


class Decoder(nn.Module):
    """int64[B, L] tokens -> [B, L, V] logits of the token that follows each."""

    def __init__(self, model: Model, vocab_size: int) -> None:
        super().__init__()
        self.model = model
        self.embedding = nn.Embedding(vocab_size, model.dim)
        self.layers = nn.ModuleDict({str(i): Block(model) for i in range(model.layers)})
        self.norm = RMSNorm(model.dim)
        self.head = nn.Linear(model.dim, vocab_size, bias=False)

    def forward(self, tokens_BL: Tensor) -> Tensor:
        turns_2LE = rotary(tokens_BL.shape[1], self.model, tokens_BL.device)
        x_BLD = self.embedding(tokens_BL)
        for block in self.layers.values():
            x_BLD = block(x_BLD, turns_2LE)
        logits_BLV: Tensor = self.head(self.norm(x_BLD))
        return logits_BLV


def rotary(length: int, model: Model, device: torch.device) -> Tensor:
    """Cosine and sine of the angle by which each pair of channels turns at each position: float64[2, L, E/2]
    (Su et al. 2021, section 3.2.2). Angles grow with the position, so they are not taken in the model's precision."""
    width = model.dim // model.heads
    pairs = torch.arange(0, width, 2, dtype=torch.float64, device=device)
    positions = torch.arange(length, dtype=torch.float64, device=device)
    angles_LE = torch.outer(positions, model.rope_base ** (-pairs / width))
    return torch.stack((angles_LE.cos(), angles_LE.sin()))


def rotated(x_BHLE: Tensor, turns_2LE: Tensor) -> Tensor:
    """Turn channel pairs (i, i + E/2) by their angles."""
    cos_LE, sin_LE = turns_2LE.to(x_BHLE.dtype)
    first, second = x_BHLE.chunk(2, dim=-1)
    return torch.cat((first * cos_LE - second * sin_LE, first * sin_LE + second * cos_LE), dim=-1)


def initial(name: str, shape: torch.Size, model: Model, seed: int, dtype: torch.dtype) -> Tensor:
    """The first value of parameter `name`, whole, on the CPU. Drawn in fp32 whatever `dtype` is, so that an fp64 run
    starts where an fp32 run does."""
    if name.endswith("norm.weight"):
        return torch.ones(shape, dtype=dtype)
    std = model.init_std
    if name.endswith(("attention.output.weight", "feed.down.weight")):
        std /= math.sqrt(2 * model.layers)
    # 32 bits are all that torch's generator for the CPU takes from a seed.
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed}/{name}".encode()))
    return torch.empty(shape).normal_(0.0, std, generator=generator).to(dtype)


@torch.no_grad()
def initialise(decoder: nn.Module, model: Model, seed: int) -> None:
    """Fill every parameter, whole or sharded, without communication. One parameter at a time is held whole."""
    for name, parameter in decoder.named_parameters():
        value = initial(name, parameter.shape, model, seed, parameter.dtype)
        if isinstance(parameter, DTensor):
            mesh, placements = parameter.device_mesh, parameter.placements
            value = distribute_tensor(value.to(parameter.device), mesh, placements, src_data_rank=None)
        parameter.copy_(value)
