"""What stands around a text goes, by example and by law."""

import hashlib
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpus.errors import RecipeError
from stages.trim import PARTS, Trim

BOOK = "Produced by A. Author\n\nCHAPTER I\n\nThe harbour was quiet.\n\nTHE END\n"
START = "*** START OF THIS PROJECT GUTENBERG EBOOK BOATS ***\n"
END = "*** END OF THIS PROJECT GUTENBERG EBOOK BOATS ***\n"
HEAD = "\nThe Project Gutenberg EBook of Boats\n\nTitle: Boats\n\n"
TAIL = "***** This file should be named 1.txt *****\nSection 1. General Terms of Use\n"
SMALL = "**Welcome To The World of Free Plain Vanilla Electronic Texts**\n\n*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n"
APACHE = (
    '# Copyright 2020 A. Author\n#\n# Licensed under the Apache License, Version 2.0 (the "License");\n'
    "# you may not use this file except in compliance with the License.\n#\n"
    "#     http://www.apache.org/licenses/LICENSE-2.0\n#\n# distributed on an AS IS basis, WITHOUT\n"
    "# WARRANTIES OR CONDITIONS OF ANY KIND.\n"
)
MAIL = "From a@b Mon Jan  1\nFrom: a@b.example\nTo: c@d.example\nSubject: boats\n in the harbour\nDate: now\n\nDear all,\nbye\n"
LATEX = (
    "\\documentclass{a}\n\\begin{document}\n\\section{A} 5\\% of it\n % a remark\ntext % stays\n"
    "\\begin{verbatim}\n% code\n\\end{verbatim}\n\\begin{thebibliography}{9}\n\\bibitem{a} A.\n\\end{thebibliography}\n"
    "B\n\\end{document}\nrest\n"
)


def trimmed(*texts: str | None, **parameters: Any) -> dict[str, list[Any]]:
    stage = Trim(**parameters)
    made = stage.apply(pa.record_batch({"text": pa.array(texts, pa.string())}), None)
    assert {name: column.type for name, column in made.items()} == Trim.adds
    return {name: column.to_pylist() for name, column in made.items()}


def left(text: str, *parts: str) -> str:
    return trimmed(text, parts=parts)["text"][0]


@pytest.mark.parametrize(
    ("head", "tail"),
    [
        (HEAD + START, END + TAIL),
        (HEAD + START, "End of the Project Gutenberg EBook of Boats, by A.\nAuthor\n\n" + END + TAIL),
        (
            HEAD + "***START OF THE PROJECT GUTENBERG EBOOK BOATS***\n",
            "***END OF THE PROJECT GUTENBERG EBOOK BOATS***\n",
        ),
        (HEAD + "*** START OF THE PROJECT GUTENBERG EBOOK BOATS AND\nOTHER TALES ***\n", END),
        (HEAD + SMALL, "End of Project Gutenberg's Etext of Boats, by A. Author\n"),
        (HEAD + START + SMALL, END),
        (HEAD + START, ""),
        ((HEAD + START).replace("\n", "\r\n"), END),
    ],
)
def test_gutenberg(head: str, tail: str) -> None:
    found = trimmed(head + BOOK + tail, BOOK)
    assert found["text"] == [BOOK, BOOK]
    assert found["trim_bytes"] == found["trim_gutenberg_bytes"] == [len(head + tail), 0]
    assert found["trims"][1] == []


@pytest.mark.parametrize(
    "text",
    [
        "I read it at Project Gutenberg.\n*** the end of it ***\n",
        "He wrote:\n*** START ***\ntext\n",
        "End of Project Gutenberg's work? No.\nmore\n",  # nothing marks the beginning
        "x" * (1 << 17) + "\n" + START + BOOK,
    ],
)
def test_what_is_no_frame_of_gutenberg_stays(text: str) -> None:
    assert left(text, "gutenberg") == text


def test_several_books_in_a_file() -> None:
    text = HEAD + START + BOOK + END + TAIL + HEAD + START + BOOK + END + TAIL
    assert left(text, "gutenberg") == BOOK + END + TAIL + HEAD + START + BOOK


CODE = "import a\n\n\ndef f():\n    return a  # Copyright (c) 2020 nobody\n"


@pytest.mark.parametrize(
    ("above", "kept"),
    [
        (APACHE + "\n", ""),
        ("#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n" + APACHE, "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n\n"),
        ("// SPDX-License-Identifier: MIT\n", ""),
        ("/* Copyright (c) 2020 A.\n * All rights reserved.\n */\n\n/* Boats. */\n", "/* Boats. */\n"),
        ("/* boats.c - boats\n *\n * Copyright (c) 2020 A.\n */\n", "/* boats.c - boats\n */\n"),
        ("/*\n * Copyright (c) 2020 A.\n *\n * Boats.\n */\n", "/*\n *\n * Boats.\n */\n"),
        ("/* Copyright (c) 2020 A.\n *\n * Boats.\n */\n", "/* Copyright (c) 2020 A.\n *\n * Boats.\n */\n"),
        ("// Copyright 2014 A. Author\n// Use of this source code is governed by a MIT style\n// license.\n\n// Package a.\n", "// Package a.\n"),
        ("# Boats.\n#\n# Copyright 2020 A.\n", "# Boats.\n"),
        ("# Boats.\n# SPDX-License-Identifier: MIT\n# and ships\n", "# Boats.\n# and ships\n"),
        ("<!-- Copyright (C) 2020 A -->\n", ""),
        ("-- Licensed under the MIT license\n", ""),
        ("# Checks who holds the copyright of a page.\n", "# Checks who holds the copyright of a page.\n"),
        ("/* Copyright (c) 2020 A. */ int a;\n", "/* Copyright (c) 2020 A. */ int a;\n"),
        ('"""Copyright (c) 2020 A."""\n', '"""Copyright (c) 2020 A."""\n'),
        ("", ""),
    ],
)  # fmt: skip
def test_licences(above: str, kept: str) -> None:
    found = trimmed(above + CODE)
    assert found["text"] == [kept + CODE]
    assert found["trim_licence_bytes"] == [len(above) - len(kept)]


