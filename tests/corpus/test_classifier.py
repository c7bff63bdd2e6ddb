"""`corpus classifier train`: the same documents give the same model, nothing is measured that was learned from, and
what is wrong is said in one message."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import stages
from corpus import classes, classifier, scored
from corpus.cli import app
from corpus.errors import InputError, RecipeError
from corpus.examples import gather

STAGE = stages.Quality(model="")
NAMES = [f"{'bdfgklmnp'[n // 10]}{'aeiouaeiou'[n % 10]}{'rstvwxzhjq'[n % 10]}" for n in range(90)]  # numbers are alike
HIGH = [f"清晨的港口很安静，名叫{name}的船沿着堤岸停下。The harbour of {name} was quiet." for name in NAMES]
LOW = [f"首页 关于我们 联系我们 {name} 下一页\nHome Login {name}" for name in NAMES]
MANIFEST = """
name = "zh-quality"
seed = 3
good = "high"
held_out_share = 0.3
[[source]]
name = "good"
class = "high"
format = "jsonl"
files = ["good*.jsonl"]
[[source]]
name = "bad"
class = "low"
format = "jsonl"
files = ["bad*.jsonl.gz"]
[model]
buckets = 4096
epochs = 3
"""


def lines(texts: list[str]) -> bytes:
    return "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "good.jsonl").write_bytes(lines(HIGH))
    (tmp_path / "bad.jsonl.gz").write_bytes(gzip.compress(lines(LOW), mtime=0))
    (tmp_path / "m.toml").write_text(MANIFEST, encoding="utf-8")
    return tmp_path


def gathered(folder: Path) -> Any:
    return gather(classes.load(folder / "m.toml", stages.Reader), STAGE.tokens)


def train(folder: Path, out: str = "out") -> dict[str, Any]:
    asked = classes.load(folder / "m.toml", stages.Reader)
    return classifier.train(asked, STAGE.tokens, {"stage": "quality"}, folder / out)


def change(folder: Path, old: str, new: str) -> None:
    assert old in MANIFEST
    (folder / "m.toml").write_text(MANIFEST.replace(old, new), encoding="utf-8")


def test_the_same_documents_give_the_same_model(folder: Path) -> None:
    first = train(folder)
    assert train(folder, "again") == first
    for name in ("model.bin", "card.json", "card.md"):
        assert (folder / "out" / name).read_bytes() == (folder / "again" / name).read_bytes()
    (folder / "good.jsonl").unlink()
    (folder / "good-2.jsonl").write_bytes(lines(HIGH[:40][::-1]))
    (folder / "good-1.jsonl").write_bytes(lines(HIGH[30:][::-1]))  # ten of them twice
    moved = train(folder, "moved")
    assert moved["sha256"] == first["sha256"]
    assert moved["held_out"] == first["held_out"]
    assert [one["equal"] for one in moved["sources"]] == [10, 0]
    change(folder, "seed = 3", "seed = 4")
    assert train(folder, "other")["sha256"] != first["sha256"]


def test_the_card_says_what_was_learned_and_how_well(folder: Path) -> None:
    card = train(folder)
    assert card == json.loads((folder / "out" / "card.json").read_text())
    for source in card["sources"]:
        assert source["documents"] == source["kept"] == source["learned"] + source["measured"] == 90
        assert 10 <= source["measured"] <= 45
        assert all(len(digest) == 64 for digest in source["files"].values())
    held = card["held_out"]
    assert held["auc_good"] == 1.0
    assert card["held_out_sources"] is None
    assert held["classes"]["high"]["auc"] == 1.0
    assert sum(row["documents"] for row in held["calibration"]["bins"]) == sum(s["measured"] for s in card["sources"])
    assert held["cutoff"]["lost"] <= 0.01
    assert held["cutoff"]["passed"] == {"low": 0.0}
    told = (folder / "out" / "card.md").read_text()
    assert card["sha256"] in told
    assert "| good | high | 90 | 90 |" in told
    model = stages.Quality(model="m", classes=("high", "low"))
    scores = model.scores(pa.array([HIGH[0], LOW[0]]), model.load({"m": folder / "out" / "model.bin"}))
    assert scores[0, 0] > 0.5 > scores[1, 0]


def test_nothing_is_measured_that_was_learned_from(folder: Path) -> None:
    """Texts that differ only in what the model does not see are one document, and of two classes none."""
    (folder / "good.jsonl").write_bytes(lines([*HIGH, *(text.upper() for text in HIGH), LOW[0]]))
    found = gathered(folder)
    assert found.in_two == 1
    assert found.taken["good"].equal == 90
    learned = {tokens for _, _, tokens in found.learned}
    measured = {one.tokens for some in found.measured.values() for one in some}
    assert not learned & measured
    assert len(learned) == len(found.learned)
    assert len(learned) + len(measured) == 90 + 89
    assert [key for key, _, _ in found.learned] == sorted(key for key, _, _ in found.learned)


def test_caps_and_weights(folder: Path) -> None:
    change(folder, 'files = ["good*.jsonl"]', 'files = ["good*.jsonl"]\nmax_documents = 60\nweight = 3')
    few = gathered(folder)
    assert few.taken["good"].kept == 60
    assert sum(of == "high" for _, of, _ in few.learned) == 3 * few.taken["good"].learned
    change(folder, "[model]", "[class.low]\nmax_documents = 50\n[model]")
    assert gathered(folder).taken["bad"].kept == 50
    change(folder, 'files = ["good*.jsonl"]', 'files = ["good*.jsonl"]\nmax_documents = 90')
    everything = gathered(folder)
    chosen = {tokens for _, of, tokens in few.learned if of == "high"}
    assert chosen < {tokens for _, of, tokens in everything.learned if of == "high"}


def test_a_source_held_out_is_measured_and_never_learned_from(folder: Path) -> None:
    pq.write_table(
        pa.table({"text": [*HIGH[:1], *(f"{text} 夜里下了雨。" for text in HIGH[:30])]}), folder / "rain.parquet"
    )
    more = '[[source]]\nname = "rain"\nclass = "high"\nformat = "parquet"\nfiles = ["rain.parquet"]\nheld_out = true\n'
    change(folder, "[model]", more + "[model]")
    before = classes.load(folder / "m.toml", stages.Reader)
    found = gather(before, STAGE.tokens)
    assert len(found.held_out["rain"]) == 30  # one stands in `good`, too
    assert found.taken["rain"].learned == 0
    assert not any("雨".encode() in tokens for _, _, tokens in found.learned)
    card = train(folder)
    told = {one["source"]: (one["documents"], one["held_out"]) for one in card["held_out"]["sources"]}
    assert told["rain"] == (30, True)
    assert told["good"] == (card["sources"][0]["measured"], False)
    apart = card["held_out_sources"]
    assert apart["classes"] == ["high"]
    assert apart["cutoff"]["lost"] <= 0.01
    assert apart["auc"] == {"low": 1.0}
    assert "Of whole sources held out (of high) that cutoff loses" in (folder / "out" / "card.md").read_text()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('good = "high"', 'god = "high"', r"\$.god: no such field. Did you mean `good`"),
        ('good = "high"', 'good = "hihg"', r"\$.good: got 'hihg': no source is of it. Did you mean `high`"),
        ('class = "low"', 'class = "high"', "all sources are of class 'high'"),
        ('class = "low"', 'class = "low!"', r"\$.source\[1\].class: got 'low!'"),
        ('class = "low"\n', "", r"\$.source\[1\].class: this field is required"),
        ('class = "low"', 'class = "low"\nweigth = 2', "weigth: no such field. Did you mean `weight`"),
        ('class = "low"', 'class = "low"\nweight = 0', r"\$.source\[1\].weight: got 0. Expected 1 or more"),
        ("held_out_share = 0.3", "held_out_share = 1", r"held_out_share: got 1. Expected a number between 0 and 1"),
        ("seed = 3", "seed = -1", r"\$.seed: got -1"),
        ("[model]", "[class.ad]\nmax_documents = 3\n[model]", r"\$.class.ad: no source is of it"),
        ("[model]", "[class.low]\nmax_documents = 0\n[model]", r"\$.class.low.max_documents: got 0"),
        ("epochs = 3", "epoch = 3", r"\$.model.epoch: no such field. Did you mean `epochs`"),
        ("epochs = 3", "epochs = 0", r"\$.model.epochs: got 0"),
        ("epochs = 3", "word_ngrams = 9", r"\$.model.word_ngrams: got 9. Expected at most 8"),
        ("epochs = 3", 'loss = "ns"', r"\$.model.loss: got 'ns'. Expected `softmax` or `hs`"),
        ("epochs = 3", "learning_rate = 0.0", r"\$.model.learning_rate: got 0.0"),
    ],
)
def test_a_wrong_manifest_is_refused(folder: Path, old: str, new: str, said: str) -> None:
    change(folder, old, new)
    with pytest.raises(RecipeError, match=said):
        classes.load(folder / "m.toml", stages.Reader)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("good*.jsonl", "none*.jsonl", "source `good`: no file matches 'none"),
        ('format = "jsonl"\nfiles = ["good*.jsonl"]', 'format = "warc"\nfiles = ["good*.jsonl"]', "gives no text"),
        ("held_out_share = 0.3", "held_out_share = 0.01", "class `high` has .* documents to learn from"),
        ("[model]", "[class.low]\nmax_documents = 9\n[model]", "class `low` has .* Expected at least 20 and 5"),
    ],
)
def test_files_that_do_not_do_are_refused(folder: Path, old: str, new: str, said: str) -> None:
    change(folder, old, new)
    with pytest.raises(InputError, match=said):
        gathered(folder)


def test_unreadable_records_are_counted_and_too_many_stop(folder: Path) -> None:
    with (folder / "good.jsonl").open("ab") as file:
        file.write(b'{"text": \n{"other": 1}\n')
    assert gathered(folder).taken["good"].unreadable == 2
    with (folder / "good.jsonl").open("ab") as file:
        file.write(b"[]\n" * 10)
    with pytest.raises(InputError, match=r"12 of 102 records cannot be read, more than max_lost_share = 0\.05"):
        gathered(folder)


def test_the_command(folder: Path) -> None:
    arguments = ["classifier", "train", str(folder / "m.toml"), "--out", str(folder / "out")]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "lets through 0.00% of low" in done.output
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["card.json", "card.md", "model.bin"]
    printed = CliRunner().invoke(app, [*arguments, "--json"])
    assert json.loads(printed.output) == json.loads((folder / "out" / "card.json").read_text())
    wrong = CliRunner().invoke(app, ["classifier", "train", str(folder / "none.toml"), "--out", str(folder / "out")])
    assert isinstance(wrong.exception, RecipeError)
    assert str(wrong.exception).endswith("none.toml: there is no such manifest.")


VALUES = st.lists(st.integers(0, 6).map(lambda n: n / 6), min_size=1, max_size=30).map(np.array)


@given(good=VALUES, bad=VALUES)
@settings(max_examples=100, deadline=None)
def test_auc_counts_pairs(good: np.ndarray, bad: np.ndarray) -> None:
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in good for b in bad]
    assert scored.auc(good, bad) == pytest.approx(np.mean(pairs))
    assert scored.auc(good, bad) == pytest.approx(1 - scored.auc(bad, good))


@given(good=VALUES, loss=st.floats(0, 0.99))
def test_a_cutoff_loses_no_more_than_it_may(good: np.ndarray, loss: float) -> None:
    least = scored.cutoff(good, loss)
    assert (good < least).mean() <= loss
    assert (good <= least).mean() > loss or least == good.max()


def test_calibration() -> None:
    found = scored.calibration(np.array([0.05, 0.05, 1.0, 0.95]), np.array([False, True, True, True]))
    assert [row["documents"] for row in found["bins"]] == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert found["bins"][9] == {"from": 0.9, "documents": 2, "predicted": 0.975, "observed": 1.0}
    assert found["ece"] == pytest.approx((2 * 0.45 + 2 * 0.025) / 4)


def test_precision_and_recall() -> None:
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
    rows = scored.by_class(("a", "b"), np.array([0, 1, 1]), probabilities)
    assert rows["a"] == {"documents": 1, "precision": 0.5, "recall": 1.0, "auc": 1.0}
    assert rows["b"]["recall"] == 0.5
