"""The shipped recipes say what was published, and run on the project's own sample."""

import tomllib
from pathlib import Path

import msgspec
import numpy as np
import pytest
from typer.testing import CliRunner

import sampledata
import stages
from corpus import classes, recipe
from corpus.cli import app

ROOT = Path(__file__).parent.parent
MANIFESTS = ROOT / "manifests"


def test_the_blend_of_mt_nlg_is_that_of_table_2() -> None:
    plan = recipe.load(MANIFESTS / "mt-nlg.toml", stages.Stage, stages.Reader)
    assert len(plan.sources) == len(plan.mixture.values) == 15
    assert plan.mixture.unit == "weights"
    assert sum(round(value * 100_000) for value in plan.mixture.values.values()) == 100_000
    assert plan.mixture.values["openwebtext2"] == 0.19336
    text = (MANIFESTS / "mt-nlg.toml").read_text()
    for line in text[text.index("[mixture]") :].splitlines()[3:]:  # epochs in the comments follow from the weights
        name, rest = line.split(" = ")
        weight, comment = rest.split("#")
        epochs, tokens = float(comment.split()[0]), float(comment.split("of ")[1].split("B")[0])
        assert float(weight) * plan.mixture.pass_tokens / 1e9 / tokens == pytest.approx(epochs, abs=0.05), name
    assert "http" not in text  # no address, of withdrawn sets or others


@pytest.mark.parametrize("path", sorted(MANIFESTS.glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_manifest_loads(path: Path) -> None:
    plan = recipe.load(path, stages.Stage, stages.Reader)
    assert plan.stages
    assert all(source.licence for source in plan.sources)


@pytest.mark.parametrize("path", sorted((MANIFESTS / "classes").glob("*.toml")), ids=lambda p: p.stem)
def test_every_shipped_classifier_loads(path: Path) -> None:
    classes.load(path, stages.Reader, {})
    model = tomllib.loads((MANIFESTS / path.name).read_text())
    (quality,) = [stage for stage in model["stage"] if stage["kind"] == "quality"]
    assert f"--out {quality['model'].removesuffix('/model.bin')}\n" in path.read_text()


def test_the_filters_of_yuan_are_two() -> None:
    plan = recipe.load(MANIFESTS / "yuan.toml", stages.Stage, stages.Reader)
    labels = [stage.label for stage in plan.stages]
    assert labels.index("coarse") < labels.index("quality") < labels.index("fine") < labels.index("dedup")
    (quality,) = [stage for stage in plan.stages if isinstance(stage, stages.Quality)]
    assert quality.classes == ("high", "low", "advertisement")
    assert plan.training.vocab_size // 1000 == 53


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recipes")
    sampledata.generate(folder / "build" / "sample", 1, 0.05)
    sampledata.recipes(folder / "build" / "sample", 1)
    return folder


def run(*words: str | Path) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mt-nlg", "yuan"])
def test_a_recipe_runs_on_the_sample(name: str, sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As its first lines say, with the sample's folder for a root."""
    monkeypatch.setenv("CORPUS_ASSETS", str(sample))
    root, out = sample / "build" / "sample" / name, sample / "build" / name
    model = sample / "build" / f"{name}-quality"
    run("classifier", "train", MANIFESTS / "classes" / f"{name}.toml", "--out", model, "--root", root)
    run("build", MANIFESTS / f"{name}.toml", "--local", "--root", root, "--out", out)
    run("verify", out)
    manifest = msgspec.json.decode((out / "manifest.json").read_bytes())
    mixed = msgspec.json.decode((out / "mixture.json").read_bytes())
    assert all(row["documents"] for row in mixed["sources"])
    assert all(row["licence"] for row in mixed["sources"])
    dropped = {code for s in manifest["sources"] for flow in s["funnel"] for code in flow["dropped"]}
    if name == "mt-nlg":
        weights = [row["weight"] for row in mixed["sources"]]
        said = [manifest["mixture"]["values"][row["source"]] for row in mixed["sources"]]
        assert np.allclose(weights, said, atol=1e-12)
        assert {"language", "mt-nlg.min_chars", "pareto.quality_high"} <= dropped
        assert manifest["exchanges"]["contamination"]["documents_cut"] >= sampledata.ITEMS
        assert manifest["heldout"]["documents"] > 0
    else:
        assert {
            "language",
            "yuan-coarse.min_chars",
            "yuan-crawl.min_han_share",
            "yuan-fine.min_quality_high",
        } <= dropped
