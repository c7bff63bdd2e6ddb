"""Domains: what source code, LaTeX, mail, chat, questions and books are told and judged by, where prose signals fail.

reads text    adds the columns of `DOMAIN_SIGNALS` below

It drops nothing. Counts are int32; shares and rates are float32, rounded to multiples of 2**-12; a share whose
denominator is 0 is 0. Characters are code points, white space among them, as Codex and StarCoder count; lines have a
visible character (`signals` measures their lengths). Nothing asks what domain a text is of: every column is measured
for each, and a pack of a domain asks for those that mean something there.

It may stand before `normalise` as well as behind it; only before are there control characters.

To add a column made of counts that exist, add a line to the table; a new shape of line goes into `domain_lines.py`.
Memory: 400 bytes a document.
"""

from typing import ClassVar

import numpy as np
import pyarrow as pa
from numba import njit

from corpus.stage import Columns, Map
from stages import domain_lines, encoded, gutenberg, licence, mail, markup, tex
from stages.characters import DIGIT, HAN, LETTER, TABLE_SIZE, decode, far_kind, kinds, utf8
from stages.signals import Signal, rounded

# Counts of a document, in the order of the kernel's table: its own, then those of `domain_lines` and of `tex`.
_OWN = (
    "chars",
    "bytes",
    "alphabetic",
    "alphanumeric",
    "controls",
    "encoded",
    "longest_encoded",
    "markup",
    "xml_head",
    "generated_marks",
    "licence",
    "mail_header_lines",
    "gutenberg_lines",
)
CHARS, BYTES, ALPHA, ALNUM, CONTROLS, ENCODED, LONGEST, MARKUP, XML, GENERATED, LICENCE, HEADER, GUTENBERG = range(13)
COUNTS = (*_OWN, *domain_lines.COUNTS, *(f"tex_{name}" for name in tex.COUNTS))
_LINES_AT = len(_OWN)
_TEX_AT = _LINES_AT + len(domain_lines.COUNTS)

# Sources, by short name:
#   codex       Chen et al. 2021, section 3.1            starcoder   Li et al. 2023; bigcode-dataset, preprocessing
#   starcoder2  Lozhkov et al. 2024, section 2.1         redpajama   RedPajama-Data, data_prep
#   pile        EleutherAI/stackexchange-dataset
DOMAIN_SIGNALS: dict[str, Signal] = {
    name: Signal(part, whole, scale, meaning, source)
    for name, part, whole, scale, meaning, source in (
        ("alnum_share", "alphanumeric", "chars", 1, "letters and digits among all characters", "codex; redpajama"),
        ("alpha_share", "alphabetic", "chars", 1, "letters among all characters", "starcoder2"),
        (
            "control_per_1000",
            "controls",
            "chars",
            1000,
            "C0 controls but tab, LF, FF and CR: 0 behind `normalise`",
            "binary files",
        ),
        ("encoded_share", "encoded", "bytes", 1, "base64, hexadecimal bytes and escapes, of bytes", "starcoder2"),
        ("longest_encoded_bytes", "longest_encoded", "", 1, "bytes of the longest run of them", "starcoder2"),
        ("markup_share", "markup", "bytes", 1, "tags, scripts and styles, of bytes", "starcoder"),
        ("xml_head", "xml_head", "", 1, "1 = `<?xml` stands in the first 100 bytes", "starcoder"),
        ("generated_marks", "generated_marks", "", 1, "lines at the top that say that a tool wrote it", "starcoder2"),
        ("licence_head_bytes", "licence", "", 1, "bytes of licences in comments at the top", ""),
        ("indented_line_share", "indented_lines", "lines", 1, "lines that begin with a tab or two spaces", ""),
        (
            "comment_line_share",
            "comment_lines",
            "lines",
            1,
            "lines that begin like a comment",
            "starcoder, of characters",
        ),
        ("number_line_share", "number_lines", "lines", 1, "lines of which half is digits", ""),
        ("stamped_line_share", "stamped_lines", "lines", 1, "lines that begin with a time or a date: logs", ""),
        ("latex_commands_per_1000", "tex_commands", "chars", 1000, "backslash and letters", ""),
        ("latex_sections", "tex_sections", "", 1, "headings, from part to paragraph", "redpajama: none = no text"),
        ("math_share", "tex_math", "bytes", 1, "mathematics of LaTeX, of bytes", ""),
        ("latex_table_share", "tex_table", "bytes", 1, "tables of LaTeX, of bytes", ""),
        ("latex_comment_line_share", "tex_comment_lines", "lines", 1, "lines that begin with %", "redpajama"),
        ("latex_set_up_line_share", "tex_set_up_lines", "lines", 1, "lines that define or load something", ""),
        ("preamble_share", "tex_preamble", "bytes", 1, "what stands before the document, of bytes", "redpajama"),
        ("bibliography_share", "tex_references", "bytes", 1, "references, of bytes", "redpajama"),
        ("mail_header_lines", "mail_header_lines", "", 1, "lines of the header of a message", ""),
        ("quoted_line_share", "quoted_lines", "lines", 1, "lines that begin with >", ""),
        ("signature_lines", "signature_lines", "", 1, "lines behind the last line `--`, at most 30", "RFC 3676, 4.3"),
        ("chat_line_share", "chat_lines", "lines", 1, "lines that begin with <name>, perhaps behind a time", ""),
        ("system_line_share", "system_lines", "lines", 1, "lines in which a chat program speaks", ""),
        ("questions", "questions", "", 1, "lines that begin with Q:", "pile"),
        ("answers", "answers", "", 1, "lines that begin with A:", "pile"),
        ("gutenberg_lines", "gutenberg_lines", "", 1, "lines that name Project Gutenberg", ""),
        ("chapters", "chapter_lines", "", 1, "lines that begin with chapter, book, part, act … and a number", ""),
        ("caps_line_share", "caps_lines", "lines", 1, "lines in capitals", ""),
        ("contents_line_share", "contents_lines", "lines", 1, "lines that end in dots and a number", ""),
        ("abstract_heads", "abstract_heads", "", 1, "lines that begin with Methods:, Results: …", ""),
    )
}
TYPES: dict[str, pa.DataType] = {
    name: pa.float32() if signal.whole else pa.int32() for name, signal in DOMAIN_SIGNALS.items()
}

