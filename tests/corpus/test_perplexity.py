"""`corpus perplexity train`: the model and its card."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stages
from corpus import cli, perplexity, texts
from corpus.errors import InputError, RecipeError
from corpus.identity import sha256
from corpus.ngram_file import load

WORDS = [
    "harbour",
    "boats",
    "morning",
    "bread",
    "basket",
    "town",
    "wind",
    "prices",
    "crews",
    "night",
    *"港口船夜风面包",
]
MANIFEST = """
name = "tiny"
held_out_share = 0.2
[[source]]
name = "one"
format = "jsonl"
files = ["one*.jsonl"]
licence = "CC0-1.0"
[[source]]
name = "two"
format = "jsonl"
files = ["two.jsonl"]
held_out = true
[model]
order = 3
"""


def written(folder: Path, *, order: int = 1, names: tuple[str, str] = ("one-a", "one-b")) -> Path:
    """Two files of source `one`, one of `two`, which repeats two documents of `one`; its records from front to back or
    back to front."""
    folder.mkdir(exist_ok=True)
    rng = random.Random(4)
    documents = [" ".join(rng.choices(WORDS, k=40)) for _ in range(60)]
    other = [" ".join(rng.choices([*WORDS, "zinc", "ferry"], k=30)) for _ in range(20)] + documents[:2]
    for name, some in zip((*names, "two"), (documents[:35], documents[25:], other), strict=True):
        lines = [json.dumps({"text": text}, ensure_ascii=False) for text in some]
        (folder / f"{name}.jsonl").write_text("\n".join(lines[::order]) + "\n")
    (folder / "tiny.toml").write_text(MANIFEST)
    return folder / "tiny.toml"


def train(path: Path, out: Path) -> dict[str, Any]:
    asked = texts.load(path, stages.Reader)
    return perplexity.train(asked, stages.Perplexity(model=perplexity.MODEL, windows=64), out)


def test_the_card_says_what_was_learned_and_measured(tmp_path: Path) -> None:
    card = train(written(tmp_path / "data"), tmp_path / "out")
    one, two = card["sources"]
    assert (one["documents"], one["kept"], one["equal"]) == (70, 58, 12)  # 10 copies, and 2 that `two` holds out
    assert one["learned"] + one["measured"] == 58
    assert (two["learned"], two["measured"]) == (0, 22)
    assert one["files"].keys() == {"one-a.jsonl", "one-b.jsonl"}
    assert one["files"]["one-a.jsonl"] == sha256((tmp_path / "data" / "one-a.jsonl").read_bytes())
    model = (tmp_path / "out" / "perplexity.ngrams").read_bytes()
    assert (card["sha256"], card["bytes"]) == (sha256(model), len(model))
    header, _ = load(tmp_path / "out" / "perplexity.ngrams")
    assert header.order == 3
    assert header.vocabulary == len(WORDS) + 1
    assert card["units"] == 40 * one["learned"]
    assert json.loads((tmp_path / "out" / "card.json").read_text()) == json.loads(json.dumps(card))
    known, apart = card["measured"]
    assert known["unknown_share"] == 0 < apart["unknown_share"] < 0.2
    assert 0 < known["lowest_tenth"] <= known["median"] <= known["highest_tenth"]
    assert known["bits_per_unit"] < apart["bits_per_unit"]
    page = (tmp_path / "out" / "card.md").read_text()
    assert "| two (held out) | 22 | 0 | 22 |" in page
    assert "CC0-1.0" in page


def test_names_of_files_and_order_of_records_do_not_matter(tmp_path: Path) -> None:
    first = train(written(tmp_path / "a"), tmp_path / "out-a")
    second = train(written(tmp_path / "b", order=-1, names=("one-z", "one-y")), tmp_path / "out-b")
    assert first["sha256"] == second["sha256"]
    assert first["measured"] == second["measured"]


def test_units_and_ngrams_are_limited(tmp_path: Path) -> None:
    path = written(tmp_path / "a")
    path.write_text(path.read_text() + "max_units = 410\nmax_ngrams = 200\n")
    card = train(path, tmp_path / "out")
    assert (card["units"], card["sources"][0]["learned"]) == (400, 10)
    assert sum(card["header"]["counts"]) <= 200


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path / "data")
    monkeypatch.setattr("sys.argv", ["corpus", "perplexity", "train", str(path), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "units" in capsys.readouterr().out
    assert (tmp_path / "out" / "perplexity.ngrams").is_file()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("order = 3", "order = 9"), r"model.order: got 9. Expected 2 to 8"),
        (lambda text: text.replace("order = 3", "ordre = 3"), "Did you mean `order`"),
        (lambda text: text.replace("held_out = true", "held_up = true"), "Did you mean `held_out`"),
        (lambda text: text.replace("held_out_share = 0.2", "held_out_share = 2"), "between 0 and 1"),
        (lambda text: "sources = 1\n" + text, "Did you mean `source`"),
        (lambda text: text.replace('licence = "CC0-1.0"', "held_out = true"), "all sources are held out"),
        (lambda text: text.replace('licence = "CC0-1.0"', "max_documents = 0"), "Expected 1 or more"),
        (lambda text: text.replace("order = 3", "max_ngrams = 0"), "Expected 1 or more"),
        (lambda text: text.replace('name = "tiny"', "seed = -1"), "Expected a whole number"),
    ],
)
def test_what_is_wrong_in_a_manifest_is_named(tmp_path: Path, change: Callable[[str], str], told: str) -> None:
    path = written(tmp_path / "data")
    path.write_text(change(path.read_text()))
    with pytest.raises(RecipeError, match=told):
        texts.load(path, stages.Reader)


def test_sources_without_text_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "data")
    for name in ("one-a", "one-b"):
        (path.parent / f"{name}.jsonl").write_text('{"text": "  "}\n')
    with pytest.raises(InputError, match="no text to learn from"):
        train(path, tmp_path / "out")
