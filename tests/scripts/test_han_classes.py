"""Classes of Han characters from dictionaries in OpenCC's format."""

import tarfile
from pathlib import Path

import pytest

from scripts import han_classes

DICTIONARIES = {
    "STCharacters": "# head\n\n发\t發 髮\n台\t台 臺 檯 颱\n后\t后 後\n",
    "TSCharacters": "發\t发\n閒\t闲\n閑\t闲\n",
    "HKVariantsPhrases": "鑛石\t礦石\n一樣\t一樣\n太長\t長\n",
}


def test_candidates_of_one_character_make_a_class() -> None:
    found = han_classes.classes(han_classes.exchanged(DICTIONARIES))
    assert found == sorted(["发發髮", "台檯臺颱", "后後", "閑閒闲", "礦鑛"])


def test_a_dictionary_of_characters_holds_characters() -> None:
    with pytest.raises(ValueError, match=r"STCharacters\.txt: 发 -> 发展"):
        han_classes.classes(han_classes.exchanged({"STCharacters": "发\t发展\n"}))


def test_another_archive_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive = tmp_path / "opencc-1.4.2.tar.gz"
    with tarfile.open(archive, "w:gz"):
        pass
    assert han_classes.main([str(archive), "--out", str(tmp_path / "out.txt")]) == 1
    assert "expected 47977905" in capsys.readouterr().err
    assert not (tmp_path / "out.txt").exists()


def test_the_archive_becomes_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "opencc-1.4.2" / "data" / "dictionary"
    folder.mkdir(parents=True)
    for name in (*han_classes.CHARACTERS, *han_classes.PHRASES):
        (folder / f"{name}.txt").write_text(DICTIONARIES.get(name, ""), encoding="utf-8")
    archive = tmp_path / "opencc-1.4.2.tar.gz"
    with tarfile.open(archive, "w:gz") as members:
        members.add(tmp_path / "opencc-1.4.2", "opencc-1.4.2")
    monkeypatch.setattr(han_classes, "SHA256", han_classes.hashlib.sha256(archive.read_bytes()).hexdigest())
    out = tmp_path / "out.txt"
    assert han_classes.main([str(archive), "--out", str(out)]) == 0
    lines = out.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == sorted(
        ["发發髮", "台檯臺颱", "后後", "閑閒闲", "礦鑛"]
    )
    assert "5 classes, 14 characters, the largest of 4" in " ".join(lines)
