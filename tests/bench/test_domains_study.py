"""Planted files of the study `domains`: the same at every run, and dropped by the pack of their domain."""

import pytest

from bench.domains import bad, study

FROM_NOTHING = [  # families that are made of no good text
    ("code", "generated"),
    ("code", "bytes"),
    ("code", "logs"),
    ("latex", "tables"),
    ("latex", "macros"),
    ("books", "contents"),
    ("mail", "attachment"),
    ("irc", "comings"),
    ("irc", "bot"),
]


def test_every_domain_has_sets_and_families() -> None:
    assert set(study.SETS) == set(bad.FAMILIES)


@pytest.mark.parametrize(("pack", "family"), FROM_NOTHING)
def test_planted_files_are_dropped(pack: str, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bad, "EACH", 3)
    monkeypatch.setattr(bad, "FAMILIES", {pack: {family: bad.FAMILIES[pack][family]}})
    files = bad.made(pack, [], 1)[family]
    assert files == bad.made(pack, [], 1)[family]
    assert files != bad.made(pack, [], 2)[family]
    reasons, _ = study.judged([*files, "print('x')\n" * 2], pack)
    assert all(reason is not None and reason.startswith(f"{pack}.") for reason in reasons[:3])
