"""Markup in text: characters inside the tags, comments, scripts and styles of HTML and XML.

A tag is `<name …>`, `</name>`, `<!…>` or `<?…>` of 2,000 bytes at most; an opening one does not follow a letter or
digit, so `vector<int>` is none, and a name is letters, digits, `-`, `_` and `:`, so `<stdio.h>` is none. What stands
between `<script` or `<style` and its end is markup as well: text is what a reader of the page sees.
"""

from numba import njit

from stages.byte_words import is_at, phrases

MOST = 2000
_CLOSING = phrases(["</script", "</style", "-->"])
_LETTERS, _ENDS = _CLOSING.letters, _CLOSING.ends


@njit(cache=True, nogil=True, inline="always")
def _is_name(byte):  # type: ignore[no-untyped-def]
    return 97 <= (byte | 32) <= 122 or 48 <= byte <= 58 or byte == 45 or byte == 95


@njit(cache=True, nogil=True)
def _tag_end(text, at, begin, end):  # type: ignore[no-untyped-def]
    """End of the tag that begins at `at`, where a `<` stands; `at` itself where there is none."""
    place = at + 1
    if place >= end:
        return at
    byte = text[place]
    if 97 <= (byte | 32) <= 122:
        if at > begin and (97 <= (text[at - 1] | 32) <= 122 or 48 <= text[at - 1] <= 57):
            return at
        while place < end and _is_name(text[place]):
            place += 1
        if place >= end or not (text[place] <= 32 or text[place] == 62 or text[place] == 47):
            return at
    elif byte != 47 and byte != 33 and byte != 63:  # / ! ?
        return at
    last = min(end, at + MOST)
    while place < last and text[place] != 62:
        if text[place] == 60:
            return at
        place += 1
    return place + 1 if place < last else at


@njit(cache=True, nogil=True)
def _closing(text, at, end, number):  # type: ignore[no-untyped-def]
    """Where the closing phrase `number` stands from `at` on; -1 = nowhere."""
    first, last = _ENDS[number], _ENDS[number + 1]
    while at < end:
        if text[at] == _LETTERS[first] and is_at(text, at, end, _LETTERS, first, last):
            return at
        at += 1
    return -1


@njit(cache=True, nogil=True)
def count(text, begin, end):  # type: ignore[no-untyped-def]
    """Bytes of markup in text[begin:end]. Linear: a search for an end that is not there is not repeated."""
    total = 0
    at = begin
    missing = 0  # bits: closing phrases that do not occur any more
    while at < end:
        if text[at] != 60:
            at += 1
            continue
        stop = at
        if at + 3 < end and text[at + 1] == 33 and text[at + 2] == 45 and text[at + 3] == 45 and missing & 4 == 0:
            found = _closing(text, at + 4, end, 2)
            if found < 0:
                missing |= 4
            else:
                stop = found + 3
        if stop == at:
            stop = _tag_end(text, at, begin, end)
            if stop > at:
                for number in range(2):
                    # <script and <style are what their closing phrases are without the stroke.
                    size = _ENDS[number + 1] - _ENDS[number] - 2
                    if missing >> number & 1 == 0 and is_at(
                        text, at + 1, end, _LETTERS, _ENDS[number] + 2, _ENDS[number] + 2 + size
                    ):
                        found = _closing(text, stop, end, number)
                        if found < 0:
                            missing |= 1 << number
                        else:
                            stop = found
        if stop == at:
            at += 1
        else:
            total += stop - at
            at = stop
    return total
