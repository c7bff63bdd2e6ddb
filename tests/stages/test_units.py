"""Units with their places against the slow reference, and against the key of `sign`."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from slow_units import Unit, units

from stages import key
from stages.units import CHARACTER, LINE_END, SEED, digits_as_zero, find_units, room

ALPHABET = "abcXYZ059 \t\n.,-'’é\u0301\u200bßＡ９中國々かｶ\ufe00\U000e0100\U00020000한ग्Ω٣²ⅷ“。　"
texts = st.one_of(st.text(ALPHABET, max_size=40), st.text(max_size=20), st.text("abcdefgh0123456789", max_size=40))


def walk(text: str, table: np.ndarray, pad: int = 0) -> tuple[list[tuple[int, int, bool, int, int]], list[int]]:
    """-> units as (start, end, single, letters, hash); places of line ends"""
    data = np.frombuffer(b"\xe4" * pad + text.encode() + b"a1" * pad, np.uint8)
    begin, end = pad, len(data) - 2 * pad
    out = room(np.array([begin, end]))
    count = find_units(data, begin, end, table, True, out)
    rows = [tuple(int(column[i]) for column in out) for i in range(count)]
    found = [(start, stop, kind == CHARACTER, letters, h) for kind, start, stop, h, letters in rows if kind != LINE_END]
    assert find_units(data, begin, end, table, False, out) == len(found)
    assert all(stop == start + 1 for kind, start, stop, *_ in rows if kind == LINE_END)
    return found, [start for kind, start, *_ in rows if kind == LINE_END]


def mixed(h: int) -> int:
    """MurmurHash3's 64-bit finalizer."""
    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        h = (h ^ h >> 33) * factor % (1 << 64)
    return h ^ h >> 33


def hashed(unit: Unit) -> int:
    h = SEED
    for at in range(0, len(unit.value), 8):
        h = mixed(h ^ int.from_bytes(unit.value[at : at + 8], "little"))
    return h


@settings(deadline=None)
@given(texts, st.booleans(), st.sampled_from([0, 3, 9]))
@example("abcdefgh", True, 0)
@example("abcdefgh's 12345678é", True, 0)
@example("中\u0301\ufe00a", False, 9)
@example("中'a", False, 0)
def test_the_slow_reference(text: str, zero: bool, pad: int) -> None:
    want = units(text, zero)
    found, line_ends = walk(text, digits_as_zero() if zero else key.table(), pad)
    assert [f[:3] for f in found] == [(u.start, u.end, u.single) for u in want]
    assert [f[4] for f in found] == [hashed(u) for u in want]
    assert [f[3] for f in found] == [u.letters for u in want]
    data = text.encode()
    for start, end, *_ in found:
        data[start:end].decode()  # between two characters
    inside = {place for start, end, *_ in found for place in range(start, end)}
    assert line_ends == [place for place, byte in enumerate(data) if byte == 10 and place not in inside]
    assert len(line_ends) == text.count("\n")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Don't stop", ["Don't", "stop"]),
        ("(“Hello”, she said.)", ["Hello", "she", "said"]),
        ("中文abc，測試", ["中", "文", "abc", "測", "試"]),
        ("cafe\u0301 noir", ["cafe\u0301", "noir"]),
        ("葛\U000e0100城", ["葛\U000e0100", "城"]),
        ("... — !", []),
    ],
)
def test_examples(text: str, want: list[str]) -> None:
    found, _ = walk(text, key.table())
    assert [text.encode()[start:end].decode() for start, end, *_ in found] == want


def test_digits_are_zero_and_no_letters() -> None:
    one, _ = walk("Page 3 of 12, ２０２１ x9", digits_as_zero())
    other, _ = walk("PAGE 8 OF 99; ٠٠٠٠ X1", digits_as_zero())
    assert [f[2:] for f in one] == [f[2:] for f in other]
    assert [f[3] for f in one] == [4, 0, 2, 0, 0, 1]
    assert walk("12", key.table())[0][0][4] != walk("13", key.table())[0][0][4]
