"""The table of the mixture: exact, sealed, checked, and loud where a source is repeated too often."""

import hashlib
import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import sealed
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

import stages
from corpus import mixing, recipe, screen, tables
from corpus.build import Builder
from corpus.document_order import DocumentOrder
from corpus.drive import compile_corpus, log_run
from corpus.errors import RecipeError
from corpus.graph import Graph
from corpus.local import Local
from corpus.mixture import Held, Mixed, Mixture, settled
from corpus.opened import Build
from corpus.progress import Progress
from corpus.store import Blobs
from corpus.verify import verify
from trainer.manifest import open_build


def held(**tokens: int) -> list[Held]:
    return [Held(name, "CC0-1.0", count // 10, count, 2 * count) for name, count in tokens.items()]


def test_epochs_are_as_said_and_one_where_nothing_is_said() -> None:
    table = settled(Mixture("epochs", {"a": 1.5, "b": 0.0}), held(a=1000, b=300, c=500))
    assert [row.epochs for row in table.sources] == [1.5, 0.0, 1.0]
    assert [row.pass_tokens for row in table.sources] == [1500, 0, 500]
    assert [row.weight for row in table.sources] == [0.75, 0.0, 0.25]
    assert table.warnings == []
    assert table.epochs == {"a": 1.5, "b": 0.0, "c": 1.0}


@given(
    st.lists(st.integers(1, 10**12), min_size=1, max_size=15),
    st.lists(st.floats(0.001, 1), min_size=15, max_size=15),
    st.sampled_from([0, 270_000_000_000]),
)
def test_weights_are_shares_of_a_pass(tokens: list[int], weights: list[float], pass_tokens: int) -> None:
    there = held(**{f"s{n}": count for n, count in enumerate(tokens)})
    values = {one.source: weight for one, weight in zip(there, weights, strict=False)}
    table = settled(Mixture("weights", values, pass_tokens), there)
    length, total = pass_tokens or sum(tokens), sum(map(Fraction, values.values()))
    for row in table.sources:
        exact = Fraction(values[row.source]) * length / total
        assert row.pass_tokens == round(exact)
        assert row.epochs == float(exact / row.tokens)
        assert row.weight == float(Fraction(values[row.source]) / total)
    assert abs(sum(row.pass_tokens for row in table.sources) - length) <= len(tokens)


def test_clusters_count_in_the_length_of_a_pass() -> None:
    table = settled(Mixture("weights", {"a": 1, "b": 1}, 0, True), held(a=1000, b=3000))
    assert [row.epochs for row in table.sources] == [1.0, 2000 / 6000]
    assert [row.pass_tokens for row in table.sources] == [2000, 2000]
    assert [row.repeated for row in table.sources] == [2.0, 2000 / 3000]


def test_more_than_four_epochs_and_nothing_to_read_are_said() -> None:
    table = settled(Mixture("epochs", {"a": 4.0, "b": 4.01, "c": 2.0}), held(a=100, b=100, c=0))
    assert len(table.warnings) == 2
    assert "a pass repeats `b` 4.0 times; beyond 4 epochs" in table.warnings[0]
    assert "Muennighoff et al. 2023" in table.warnings[0]
    assert table.warnings[1].startswith("mixture: c: asked for, but there is nothing to read")
    weights = settled(Mixture("weights", {"a": 1, "b": 1, "c": 2}), held(a=100, b=300, c=0))
    assert weights.unmet == ["c"]
    assert [row.weight for row in weights.sources] == [0.5, 0.5, 0.0]
    with pytest.raises(RecipeError, match="no source that has a weight has anything to read"):
        settled(Mixture("weights", {"a": 0, "c": 2}), held(a=100, c=0))
    with pytest.raises(RecipeError, match="no weight for b"):
        settled(Mixture("weights", {"a": 1}), held(a=100, b=100))


MANIFEST = """name = "m"
[[source]]
name = "a"
format = "jsonl"
files = ["a.jsonl"]
licence = "CC-BY-4.0"
[[source]]
name = "b"
format = "jsonl"
files = ["b.jsonl"]
[[stage]]
kind = "normalise"
[[stage]]
kind = "sign"
[[stage]]
kind = "dedup"
[[stage]]
kind = "encode"
tokenizer = "tokenizers/zh-en-16k"
[[stage]]
kind = "pack"
shard_tokens = 2000
"""


@pytest.mark.parametrize(
    ("mixture", "message"),
    [
        ('unit = "weights"\na = 1', r"\$\.mixture: no weight for b\. Give every source one"),
        ("a = inf", r"\$\.mixture\.a: got inf\. Expected a number, 0 or more"),
        ("a = -1", r"\$\.mixture\.a: got -1"),
        ("by_cluster = 1", r"\$\.mixture\.by_cluster: got 1\. Expected true or false"),
        ("pass_tokens = 1000", r"\$\.mixture\.pass_tokens: epochs say how long a pass is"),
        ('unit = "weights"\npass_tokens = 0.5\na = 1\nb = 1', r"\$\.mixture\.pass_tokens: got 0\.5"),
    ],
)
def test_a_mixture_that_makes_no_sense(tmp_path: Path, mixture: str, message: str) -> None:
    path = tmp_path / "m.toml"
    path.write_text(f"{MANIFEST}[mixture]\n{mixture}\n")
    with pytest.raises(RecipeError, match=message):
        recipe.load(path, stages.Stage, stages.Reader)


def build(folder: Path, mixture: str) -> tuple[Builder, Mixed, dict[str, Any]]:
    words = [[f"word{d * n % 997}" for n in range(1, 121)] for d in range(2, 44)]
    texts = {"a": [" ".join(one) for one in words[:30]], "b": [" ".join(one) for one in words[30:]]}
    texts["b"] += [" ".join([*words[30][:n], "edited", *words[30][n + 1 :]]) for n in range(6)]  # a cluster of seven
    for name, own in texts.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps({"text": one}) + "\n" for one in own))
    (folder / "m.toml").write_text(f"{MANIFEST}[mixture]\n{mixture}\n")
    plan = recipe.load(folder / "m.toml", stages.Stage, stages.Reader)
    out = Blobs(str(folder / "out"))
    builder = Builder(Graph(plan, Blobs(str(folder / "store"))), Local(), Progress(quiet=True))
    outcome = compile_corpus(builder, out)
    log_run(out, builder, outcome, 0.0, {})
    assert outcome.mixed is not None
    assert outcome.manifest is not None
    return builder, outcome.mixed, outcome.manifest


