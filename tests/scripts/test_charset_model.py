"""Costs of letters from counts in Lingua's format."""

import json
import zipfile
from pathlib import Path

import pytest

from scripts import charset_model


def test_shares_become_bits() -> None:
    letters = charset_model.shares(json.dumps({"ngrams": {"1/2": "а", "1/8": "б в", "1/1000000": "ѣ"}}))
    assert letters == {"а": 0.5, "б": 0.125, "в": 0.125, "ѣ": 1e-6}
    pairs = {"аб": 0.25, "ба": 0.25, "вв": 2.0**-20, "аѣ": 0.5}
    # A pair with a letter that is too rare to be listed goes, and so does what costs more than the bound.
    assert list(charset_model.lines("ru", letters, pairs)) == ["ru 1 1 а", "ru 1 3 бв", "ru 2 2 абба"]


def test_both_forms_of_a_chinese_character_are_equally_frequent() -> None:
    found = charset_model.both_scripts({"們": 0.5, "中": 0.25}, ["们們", "讠訁"])
    assert found == {"們": 0.5, "们": 0.5, "中": 0.25}


def test_vietnamese_tone_marks_are_letters_of_their_own() -> None:
    letters, pairs = charset_model.tones_apart({"ấ": 0.5, "n": 0.5}, {"ấn": 1.0})
    assert letters == {"â": 0.5, "\u0301": 0.5, "n": 0.5}
    assert pairs == {"â\u0301": 1.0, "\u0301n": 1.0}


def test_another_wheel_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wheel = tmp_path / "lingua.whl"
    with zipfile.ZipFile(wheel, "w"):
        pass
    assert charset_model.main([str(wheel), "--out", str(tmp_path / "out.txt")]) == 1
    assert "expected 72546967" in capsys.readouterr().err
    assert not (tmp_path / "out.txt").exists()
