"""The decoder against its definition, in fp64 on small shapes."""

import math
import zlib

import numpy as np
import pytest
import torch

from trainer.config import Model
from trainer.model import Decoder, initial, initialise, rotary, rotated

SHAPE = Model(layers=2, dim=16, heads=2, hidden=24)


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    decoder = Decoder(SHAPE, 50).double()
    initialise(decoder, SHAPE, seed=3)
    return decoder


def test_an_initial_value_depends_on_name_and_seed_alone(decoder: Decoder) -> None:
    deeper = Model(layers=5, dim=16, heads=2, hidden=24)
    name = "layers.1.feed.gate.weight"
    other = Decoder(deeper, 50).double()
    initialise(other, deeper, seed=3)
    assert torch.equal(dict(decoder.named_parameters())[name], dict(other.named_parameters())[name])
    drawn = initial(name, torch.Size((24, 16)), SHAPE, 3, torch.float32)
    assert not torch.equal(drawn, initial("layers.0.feed.gate.weight", drawn.shape, SHAPE, 3, torch.float32))
    assert not torch.equal(drawn, initial(name, drawn.shape, SHAPE, 4, torch.float32))
    generator = torch.Generator().manual_seed(zlib.crc32(b"3/" + name.encode()))
    assert torch.equal(drawn, torch.randn(24, 16, generator=generator) * 0.02)
    assert torch.equal(drawn.double(), initial(name, drawn.shape, SHAPE, 3, torch.float64))


def test_initial_spread() -> None:
    shape = torch.Size((200, 200))
    for name, std in (
        ("embedding.weight", 0.02),
        ("layers.0.attention.output.weight", 0.01),
        ("layers.1.feed.down.weight", 0.01),
    ):
        drawn = initial(name, shape, SHAPE, 1, torch.float32)
        # 40,000 draws: their standard deviation is known to 1 / sqrt(80000) = 0.35%.
        assert float(drawn.std()) == pytest.approx(std, rel=0.02)
    assert torch.equal(initial("layers.0.feed_norm.weight", torch.Size((4,)), SHAPE, 1, torch.float32), torch.ones(4))


def test_no_token_sees_a_later_one(decoder: Decoder) -> None:
    tokens = torch.arange(20).reshape(1, 20)
    changed = tokens.clone()
    changed[0, 12] = 49
    before, after = decoder(tokens), decoder(changed)
    assert torch.equal(before[:, :12], after[:, :12])
    assert not torch.allclose(before[:, 12:], after[:, 12:])


def test_rotation_is_a_complex_product_and_sees_distances_only() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(1, 1, 9, 8, dtype=torch.float64, generator=generator)
    angles = np.outer(np.arange(9), 10_000.0 ** (-np.arange(4) / 4))
    pairs = (x[0, 0, :, :4].numpy() + 1j * x[0, 0, :, 4:].numpy()) * np.exp(1j * angles)
    turns = rotary(9, SHAPE, torch.device("cpu"))
    assert np.allclose(rotated(x, turns)[0, 0].numpy(), np.hstack([pairs.real, pairs.imag]), rtol=0, atol=1e-14)
    query, key = torch.randn(2, 8, dtype=torch.float64, generator=generator)
    turned = [rotated(v.expand(1, 1, 9, 8), turns)[0, 0] for v in (query, key)]
    scores = turned[0] @ turned[1].T
    assert torch.allclose(scores.diagonal(2), scores[0, 2].expand(7))


def test_logits_against_the_formulas_in_numpy(decoder: Decoder) -> None:
    weights = {name: p.detach().numpy() for name, p in decoder.named_parameters()}
    tokens = np.array([3, 1, 4, 1, 5, 9, 2, 6])
    n = tokens.size

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        return x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-5) * weights[name]

    turn = np.exp(1j * np.outer(np.arange(n), 10_000.0 ** (-np.arange(4) / 4)))
    x = weights["embedding.weight"][tokens]
    for i in range(SHAPE.layers):
        h = norm(x, f"layers.{i}.attention_norm.weight")
        q, k, v = (h @ weights[f"layers.{i}.attention.{name}.weight"].T for name in ("query", "key", "value"))
        heads = []
        for at in (slice(0, 8), slice(8, 16)):
            first, second = slice(at.start, at.start + 4), slice(at.start + 4, at.stop)
            zq, zk = ((z[:, first] + 1j * z[:, second]) * turn for z in (q, k))
            scores = (zq @ zk.conj().T).real / math.sqrt(8)
            scores[np.triu_indices(n, 1)] = -np.inf
            shares = np.exp(scores - scores.max(1, keepdims=True))
            heads.append(shares / shares.sum(1, keepdims=True) @ v[:, at])
        x = x + np.hstack(heads) @ weights[f"layers.{i}.attention.output.weight"].T
        h = norm(x, f"layers.{i}.feed_norm.weight")
        gate, up = (h @ weights[f"layers.{i}.feed.{name}.weight"].T for name in ("gate", "up"))
        x = x + (gate / (1 + np.exp(-gate)) * up) @ weights[f"layers.{i}.feed.down.weight"].T
    logits = norm(x, "norm.weight") @ weights["head.weight"].T
    ours = decoder(torch.from_numpy(tokens)[None])[0].detach().numpy()
    assert np.allclose(ours, logits, rtol=0, atol=1e-12)
