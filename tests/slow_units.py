"""Units of a text the slow way, one character at a time, from the table of the key."""

from typing import NamedTuple

from stages import characters, key
from stages.line_keys import HAN_CHARS


class Unit(NamedTuple):
    value: bytes  # as the key has it
    start: int  # bytes in the text
    end: int
    single: bool
    letters: int


def units(text: str, digits_as_zero: bool = False) -> list[Unit]:
    table, kinds = key.table(), characters.kinds()
    found: list[Unit] = []
    word: Unit | None = None
    at = 0
    for char in text:
        packed = int(table[ord(char)]) if ord(char) < key.CODES else key.NOTHING << 40
        action, size = packed >> 40, packed >> 32 & 255
        value = (packed & 0xFFFFFFFF).to_bytes(4, "little")[:size]
        digit = ord(char) < characters.TABLE_SIZE and kinds[ord(char)] == characters.DIGIT
        if digit and digits_as_zero:
            value = b"0"
        end = at + len(char.encode())
        if action == key.LETTERS:
            letters = int(not (len(value) == 1 and value.isdigit()))
            word = word or Unit(b"", at, at, False, 0)
            word = Unit(word.value + value, word.start, end, False, word.letters + letters)
        elif action == key.NOTHING:
            if word:
                word = word._replace(end=end)
            elif found and found[-1].single and found[-1].end == at and not char.isascii():
                found[-1] = found[-1]._replace(end=end)
        else:
            found += [word] if word else []
            word = None
            if action == key.SINGLE:
                found.append(Unit(value, at, end, True, 1))
        at = end
    return found + ([word] if word else [])


def said(found: list[Unit]) -> tuple[bytes, ...]:
    return tuple(unit.value for unit in found)


def chars(found: list[Unit]) -> int:
    return sum(HAN_CHARS if unit.single else unit.letters for unit in found)
