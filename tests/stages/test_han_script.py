"""The table of characters of one script."""

import numpy as np
import opencc
import pytest

from stages.han_script import BOTH, CODES, SIMPLIFIED, TRADITIONAL, script_classes


@pytest.mark.parametrize(
    ("chars", "kind"),
    [
        ("国们这发说应", SIMPLIFIED),
        ("國們這發髮說説裏裡爲為", TRADITIONAL),
        ("的后里乾於群峰只台吃a，の한", BOTH),
    ],
)
def test_characters_have_their_script(chars: str, kind: int) -> None:
    assert {char: int(script_classes()[ord(char)]) for char in chars} == dict.fromkeys(chars, kind)


def test_classes_agree_with_conversion_of_single_characters() -> None:
    table, to_simplified = script_classes(), opencc.OpenCC("t2s")
    assert table.shape == (CODES,)
    assert not table.flags.writeable
    for code in np.flatnonzero(table == TRADITIONAL).tolist():
        assert to_simplified.convert(chr(code)) != chr(code)
    for code in np.flatnonzero(table == SIMPLIFIED).tolist():
        assert to_simplified.convert(chr(code)) == chr(code)