def test_the_table_is_sealed_and_what_the_trainer_reads(tmp_path: Path) -> None:
    _, mixed, manifest = build(tmp_path, 'unit = "weights"\na = 0.5\nb = 0.5')
    data = (tmp_path / "out" / "mixture.json").read_bytes()
    assert manifest["mixture"]["table"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert mixing.read(Blobs(str(tmp_path / "out")), manifest) == mixed == msgspec.json.decode(data, type=Mixed)
    assert [row.licence for row in mixed.sources] == ["CC-BY-4.0", ""]
    assert sum(row.documents for row in mixed.sources) == sum(s["documents"] for s in manifest["shards"]) == 42
    assert open_build(tmp_path / "out").mixture.epochs == {row.source: row.epochs for row in mixed.sources}
    assert mixed.sources[1].epochs > 1 > mixed.sources[0].epochs
    console = Console(width=200)
    with console.capture() as captured:
        screen.print_mixture(console, mixed)
    assert "mixture, by weights" in captured.get()
    assert "CC-BY-4.0" in captured.get()


def test_another_mixture_packs_nothing_again(tmp_path: Path) -> None:
    build(tmp_path, "a = 1.0")
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "tokens").iterdir()}
    builder, mixed, _ = build(tmp_path, "a = 9.0")
    assert builder.costs.steps == 0
    assert before == {p: p.stat().st_mtime_ns for p in (tmp_path / "out" / "tokens").iterdir()}
    assert [w for w in mixed.warnings if "a pass repeats `a` 9.0 times" in w]


def test_clusters_come_from_dedup_by_way_of_the_shards(tmp_path: Path) -> None:
    _, mixed, _ = build(tmp_path, "by_cluster = true\na = 0.0")
    out = Blobs(str(tmp_path / "out"))
    opened = Build(out, Blobs(str(tmp_path / "store")))
    sizes = {
        s.docs.path: tables.read(out.get(s.docs.path))["cluster_size"].to_pylist()
        for s in opened.shards
        if s.source == "b"
    }
    assert sorted(size for own in sizes.values() for size in own) == [1] * 11 + [7]
    order = DocumentOrder(out, mixed, opened.shards, opened.seed)
    documents = np.concatenate(list(order))
    assert order.documents == len(documents) == 11 + 5  # FineWeb2: five times
    assert mixed.sources[1].pass_tokens == sum(
        tables.read(out.get(order.shards[shard].docs.path))["tokens"][document].as_py()
        for shard, document in documents[["shard", "document"]].tolist()
    )
    assert verify(out, opened.store).ok
    with pytest.raises(RecipeError, match="counts documents by their clusters, which this trainer does not"):
        open_build(tmp_path / "out")
    assert "cluster_size" not in tables.read(_first_side_table(tmp_path)).column_names


def _first_side_table(folder: Path) -> bytes:
    """Of the same build with a mixture that does not ask for clusters."""
    _, _, manifest = build(folder, "a = 0.0")
    return (folder / "out" / manifest["shards"][0]["docs"]["path"]).read_bytes()


def test_verify_compares_the_table_with_manifest_and_shards(tmp_path: Path) -> None:
    sealed.build(sealed.prepare(tmp_path))
    out = tmp_path / "out"
    assert verify(Blobs(str(out)), Blobs(str(tmp_path / "store"))).ok

    def wrong(change: Any) -> list[str]:
        shutil.copytree(out, tmp_path / "other")
        table = msgspec.json.decode((out / "mixture.json").read_bytes())
        change(table)
        data = msgspec.json.encode(table)
        (tmp_path / "other" / "mixture.json").write_bytes(data)
        manifest = msgspec.json.decode((out / "manifest.json").read_bytes())
        manifest["mixture"]["table"] |= {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        whole = msgspec.json.encode(manifest)
        (tmp_path / "other" / "manifest.json").write_bytes(whole)
        (tmp_path / "other" / "manifest.sha256").write_text(hashlib.sha256(whole).hexdigest() + "\n")
        found = verify(Blobs(str(tmp_path / "other")), Blobs(str(tmp_path / "store"))).wrong
        shutil.rmtree(tmp_path / "other")
        return [finding.problem for finding in found if finding.file == "mixture.json"]

    assert wrong(lambda table: None) == []
    assert "its shards have" in wrong(lambda table: table["sources"][0].update(tokens=7))[0]
    assert "is not what follows" in wrong(lambda table: table["sources"][1].update(epochs=2.0))[0]
