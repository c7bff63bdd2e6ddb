"""How the blocks that stay become a text."""

import numpy as np
import pytest

from stages.html_blocks import segment
from stages.main_text import main_text


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("<h1>a</h1><p>b<br>c</p><p>d</p>", "a\n\nb\nc\n\nd"),
        ("<p>a</p><ul><li>b<li>c</ul><p>d", "a\n\n- b\n- c\n\nd"),
        ("<ol><li>a<li>b<li>c</ol>", "1. a\n2. b\n3. c"),
        ("<ul><li>a<br>b<li>c</ul>", "- a\nb\n- c"),
        ("<table><tr><th>a<th>b<tr><td>c<td>d</table>e", "a | b\nc | d\n\ne"),
        ("<dl><dt>a<dd>b<dt>c<dd>d</dl>", "a\nb\nc\nd"),
        ("<pre>x\n  y</pre>", "x\n  y"),
        ("", ""),
    ],
)
def test_structure(page: str, expected: str) -> None:
    blocks = segment(np.frombuffer(page.encode(), dtype=np.uint8), 1000)
    assert main_text(blocks, np.ones(len(blocks.table), dtype=bool)) == expected


def test_items_keep_their_numbers_where_others_are_left_out() -> None:
    page = "<ol>" + "".join(f"<li>{letter}" for letter in "abcdefghijkl") + "</ol>"
    blocks = segment(np.frombuffer(page.encode(), dtype=np.uint8), 1000)
    kept = np.zeros(12, dtype=bool)
    kept[[1, 10]] = True
    assert main_text(blocks, kept) == "2. b\n11. k"
    assert main_text(blocks, np.zeros(12, dtype=bool)) == ""
