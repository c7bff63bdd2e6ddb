"""Characters of one script, from dictionaries in OpenCC's format."""

import tarfile
from pathlib import Path

import pytest

from scripts import han_classes, han_script

DICTIONARIES = {
    "STCharacters": "发\t發 髮\n后\t后 後\n峰\t峯\n于\t於 于\n",
    "TSCharacters": "發\t发\n髮\t发\n後\t后\n峯\t峰\n於\t于 於\n",
    "TWVariants": "峯\t峰\n",
    "HKVariants": "",
}


def test_what_stays_itself_in_one_reading_is_in_both_scripts() -> None:
    assert han_script.scripts_of(DICTIONARIES) == ("发", "峯後發髮")


def test_another_archive_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "opencc-1.4.2.tar.gz"
    with tarfile.open(archive, "w:gz"):
        pass
    assert han_script.main([str(archive), "--out", str(tmp_path / "out.txt")]) == 1
    assert "expected 47977905" in capsys.readouterr().err
    assert not (tmp_path / "out.txt").exists()


def test_the_archive_becomes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(han_script, "dictionaries_of", lambda archive: DICTIONARIES)
    out = tmp_path / "out.txt"
    assert han_script.main(["any", "--out", str(out)]) == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["1 发", "2 峯後發髮"]
    assert han_classes.VERSION in lines[3]
