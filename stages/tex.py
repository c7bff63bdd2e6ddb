"""LaTeX: which parts of a file are set-up, comment, mathematics, tables and references.

One walk in which TeX's own rules decide: `%` not behind a backslash begins a comment, which lasts to the line's end;
`$` and `$$` open and close mathematics, and inline mathematics ends at an empty line, which is an error to TeX; `\\(`,
`\\[` and the environments below do the same. In verbatim environments nothing is a command.

Source of what is no text: RedPajama, data_prep/arxiv/arxiv_cleaner.py: what stands before the first section, comments,
and the references; and all of a file without a section.
"""

from numba import njit

from stages.byte_words import blanks_end, is_at, line_end, phrases, which_at

_MATH = phrases(
    ["equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "flalign", "alignat", "dmath"]
)
_TABLE = phrases(["tabular", "longtable", "tabu", "table"])
_LITERAL = phrases(["verbatim", "lstlisting", "minted", "filecontents", "comment"])
_REFERENCES = phrases(["thebibliography", "references"])
_SECTION = phrases(["part", "chapter", "section", "subsection", "subsubsection", "paragraph"])
_SET_UP = phrases(
    ["newcommand", "renewcommand", "providecommand", "def", "gdef", "edef", "let", "newtheorem", "newenvironment",
     "renewenvironment", "declaremathoperator", "usepackage", "requirepackage", "documentclass", "setlength",
     "setcounter", "newif", "input", "makeatletter", "makeatother", "theoremstyle", "newcounter", "newlength",
     "addtolength", "hypersetup", "definecolor", "geometry", "pagestyle", "expandafter", "fi", "else", "newcount",
     "ifthenelse", "declareoption", "providespackage", "passoptionstopackage", "defaultfontfeatures"]
)  # fmt: skip
_MATH_LETTERS, _MATH_ENDS, _MATH_FIRSTS = _MATH
_TABLE_LETTERS, _TABLE_ENDS, _TABLE_FIRSTS = _TABLE
_LITERAL_LETTERS, _LITERAL_ENDS, _LITERAL_FIRSTS = _LITERAL
_REFERENCES_LETTERS, _REFERENCES_ENDS, _REFERENCES_FIRSTS = _REFERENCES
_SECTION_LETTERS, _SECTION_ENDS, _SECTION_FIRSTS = _SECTION
_SET_UP_LETTERS, _SET_UP_ENDS, _SET_UP_FIRSTS = _SET_UP
_WORDS = phrases(["begin{", "end{", "document}"])
_WORD_LETTERS, _WORD_ENDS, _WORD_FIRSTS = _WORDS

# What `walk` fills: counts of bytes and lines.
COUNTS = ("commands", "sections", "math", "table", "references", "preamble", "comment_lines", "set_up_lines")
COMMANDS, SECTIONS, MATH, TABLE, REFERENCES, PREAMBLE, COMMENT_LINES, SET_UP_LINES = range(len(COUNTS))

# Kinds of spans.
FRAME, COMMENT, REFERENCE = 1, 2, 3


@njit(cache=True, nogil=True, inline="always")
def _is_letter(byte):  # type: ignore[no-untyped-def]
    return 97 <= (byte | 32) <= 122


@njit(cache=True, nogil=True)
def _named(text, at, end, letters, ends, firsts):  # type: ignore[no-untyped-def]
    """Whether the name at `at` is one of the phrases: behind it stands no letter."""
    for number in range(ends.size - 1):
        if firsts[text[at]] and is_at(text, at, end, letters, ends[number], ends[number + 1]):
            stop = at + ends[number + 1] - ends[number]
            if stop >= end or not _is_letter(text[stop]):
                return True
    return False


@njit(cache=True, nogil=True)
def walk(text, begin, end, counts, spans):  # type: ignore[no-untyped-def]
    """Count, and mark whole lines -> how many spans.

    counts  (len(COUNTS),) int64, added to
    spans   (n, 3) int64: start, end, kind. FRAME: up to the line of `\\begin{document}`, and from that behind
            `\\end{document}` on; COMMENT: lines that are a comment; REFERENCE: the environment of the references.
            What does not fit is left out.
    """
    at = begin
    found = 0
    opened = -1  # where mathematics began
    closer = 0  # what ends it: 1 `$`, 2 `$$`, 3 `\)`, 4 `\]`, 5 \end
    table = -1
    depth = 0  # of tables
    references = -1
    literal = False
    line = begin
    fresh = True  # at the beginning of a line
    while at < end:
        if fresh:
            fresh = False
            line = at
            first = blanks_end(text, at, end)
            if first < end and text[first] == 10:
                if closer == 1 or closer == 3:  # an empty line ends inline mathematics, so it was none
                    closer = 0
            elif first < end and text[first] == 37 and not literal:
                stop = line_end(text, first, end)
                counts[COMMENT_LINES] += 1
                if found < len(spans):
                    spans[found, 0] = line
                    spans[found, 1] = min(stop + 1, end)
                    spans[found, 2] = COMMENT
                    found += 1
                at = stop + 1
                fresh = True
                continue
            elif first + 1 < end and text[first] == 92 and not literal:
                counts[SET_UP_LINES] += _named(text, first + 1, end, _SET_UP_LETTERS, _SET_UP_ENDS, _SET_UP_FIRSTS)
        byte = text[at]
        if byte == 10:
            fresh = True
            at += 1
        elif byte == 92 and at + 1 < end:  # backslash
            following = text[at + 1]
            if not _is_letter(following):
                if not literal:
                    if (following == 40 or following == 91) and closer == 0 and (at == begin or text[at - 1] != 92):
                        opened = at
                        closer = 3 if following == 40 else 4
                    elif (following == 41 and closer == 3) or (following == 93 and closer == 4):
                        counts[MATH] += at + 2 - opened
                        closer = 0
                at += 2 if following != 10 else 1
                continue
            at += 1
            begins = is_at(text, at, end, _WORD_LETTERS, _WORD_ENDS[0], _WORD_ENDS[1])
            ends = not begins and is_at(text, at, end, _WORD_LETTERS, _WORD_ENDS[1], _WORD_ENDS[2])
            counts[COMMANDS] += not literal
            if begins or ends:
                name = at + (6 if begins else 4)
                if name >= end:
                    break
                if which_at(text, name, end, _LITERAL_LETTERS, _LITERAL_ENDS, _LITERAL_FIRSTS) >= 0:
                    literal = begins
                elif literal:
                    pass
                elif _named(text, name, end, _MATH_LETTERS, _MATH_ENDS, _MATH_FIRSTS):
                    if begins and closer == 0:
                        opened = at - 1
                        closer = 5
                    elif ends and closer == 5:
                        counts[MATH] += at - 1 - opened
                        closer = 0
                elif which_at(text, name, end, _TABLE_LETTERS, _TABLE_ENDS, _TABLE_FIRSTS) >= 0:
                    if begins:
                        if depth == 0:
                            table = at - 1
                        depth += 1
                    elif depth > 0:
                        depth -= 1
                        if depth == 0:
                            counts[TABLE] += at - 1 - table
                elif which_at(text, name, end, _REFERENCES_LETTERS, _REFERENCES_ENDS, _REFERENCES_FIRSTS) >= 0:
                    if begins:
                        references = line
                    elif references >= 0:
                        stop = min(line_end(text, at, end) + 1, end)
                        counts[REFERENCES] += stop - references
                        if found < len(spans):
                            spans[found, 0] = references
                            spans[found, 1] = stop
                            spans[found, 2] = REFERENCE
                            found += 1
                        references = -1
                elif is_at(text, name, end, _WORD_LETTERS, _WORD_ENDS[2], _WORD_ENDS[3]):
                    stop = min(line_end(text, at, end) + 1, end)
                    if begins and counts[PREAMBLE] == 0:
                        counts[PREAMBLE] = stop - begin
                        closer = 0
                        depth = 0
                        if found < len(spans):
                            spans[found, 0] = begin
                            spans[found, 1] = stop
                            spans[found, 2] = FRAME
                            found += 1
                    elif ends and counts[PREAMBLE] > 0:
                        if found < len(spans):
                            spans[found, 0] = line
                            spans[found, 1] = end
                            spans[found, 2] = FRAME
                            found += 1
                        break  # TeX reads no further
            elif not literal:
                counts[SECTIONS] += _named(text, at, end, _SECTION_LETTERS, _SECTION_ENDS, _SECTION_FIRSTS)
            while at < end and _is_letter(text[at]):
                at += 1
        elif literal:
            at += 1
        elif byte == 37:  # %, not behind a backslash
            at = line_end(text, at, end)
        elif byte == 36:  # $
            double = at + 1 < end and text[at + 1] == 36
            if closer == 0:
                opened = at
                closer = 2 if double else 1
                at += 2 if double else 1
            elif closer == 2 and double:
                counts[MATH] += at + 2 - opened
                closer = 0
                at += 2
            elif closer == 1:
                counts[MATH] += at + 1 - opened
                closer = 0
                at += 1
            else:
                at += 1
        else:
            at += 1
    if counts[COMMANDS] == 0:
        counts[MATH] = 0  # dollars
    return found
