"""Plain lines of progress: the first piece, which pays for compiling, is no measure of those behind it."""

import pytest

from corpus import progress


def test_the_rate_is_that_of_the_pieces_behind_the_first(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Progress().task("read", 10e6, "B") as bar:
        for at, megabytes in ((100, 2), (106, 6), (107, 2)):
            now[0] = at
            bar.advance(megabytes * 1e6, "")
    assert capsys.readouterr().err.splitlines() == [
        "read: 2.0 MB of 10.0 MB",
        "read: 8.0 MB of 10.0 MB, 1.0 MB/s, 2 s left",
        "read: 10.0 MB of 10.0 MB, 1.1 MB/s",
    ]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.Progress(quiet=True).task("read", 1, "parts") as bar:
        bar.advance(1, "")
    assert capsys.readouterr().err == ""