@pytest.mark.parametrize(
    "text", ["# Copyright 2020 A.\n", "/* Copyright (c) 2020 A.\n never closed\nint a;\n", "# A title\n\nCopyright (c) 2020 A.\n"]
)  # fmt: skip
def test_licences_that_stay(text: str) -> None:
    assert left(text, "licence") == text


def test_the_subject_of_a_message_stays() -> None:
    found = trimmed(MAIL, MAIL.replace("Subject: boats\n in the harbour\n", ""), "Note: a\n\nb: c\n")
    assert found["text"][0] == "Subject: boats\n in the harbour\n\nDear all,\nbye\n"
    assert found["text"][1] == "Dear all,\nbye\n"
    assert found["text"][2] == "Note: a\n\nb: c\n"


def test_latex() -> None:
    assert trimmed(LATEX)["text"] == [LATEX]  # off unless named
    body = LATEX[LATEX.index("\\section") : LATEX.index("\\end{document}")]
    assert left(LATEX, "latex_frame") == body
    assert left(LATEX, "latex_comments") == LATEX.replace(" % a remark\n", "")
    whole = left(LATEX, "latex_frame", "latex_comments", "latex_references")
    assert whole == "\\section{A} 5\\% of it\ntext % stays\n\\begin{verbatim}\n% code\n\\end{verbatim}\nB\n"


def test_a_byte_counts_once() -> None:
    text = "% about it\n\\begin{document}\nA\n"
    found = trimmed(text, parts=("latex_frame", "latex_comments"))
    assert (found["trim_latex_frame_bytes"], found["trim_latex_comments_bytes"]) == ([len(text) - 2], [0])


def test_the_account_shows_what_went() -> None:
    (account,) = Trim().account({"text": APACHE + CODE}, None)
    assert account.title == "1 change of lines"
    assert account.rows == [{"before": APACHE.rstrip("\n"), "after": ""}]
    assert Trim().account({"text": CODE}, None) == []


def test_values_change_only_with_the_revision() -> None:
    texts = (HEAD + START + BOOK + END + TAIL, APACHE + CODE, MAIL, LATEX)
    values = repr(sorted(trimmed(*texts, parts=PARTS).items()))
    got = (Trim.revision, hashlib.sha256(values.encode()).hexdigest()[:16])
    assert got == (1, "917a1d397dd38ac9"), "bump the revision, then pin"


def test_parts_are_checked() -> None:
    with pytest.raises(RecipeError, match=r"\.parts\[0\]: got 'latex'"):
        Trim(parts=("latex",))
    with pytest.raises(RecipeError, match="got none"):
        Trim(parts=())


pieces = st.one_of(
    st.sampled_from([HEAD, START, END, SMALL, BOOK, APACHE, CODE, MAIL, LATEX, *LATEX.splitlines(True), "/*", "*/\n", "é", "\n"]),
    st.text(max_size=12),
)  # fmt: skip
documents = st.lists(pieces, max_size=8).map("".join)


@settings(max_examples=100, deadline=None)
@given(st.lists(documents, min_size=1, max_size=4), st.sets(st.sampled_from(PARTS), min_size=1))
def test_laws(texts: list[str], parts: set[str]) -> None:
    chosen = tuple(sorted(parts))
    found = trimmed(*texts, parts=chosen)
    for number, text in enumerate(texts):
        data, spans = text.encode(), found["trims"][number]
        places = [0, *(place for span in spans for place in (span["start"], span["end"])), len(data)]
        kept = b"".join(data[a:b] for a, b in zip(places[::2], places[1::2], strict=True))
        assert kept.decode() == found["text"][number]
        assert places == sorted(places)
        assert found["trim_bytes"][number] == len(data) - len(kept)
        assert found["trim_bytes"][number] == sum(found[f"trim_{part}_bytes"][number] for part in PARTS)
        assert all(found[f"trim_{part}_bytes"][number] == 0 for part in set(PARTS) - parts)
        # Whole lines go.
        assert all(start == 0 or data[start - 1 : start] == b"\n" for start in places[1:-1:2])
        assert all(end == len(data) or data[end - 1 : end] == b"\n" for end in places[2:-1:2])
        alone = trimmed(text, parts=chosen)
        assert all(alone[name][0] == found[name][number] for name in alone)
