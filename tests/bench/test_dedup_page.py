"""The page of the dedup benchmark: a side that ran beside one that did not."""

from bench.dedup.page import page
from bench.dedup.score import Verdict, score

DOCUMENTS = [["a0", "edit-1%", "a", "original"], ["a1", "edit-1%", "a", "copy"], ["s", "short", "s/0", "original"]]
PAIRS = [("a0", "a1", 0.83)]
FOUND = {"a0": Verdict(True, "A"), "a1": Verdict(False, "A"), "s": Verdict(True, None)}


def test_a_side_that_failed_is_a_row_with_its_error() -> None:
    planted = {"documents": 3, "text_bytes": 10**6, "apart": 2, "files": {"f": "0" * 64}, "pairs": 1}
    ran = {"name": "ours", "about": "defaults", "scores": {"en": score(DOCUMENTS, PAIRS, FOUND)}, "errors": {}}
    failed = {"name": "peer", "about": "", "scores": {}, "errors": {"en": "MemoryError"}, "versions": {}}
    text = page(
        {
            "at": "2026-01-01T00:00:00Z",
            "machine": {"cpu": "cpu", "cores": 2},
            "commit": "c0ffee",
            "command": "python -m bench dedup",
            "planted": {"en": planted | {"duplicate_pairs": 1}},
            "sides": [ran | {"versions": {"numpy": "2"}}, failed],
        }
    )
    assert "| ours | 1.0000 [0.2065, 1.0000] | - | 1.0000 [0.2065, 1.0000] |" in text
    assert "| peer | did not run: MemoryError |" in text
    assert "| 0.80-0.85 | 1 | 1.000 / 1.000 |" in text
    assert "| edit-1% | 2 | 1 | 1.000; 0; 0 |" in text
    assert "| short | 1 | 0 | -; 0; 0 |" in text
    assert "- ours: defaults; numpy 2" in text
    tables = [line for line in text.split("\n") if line.startswith("|")]
    assert len({line.count("|") for line in tables if line.startswith(("| ours", "| peer", "| target"))}) == 1
