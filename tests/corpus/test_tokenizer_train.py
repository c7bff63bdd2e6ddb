"""`corpus tokenizer train`: the model, its card, and that both repeat."""

import json
import random
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sentencepiece import SentencePieceProcessor

import stages
from corpus import cli, recipe
from corpus.errors import InputError, RecipeError
from corpus.identity import sha256
from corpus.tokenizer_card import written
from corpus.tokenizer_train import train
from corpus.tokenizer_training import Training

MANIFEST = """name = "tiny"
seed = 5
[[source]]
name = "tales"
format = "jsonl"
files = ["tales*.jsonl"]
licence = "CC0-1.0"
read = {{ partition_rows = {rows} }}
[[source]]
name = "码"
format = "jsonl"
files = ["code.jsonl"]
[[stage]]
kind = "normalise"
[[stage]]
kind = "encode"
tokenizer = "out"
[[stage]]
kind = "pack"
[tokenizer]
model = "{model}"
vocab_size = {vocab}
required = []
han_chars = 2
marks = ["<pad>"]
{more}
""".replace('"码"', '"code"')

WORDS = ["harbour", "boats", "morning", "bread", "basket", "港口", "夜风", "面包", "篮子", "12", "2026", "，", "。"]


def made(folder: Path, *, model: str = "unigram", vocab: int = 310, rows: int = 1000, more: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(4)
    texts = [" ".join(rng.choices(WORDS, k=30)) + "\n\tend" for _ in range(120)]
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    (folder / "tales.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    code = [json.dumps({"text": f"def f{i}(x):\n    return x + {i}\n"}) for i in range(60)]
    (folder / "code.jsonl").write_text("\n".join(code) + "\n")
    (folder / "m.toml").write_text(MANIFEST.format(model=model, vocab=vocab, rows=rows, more=more))
    return folder / "m.toml"


def run(*command: str) -> int:
    """Exit code of `corpus …`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["corpus", *command, "--local"])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    assert isinstance(ended.value.code, int)
    return ended.value.code


def command(path: Path) -> int:
    build = str(path.parent / "build")
    return run("tokenizer", "train", str(path), "--out", str(path.parent / "out"), "--build", build)


def trained(path: Path) -> tuple[SentencePieceProcessor, dict[str, Any]]:
    assert command(path) == 0
    out = path.parent / "out"
    model = SentencePieceProcessor(model_file=str(out / "tokenizer.model"))
    return model, tomllib.loads((out / "card.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_text_comes_back_and_the_settings_are_kept(tmp_path: Path, kind: str) -> None:
    model, card = trained(made(tmp_path, model=kind))
    for text in ["港口 bread，\n\n\tx  12", "  ＡＢＣ ﬁ ", "<eod><pad>", "a\x00😀", " lead"]:
        ids = model.encode(text)
        assert model.decode(ids) == text
        assert not {model.piece_to_id("<eod>"), model.piece_to_id("<pad>")} & set(ids)
    assert model.encode("2026", out_type=str) == ["2", "0", "2", "6"]
    assert model.encode("\n\t\n", out_type=str) == ["\n", "\t", "\n"]
    assert (model.eos_id(), model.unk_id(), model.vocab_size()) == (card["eod_id"], card["unk_id"], card["vocab_size"])
    assert model.id_to_piece(card["eod_id"]) == card["eod_piece"]
    assert model.is_control(model.piece_to_id("<pad>"))


def test_the_card_says_what_was_learned(tmp_path: Path) -> None:
    path = made(tmp_path)
    _, card = trained(path)
    assert card["sha256"] == sha256((tmp_path / "out" / "tokenizer.model").read_bytes())
    training = card["training"]
    tales, code = training["source"]
    assert (tales["documents"], tales["survivors"], tales["licence"]) == (120, 120, "CC0-1.0")
    assert tales["files"] == {"tales.jsonl": sha256((tmp_path / "tales.jsonl").read_bytes())}
    assert code["licence"] == "not stated"
    assert tales["text_bytes"] + code["text_bytes"] == sum(one["text_bytes"] for one in training["language"])
    assert tales["share"] + code["share"] == pytest.approx(1, abs=1e-3)
    assert training["leans_to"].endswith(f"tales {tales['share']:.1%}, code {code['share']:.1%}")
    assert training["parameters"]["han_chars"] == 2
    assert 0 < training["text_bytes"] < tales["text_bytes"] + code["text_bytes"]  # each sentence once
    assert f"corpus tokenizer train {path}" in training["command"]


def test_training_repeats_and_partitions_do_not_matter(tmp_path: Path) -> None:
    """Also where the sample is a part of what there is."""
    more = "sample_bytes = 12_000"
    _, one = trained(made(tmp_path / "a", more=more))
    _, two = trained(made(tmp_path / "b", more=more, rows=7))
    assert one["training"]["source"][0]["documents"] < 120
    assert one["sha256"] == two["sha256"]
    assert one["training"]["text_sha256"] == two["training"]["text_sha256"]
    (tmp_path / "b" / "m.toml").write_text((tmp_path / "b" / "m.toml").read_text().replace("seed = 5", "seed = 6"))
    _, three = trained(tmp_path / "b" / "m.toml")
    assert three["training"]["text_sha256"] != two["training"]["text_sha256"]


def test_the_build_that_follows_makes_nothing_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What was built to learn from is adopted, and the model is found by its folder."""
    path = made(tmp_path)
    trained(path)
    capsys.readouterr()
    assert run("build", str(path), "--out", str(tmp_path / "build"), "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert "normalise" not in told["run"]["worker_seconds"]
    assert told["run"]["worker_seconds"]["encode"] > 0
    tokenizer = told["manifest"]["tokenizer"]
    assert (tokenizer["vocab_size"], tokenizer["eod"]) == (310, 1)


def test_too_little_text_for_the_vocabulary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(made(tmp_path, vocab=9000)) == 1
    assert "cannot train 9,000 pieces on" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(InputError, match="cannot train 300 pieces"):
        train(["", " "], Training(vocab_size=300, required=()))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("vocabulary = 3", r"\$\.tokenizer\.vocabulary: no such field\. Did you mean `vocab_size`"),
        ("threads = 0", r"\$\.tokenizer\.threads: got 0\. Expected 1 or more"),
        ('eod = ""', r"\$\.tokenizer\.eod: got ''"),
    ],
)
def test_what_is_wrong_in_the_table_is_named(tmp_path: Path, more: str, message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        recipe.load(made(tmp_path, more=more), stages.Stage, stages.Reader)


def test_the_table_is_no_part_of_a_build(tmp_path: Path) -> None:
    one = recipe.load(made(tmp_path / "a"), stages.Stage, stages.Reader)
    two = recipe.load(made(tmp_path / "b", more="threads = 2"), stages.Stage, stages.Reader)
    assert one.training != two.training
    assert msgspec.json.encode(one.stages) == msgspec.json.encode(two.stages)


def test_a_card_is_toml(tmp_path: Path) -> None:
    card = {
        "name": 'a "b" \\ c\n\x7f\x00 中 😀',
        "flag": True,
        "share": 0.25,
        "list": ["\t", "x"],
        "table": {"a b": 1, "inner": {"files": {"x/y.jsonl": "00"}}},
        "rows": [{"n": 1, "files": {"z": 1}}, {"n": 2, "files": {}}],
    }
    assert tomllib.loads(written(card)) == card