# What an ASCII byte adds to the counts of characters.
_LETTER, _DIGIT, _CONTROL = 1, 2, 4


def _ascii() -> np.ndarray:
    table = np.zeros(128, np.uint8)
    for byte in range(128):
        letter, digit = chr(byte).isalpha(), chr(byte).isdigit()
        control = (byte < 32 and byte not in (9, 10, 12, 13)) or byte == 127
        table[byte] = _LETTER * letter | _DIGIT * digit | _CONTROL * control
    return table


_ASCII = _ascii()


@njit(cache=True, nogil=True)
def _characters(text, begin, end, far, out):  # type: ignore[no-untyped-def]
    at = begin
    chars = 0
    letters = 0
    digits = 0
    controls = 0
    while at < end:
        chars += 1
        byte = text[at]
        if byte < 128:
            kind = _ASCII[byte]
            letters += kind & _LETTER
            digits += (kind & _DIGIT) >> 1
            controls += (kind & _CONTROL) >> 2
            at += 1
            continue
        code, size = decode(text, at, end)
        kind = far[code] if code < TABLE_SIZE else far_kind(code)
        letters += HAN <= kind <= LETTER
        digits += kind == DIGIT
        at += size
    out[CHARS] += chars
    out[BYTES] += end - begin
    out[ALPHA] += letters
    out[ALNUM] += letters + digits
    out[CONTROLS] += controls


@njit(cache=True, nogil=True)
def count(text, bounds, far, table):  # type: ignore[no-untyped-def]
    """Fill `table`, (n, len(COUNTS)) int64 of zeros. text, bounds: as `stages.characters.utf8` gives them."""
    starts = np.empty(licence.TOP_LINES + 1, np.int64)
    block = np.empty(licence.TOP_LINES, np.int64)
    found = np.empty(licence.TOP_LINES, np.bool_)
    marks = np.empty(licence.TOP_LINES, np.bool_)
    no_spans = np.empty((0, 3), np.int64)
    for document in range(bounds.size - 1):
        begin, end = np.int64(bounds[document]), np.int64(bounds[document + 1])
        out = table[document]
        _characters(text, begin, end, far, out)
        out[ENCODED], out[LONGEST] = encoded.count(text, begin, end)
        out[MARKUP] = markup.count(text, begin, end)
        for at in range(begin, min(end, begin + 100) - 4):
            if text[at] == 60 and text[at + 1] == 63 and text[at + 2] | 32 == 120 and text[at + 3] | 32 == 109:
                out[XML] = 1  # <?xm
        lines = licence.read_top(text, begin, end, starts, block, found)
        out[GENERATED] = licence.generated_marks(text, begin, end, starts, block, lines)
        licence.mark(text, starts, block, found, lines, marks)
        for line in range(lines):
            if marks[line]:
                out[LICENCE] += starts[line + 1] - starts[line]
        out[HEADER] = mail.header(text, begin, end)[0]
        out[GUTENBERG] = gutenberg.mentions(text, begin, end)
        domain_lines.count(text, begin, end, out[_LINES_AT:_TEX_AT])
        for at in range(begin, end):
            if text[at] == 92:  # a backslash: else there is no command
                tex.walk(text, begin, end, out[_TEX_AT:], no_spans)
                break


class Domains(Map, frozen=True, kw_only=True, tag="domains"):
    """No parameters: thresholds belong to `judge`."""

    revision: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = TYPES

    def apply(self, batch: pa.RecordBatch, model: None) -> Columns:
        text, bounds = utf8(batch["text"])
        table = np.zeros((len(batch), len(COUNTS)), np.int64)
        count(text, bounds, kinds(), table)
        counts = dict(zip(COUNTS, table.T, strict=True))
        columns: Columns = {}
        for name, signal in DOMAIN_SIGNALS.items():
            part = counts[signal.part]
            if signal.whole:
                whole = counts[signal.whole]
                columns[name] = pa.array(rounded(np.where(whole > 0, part * signal.scale / np.maximum(whole, 1), 0.0)))
            else:
                columns[name] = pa.array(part.astype(np.int32))
        return columns
