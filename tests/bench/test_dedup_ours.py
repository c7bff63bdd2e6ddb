"""What the benchmark reads from a store is what the build said: a planted set of a few lines, built as a user would."""

import random
from pathlib import Path

import zstandard

from bench.dedup import ours


def test_verdicts_go_back_to_the_ids_of_the_planted_file(tmp_path: Path) -> None:
    rng = random.Random(1)
    words = [f"word{number}" for number in range(500)]
    first, second = (" ".join(rng.choices(words, k=120)) for _ in range(2))
    lines = [("en-1", first), ("en-2", second), ("en-3", f"{first.upper()}!"), ("en-4", "…")]
    data = "".join(f'{{"text": "{text}", "id": "{name}"}}\n' for name, text in lines).encode()
    (tmp_path / "documents-en.jsonl.zst").write_bytes(zstandard.compress(data))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    found, _ = ours.run(tmp_path, ["en"], scratch)
    assert set(found) == {"en-1", "en-2", "en-3", "en-4"}
    assert found["en-1"].cluster == found["en-3"].cluster is not None
    assert [found["en-1"].kept, found["en-3"].kept].count(False) == 1
    assert found["en-2"].kept
    assert found["en-2"].cluster is None
    assert found["en-4"].kept
