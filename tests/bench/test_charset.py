"""The charset benchmark: what counts as read rightly, how made samples come about, and what the page shows of them."""

import json
from pathlib import Path

import pytest
import zstandard

from bench.charset import made, score
from bench.charset.page import page
from bench.charset.sample import Sample, family, read


def test_a_superset_that_gives_the_same_text_is_right() -> None:
    sample = Sample("set", "gb2312", "a", "中文".encode("gb2312"), "gb2312", "none")
    tally = score.Tally()
    for name in ("gb18030", "GBK", "gb2312"):
        assert tally.add(sample, sample.text, name, read(sample.body, name))
    assert not tally.add(sample, sample.text, "big5", read(sample.body, "big5"))
    assert not tally.add(sample, sample.text, None, read(sample.body, None))
    assert (tally.pages, tally.right, tally.label, tally.undecodable) == (5, 3, 3, 1)
    assert tally.plain()["confused"] == [["gb2312", "big5", 1], ["gb2312", "none", 1]]


def test_a_charset_is_read_as_its_superset_where_that_makes_no_error() -> None:
    assert read(b"\x93quoted\x94", "iso-8859-1") == "“quoted”"
    assert read(b"\x81", "iso-8859-1") == "\x81"  # not in windows-1252
    assert read("恒生碁".encode("big5hkscs"), "big5") == "恒生碁"
    assert read(b"\xef\xbb\xbfa", "utf-8-sig") == "a"
    assert read(b"a\xff", "utf-8") == "a\ufffd"
    assert (family("GB2312"), family("x-unknown"), family(None)) == ("gb18030", None, None)


def test_the_reason_says_how_two_readings_differ() -> None:
    sample = Sample("set", "cp1253", "a", "Ά".encode("cp1253"), "cp1253", "none")
    assert score.reason(sample, "Ά", None, None) == "nothing fits: counted as undecodable"
    assert score.reason(sample, "Ά", "iso8859_7", "’") == r"1 of 1 characters differ: \u0386 as \u2019"
    assert score.reason(sample, "Ά", "utf-16", "xyz") == "another reading: 3 characters for 1"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    texts = [
        "Ein schöner Tag für “Übungen” im Grünen.",
        "no letter beyond ASCII",
        "falsch gelesen: Ã\x9f und ä",
        "a ż б é",
    ]
    lines = "".join(json.dumps({"text": text, "lang": "de"}) + "\n" for text in texts)
    (tmp_path / "lid").mkdir()
    (tmp_path / "lid" / "de.jsonl.zst").write_bytes(zstandard.compress(lines.encode()))
    monkeypatch.setattr(made, "LANGUAGES", {"de": ((("lid/de", "de"),), ("cp1252", "iso8859-2"))})
    monkeypatch.setattr(made, "LENGTHS", (20,))
    monkeypatch.setattr(made, "_whole", lambda data, wanted: iter(()))
    return tmp_path


def test_made_samples_hold_what_their_charset_holds(data: Path) -> None:
    samples = list(made.samples(data, 5))
    assert {sample.part for sample in samples} == {f"20 characters, {kind}" for kind in ("none", "right", "wrong")}
    assert {sample.label for sample in samples} == {"cp1252", "iso8859-2"}
    for sample in samples:
        assert "Ein schöner Tag für" in sample.text
        assert ("charset=" in sample.text) == (sample.declared != "none")
    assert [sample.body for sample in samples] == [sample.body for sample in made.samples(data, 5)]


def test_the_page_shows_sides_misses_and_rows_where_a_peer_is_better() -> None:
    part = {"pages": 2, "right": 1, "label": 1, "undecodable": 1, "bytes": 10, "seconds": 0.1}
    key = "20 characters, none\tde cp1252"
    ours = {
        "name": "ours",
        "parts": {
            "charset_real_pages": part | {"confused": [["big5", "none", 1]]},
            "20 characters, none": part | {"confused": [["cp1252", "evil|<b>\x1b", 1]]},
        },
        "kinds": {key: "1/2"},
        "versions": {"numpy": "2"},
    }
    peer = ours | {"name": "peer", "kinds": {key: "2/2"}}
    miss = {"set": "charset_real_pages", "page": "a|b", "true": "big5", "reason": "why", "bytes": [], "utf8": "no"}
    record = {
        "at": "2026-01-01T00:00:00Z",
        "machine": {"cpu": "cpu", "cores": 2},
        "commit": "c0ffee",
        "command": "python -m bench charset",
        "sides": [ours, peer, {"name": "absent", "error": "ImportError"}],
        "wrong": [miss | {"http": None, "meta": "<x>", "chosen": None, "source": "none"}],
        "speed": {"utf-8": {"bytes": 10**6, "mb_per_s": 100.0}},
    }
    text = page(record)
    assert "| charset_real_pages (target 0.98) | 2 | 0.5000 (0.500) | 0.5000 (0.500) |" in text
    assert "| de cp1252 **behind** | 2 | 1 | 2 |" in text
    assert "a peer is better in 1." in text
    assert "| charset_real_pages | a?b | big5 | None (none) | ?x? | UTF-8: no | why |" in text
    assert "evil??b??" in text
    assert "\x1b" not in text
    assert "- absent: ImportError" in text
