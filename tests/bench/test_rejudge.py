"""The bench that changes a threshold measures a judge that ran alone and read no text."""

from pathlib import Path

import pytest

from bench import rejudge


def test_a_changed_threshold_reads_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejudge, "WARM", 4)
    first, tighter, looser = rejudge.study(tmp_path, 800)
    assert first["stages_run"] == ["judge", "normalise", "read", "signals"]
    assert tighter["stages_run"] == looser["stages_run"] == ["judge"]
    assert tighter["kept"] < first["kept"] <= looser["kept"]
    assert {row["documents"] for row in (first, tighter, looser)} == {800}
