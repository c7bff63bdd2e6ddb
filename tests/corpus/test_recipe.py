"""A wrong manifest is answered with file, field path, value, what was expected, nearest name."""

from pathlib import Path

import pytest
import toys

from corpus import recipe
from corpus.errors import RecipeError

GOOD = """
name = "m"
[[source]]
name = "s"
format = "lines"
files = ["*.txt"]
[[stage]]
kind = "upper"
[[stage]]
kind = "size"
[[stage]]
kind = "at-least"
chars = 3
"""


def load(folder: Path, text: str, **kwargs: object) -> recipe.Recipe:
    path = folder / "m.toml"
    path.write_text(text)
    return recipe.load(path, toys.Stages, toys.Readers, **kwargs)  # type: ignore[arg-type]


def test_a_good_one(tmp_path: Path) -> None:
    got = load(tmp_path, GOOD)
    assert [s.label for s in got.chain("s")] == ["lines", "upper", "size", "at-least"]
    assert got.sources[0].root == str(tmp_path)


def test_relative_roots_lie_beside_the_manifest_and_may_be_given(tmp_path: Path) -> None:
    assert load(tmp_path, GOOD, roots={"s": "/data"}).sources[0].root == "/data"
    assert load(tmp_path, GOOD, roots={"*": "s3://bucket/x"}).sources[0].root == "s3://bucket/x"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("chars = 3", 'chars = "three"', r"m\.toml: \$\.stage\[2\]\.chars: got 'three'\. Expected `int`, got `str`\."),
        ("chars = 3", "chras = 3", r"\$\.stage\[2\]\.chras: no such field\. Did you mean `chars`\?"),
        ('kind = "size"', 'kind = "sise"', r"\$\.stage\[1\]\.kind: got 'sise'\. Did you mean `size`\?"),
        ('kind = "size"', 'label = "x"', r"\$\.stage\[1\]\.kind: this field is required and is missing"),
        ('format = "lines"', 'format = "line"', r"\$\.source\[0\]\.format: got 'line'\. Did you mean `lines`\?"),
        ('files = ["*.txt"]', 'files = ["/etc/*"]', r"\$\.source\[0\]\.files: got '/etc/\*'\. Patterns are relative"),
        ('files = ["*.txt"]', "", r"\$\.source\[0\]\.files: this field is required and is missing"),
        ('files = ["*.txt"]', "files = [3]", r"\$\.source\[0\]\.files\[0\]: got 3\. Expected `str`, got `int`"),
        ('name = "m"', 'name = "My corpus"', r"\$\.name: got 'My corpus'\. Expected lower-case letters"),
        ('name = "m"', 'nmae = "m"', r"\$\.nmae: no such field\. Did you mean `name`\?"),
        ('name = "m"', 'name = "m"\nseed = -1', r"\$\.seed: got -1\. Expected a whole number"),
        ("chars = 3", 'only = ["z"]', r"\$\.stage\[2\]\.only: got 'z': no such source"),
        ("chars = 3", 'name = "size"', r"\$\.stage\[2\]\.name: two stages are called 'size'"),
        (
            '[[stage]]\nkind = "size"\n',
            "",
            r"stage `at-least` reads `chars`, which no earlier stage of source `s` adds",
        ),
        (
            "chars = 3",
            '[mixture]\nunit = "pounds"',
            r"\$\.mixture\.unit: got 'pounds'\. Expected `epochs` or `weights`",
        ),
        ("chars = 3", "[mixture]\nt = 1.0", r"\$\.mixture\.t: no such source"),
        ("chars = 3", "chars = ", r"not valid TOML"),
        ("[[source]]", "[source]", r"\$\.source: got a single value\. Write \[\[source\]\]"),
    ],
)
def test_wrong(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    with pytest.raises(RecipeError, match=message):
        load(tmp_path, GOOD.replace(old, new, 1))


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="there is no such manifest"):
        recipe.load(tmp_path / "none.toml", toys.Stages, toys.Readers)
