"""`corpus trace` and `corpus export` as a user calls them, on a small build that was trained on."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from corpus.cli import app

ROOT = Path(__file__).parents[2]
MANIFEST = f"""name = "small"
seed = 3
[[source]]
name = "notes"
format = "jsonl"
files = ["*.jsonl"]
root = "data"
licence = "CC0-1.0"
[[stage]]
kind = "normalise"
[[stage]]
kind = "encode"
tokenizer = "{ROOT}/tokenizers/zh-en-16k"
[[stage]]
kind = "pack"
"""


def corpus(*arguments: str | Path, status: int = 0) -> str:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    assert done.exit_code == status, (done.exception, done.output)
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small")
    (folder / "data").mkdir()
    texts = [f"Note {i}: " + " ".join(f"{i * j * 31 % 997}" for j in range(60)) for i in range(60)]
    lines = [json.dumps({"text": text, "url": f"http://notes.example/{i}"}) for i, text in enumerate(texts)]
    (folder / "data" / "a.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "small.toml").write_text(MANIFEST)
    corpus("build", folder / "small.toml", "--out", folder / "out", "--local", "--json")
    return folder


def test_back_forward_and_again(built: Path) -> None:
    (page,) = json.loads(corpus("trace", built / "out", "--url", "http://notes.example/7", "--json"))
    (place,) = page["ranges"]
    back = json.loads(corpus("trace", built / "out", "--token", str(place["token"] + 3), "--replay", "--json"))
    assert (back["id"], back["url"], back["at"]) == (place["id"], "http://notes.example/7", place["start"] + 3)
    assert json.loads(corpus("trace", built / "out", "--id", place["id"], "--json")) == [page]
    found = json.loads(corpus("trace", built / "out", "--sample", "300", "--json"))
    assert (found["same"], found["wrong"]) == (300, [])
    path = built / "out" / f"{place['shard']}.bin"
    whole = path.read_bytes()
    path.write_bytes(
        whole[: 2 * place["start"]] + bytes([whole[2 * place["start"]] ^ 1]) + whole[2 * place["start"] + 1 :]
    )
    found = json.loads(corpus("trace", built / "out", "--sample", "5000", "--json", status=1))
    assert [one["problem"].split(":")[0] for one in found["wrong"]] == [f"document {place['id']}"]
    path.write_bytes(whole)


def test_export_and_again(built: Path) -> None:
    done = json.loads(corpus("export", built / "out", "--out", built / "x", "--local", "--json"))
    assert done["counts"]["notes"]["train"]["documents"] == 60
    urls = pq.read_table(built / "x" / "data" / "notes" / "train-00000.parquet")["url"].to_pylist()
    assert urls == [f"http://notes.example/{i}" for i in range(60)]
    assert json.loads(corpus("export", built / "out", "--out", built / "x", "--local", "--json")) == done


@pytest.mark.slow
def test_the_documents_of_a_batch(built: Path) -> None:
    pytest.importorskip("torch")
    command = [sys.executable, "-m", "corpus", "train", str(built / "out"), "--steps", "3"]
    command += ["--sequence", "64", "--batch", "4", "--micro-batch", "2"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    pieces = json.loads(corpus("trace", built / "out", "--step", "2", "--json"))
    assert {piece["sample"] for piece in pieces} == {4, 5, 6, 7}
    assert sum(piece["stop"] - piece["start"] for piece in pieces) == 4 * 65
    assert all(piece["url"].startswith("http://notes.example/") for piece in pieces)
