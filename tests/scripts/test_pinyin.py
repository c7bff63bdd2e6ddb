"""Readings of characters, from pypinyin's dictionary."""

import json
import zipfile
from pathlib import Path

import pytest

from scripts import pinyin


@pytest.mark.parametrize(
    ("written", "plain"), [("zhòng", "zhong4"), ("lǜ", "lv4"), ("lüè", "lve4"), ("ma", "ma5"), ("ḿ", None), ("ế", None)]
)
def test_tones_become_numbers(written: str, plain: str | None) -> None:
    assert pinyin.plain(written) == plain


def test_the_usual_reading_comes_first() -> None:
    found = pinyin.readings_of({str(ord("重")): "zhòng,chóng,tóng", str(ord("众")): "zhòng", "13312": "qiū"})
    assert found == {"chong2": ("", "重"), "tong2": ("", "重"), "zhong4": ("众重", "")}


def test_the_wheel_becomes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel, out = tmp_path / "wheel", tmp_path / "out.txt"
    with zipfile.ZipFile(wheel, "w") as members:
        members.writestr(pinyin.MEMBER, json.dumps({str(ord("重")): "zhòng,chóng"}))
    assert pinyin.main([str(wheel), "--out", str(out)]) == 1
    assert not out.exists()
    monkeypatch.setattr(pinyin, "SHA256", pinyin.hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert pinyin.main([str(wheel), "--out", str(out)]) == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["chong2 |重", "zhong4 重|"]
