"""Character references of HTML that are still there in text: &nbsp; &mdash; &amp;quot; &#8217; &#x4E2D;

They are left where a page escaped its text twice. Only references with a semicolon are read, of names that HTML 4
knows: they mean nothing else. &amp;amp;nbsp; and deeper ones are read to their end at once. A line that talks about
references, or quotes one, keeps all of its own.

What stands for marks of HTML itself (&lt; &gt; &amp; &quot; &apos; and &nbsp;) is what source code would show, so more
is asked: text that was escaped has no bare & and no <, since the escape would have caught them. It stays in a line that
has one or looks like code, in a text that has tags, or marks of code on one line in twenty and three or more, and where
it would read as a tag (&lt;br&gt;). Lines that look like code keep every reference in a text that has tags; and in such
texts, of other names only those of punctuation are read (&sum; may be an address in C).
"""

import re
from html.entities import name2codepoint

_NAMES = name2codepoint | {"apos": 0x27}
_REFERENCE = re.compile("&(?:amp;)*(?:#(\\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,7}));")
_BARE = re.compile("&(?!(?:#\\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,7});)|<|[\\w\"'/]>")
# Braces, back quotes and backslashes, ends of statements, assignments and calls, paths, and words that say that
# references are the matter; a reference in quotation marks or brackets is a quotation.
_CODE = re.compile("[{}`│\\\\]|;\\s*$|[=!+|&]=|\\w\\(\\)|->|=>|::|\\$\\w|://")
_TALK = re.compile(
    "\\b(?:HTML|html|XML|xml|entit(?:y|ies)|escap\\w+)\\b|实体|转义|跳脫|`"
    "|[\"'“‘「『(（\\[|]\\s*\0\\s*[\"'”’」』)）\\]|]"
)
_TAG = re.compile("&(?:amp;)*lt;(?:/|!|\\?|[A-Za-z])")
_MARKUP = frozenset((0x26, 0x3C, 0x3E, 0x22, 0x27, 0xA0))
# Names that are no word of a programming language (`p = &sum;`).
_TYPOGRAPHIC = frozenset(
    ("ldquo", "rdquo", "lsquo", "rsquo", "mdash", "ndash", "hellip", "bull", "middot", "laquo", "raquo")
)
_TAGS = re.compile("</?[A-Za-z][A-Za-z0-9]*(?:\\s[^<>\\n]{0,200})?/?>")
_SOURCE = re.compile("[{}`\\\\]|;\\s*$|[=!+|&]=|\\w\\(\\)|->|=>|::|\\$\\w", re.MULTILINE)
_ANGLES = frozenset((0x26, 0x3C, 0x3E))
_C1 = {byte: ord(bytes((byte,)).decode("cp1252", "replace")) for byte in range(0x80, 0xA0)}


def repaired(text: str) -> tuple[str, int]:
    """-> (text with such references read, how many)."""
    if not _REFERENCE.search(text):
        return text, 0
    lines, number = text.split("\n"), 0
    tags = _TAGS.search(text) is not None
    source = tags or _is_code(lines)
    for place, line in enumerate(lines):
        if "&" in line and _REFERENCE.search(line) and not _TALK.search(hidden := _hidden(line)):
            code = _CODE.search(hidden) is not None
            if code and tags:
                continue
            strict = source or code or _BARE.search(line) is not None
            lines[place], read = _read(line, strict, source, _TAG.search(line) is not None)
            number += read
    return "\n".join(lines), number


def _hidden(line: str) -> str:
    """The line with each reference as one character, so that its semicolon ends no statement."""
    return _REFERENCE.sub("\0", line) if "&" in line else line


def _is_code(lines: list[str]) -> bool:
    marked = sum(_SOURCE.search(_hidden(line)) is not None for line in lines)
    return marked >= 3 and 20 * marked >= len(lines)


def _read(line: str, strict: bool, source: bool, tags: bool) -> tuple[str, int]:
    number = 0

    def char(found: re.Match[str]) -> str:
        nonlocal number
        decimal, hexadecimal, name = found.groups()
        code = int(decimal) if decimal else int(hexadecimal, 16) if hexadecimal else _NAMES.get(name, 0)
        code = _C1.get(code, code)
        if not _printable(code) or (code in _MARKUP and (strict or (tags and code in _ANGLES))):
            return found[0]
        if source and name and name not in _TYPOGRAPHIC and code not in _MARKUP:
            return found[0]
        number += 1
        return chr(code)

    return _REFERENCE.sub(char, line), number


def _printable(code: int) -> bool:
    return (0x20 <= code < 0xD800 and not 0x7F <= code < 0xA0) or 0xE000 <= code < 0xFFFD or 0x10000 <= code < 0x110000
