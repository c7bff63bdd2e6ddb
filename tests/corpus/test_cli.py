"""Exit statuses: 0, 1 where a build or check failed, 2 for wrong usage or a wrong manifest; one message, no traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

MANIFEST = """
name = "tiny"
[[source]]
name = "a"
format = "text"
files = ["*.txt"]
[[stage]]
kind = "normalise"
"""


def corpus(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "corpus", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.txt").write_text("A first document.\n")
    (tmp_path / "two.txt").write_text("第二篇文档。\n")
    (tmp_path / "tiny.toml").write_text(MANIFEST)
    return tmp_path


def test_build_status_run_verify(folder: Path) -> None:
    places = ["--out", folder / "out", "--store", folder / "store"]
    built = corpus("build", folder / "tiny.toml", "--local", *places, "--json")
    assert built.returncode == 0, built.stderr
    found = json.loads(built.stdout)
    assert [(f["stage"], f["rows"], f["kept"]) for f in found["funnel"]["a"]] == [("read", 2, 2), ("normalise", 2, 2)]
    status = corpus("status", folder / "tiny.toml", *places)
    assert status.returncode == 0
    assert "everything is fresh" in status.stdout
    again = corpus("run", "normalise", folder / "tiny.toml", "--local", *places)
    assert again.returncode == 0, again.stderr
    assert "normalise: 2 steps run" in again.stdout
    assert corpus("verify", folder / "out").returncode == 0
    table = next((folder / "store" / "tables" / "normalise").iterdir())
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.write_bytes(data)
    broken = corpus("verify", folder / "out")
    assert broken.returncode == 1
    assert table.name in broken.stdout.replace("\n", "")
    assert corpus("verify", folder / "out", "--repair").returncode == 1
    assert corpus("build", folder / "tiny.toml", "--local", *places).returncode == 0
    assert corpus("verify", folder / "out").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["build"], 2, "Missing argument"),
        (["bild"], 2, "No such command 'bild'"),
        (["build", "none.toml", "--local"], 2, "none.toml: there is no such manifest"),
        (["verify", "nowhere"], 1, "nowhere: no sealed build here"),
        (["explain", "nowhere"], 2, "give either --url or --id"),
        (["trace", "nowhere"], 2, "give one of --token, --url, --id, --step and --sample"),
        (["trace", "nowhere", "--token", "1", "--url", "u"], 2, "give one of --token"),
        (["trace", "nowhere", "--url", "u", "--replay"], 2, "--replay goes with --token or --sample"),
        (["trace", "nowhere", "--url", "u"], 1, "nowhere: no sealed build here"),
        (["export", "nowhere", "--out", "nowhere"], 2, "is the build directory or the store"),
        (["train", "nowhere"], 1, "nowhere"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], status: int, message: str) -> None:
    done = corpus(*arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
    assert message in done.stderr


def test_a_wrong_field(folder: Path) -> None:
    (folder / "tiny.toml").write_text(MANIFEST.replace("format", "fromat"))
    done = corpus("build", folder / "tiny.toml", "--local")
    assert done.returncode == 2
    assert done.stderr == f"corpus: {folder}/tiny.toml: $.source[0].fromat: no such field. Did you mean `format`?\n"
