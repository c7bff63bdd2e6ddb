"""Planting damage, and the verdict on what came back."""

import pytest

from bench.repair.damage import KINDS, damaged
from bench.repair.study import _damaged, _verdict

TEXT = "清晨的港口很安静。\n“面包”的妇人提着篮子——走下来。"


@pytest.mark.parametrize("name", KINDS)
def test_damage_changes_text_that_it_can_be_done_to(name: str) -> None:
    wrong = damaged(name, TEXT)
    assert wrong is None if name.startswith("Big5") else wrong != TEXT
    assert damaged(name, "plain") is None


def test_a_line_is_damaged_and_the_others_stay() -> None:
    wrong = _damaged("UTF-8 as ISO-8859-1", TEXT, "line")
    assert wrong is not None
    assert sum(a == b for a, b in zip(wrong.split("\n"), TEXT.split("\n"), strict=True)) == 1


@pytest.mark.parametrize(
    ("now", "verdict"),
    [("好的。", "exact"), ("好的\ufffd", "lost"), ("鏄殑", "left"), ("好", "partly"), ("坏的。", "partly")],
)
def test_verdicts(now: str, verdict: str) -> None:
    assert _verdict(("好的。", "鏄殑"), now) == verdict
