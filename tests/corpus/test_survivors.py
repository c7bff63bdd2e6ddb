"""Survivors taken for a tokenizer: by the mixture, by a hash of ids, none that was dropped or held out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st

from corpus import recipe
from corpus.build import Builder
from corpus.errors import InputError, RecipeError
from corpus.graph import Graph
from corpus.local import Local
from corpus.progress import Progress
from corpus.recipe import Mixture
from corpus.stage import Columns, Map
from corpus.store import Blobs
from corpus.survivors import Available, Sample, before_tokens, bring_up_to_date, proportions, sample, window

MANIFEST = """name = "small"
seed = 7
[[source]]
name = "one"
format = "lines"
files = ["*.txt"]
root = "one"
read = {{ partition_rows = {rows} }}
[[source]]
name = "two"
format = "lines"
files = ["*.txt"]
root = "two"
[[stage]]
kind = "size"
[[stage]]
kind = "at-least"
chars = {chars}
[[stage]]
kind = "tongue"
[[stage]]
kind = "halves"
only = ["two"]
[[stage]]
kind = "encode"
tokenizer = "not there yet"
[mixture]
{mixture}
"""


class Tongue(Map, frozen=True, kw_only=True, tag="tongue"):
    """reads text   adds lang, split"""

    reads: ClassVar[tuple[str, ...]] = ("text",)
    adds: ClassVar[dict[str, pa.DataType]] = {"lang": pa.string(), "split": pa.string()}

    def apply(self, batch: pa.RecordBatch, model: Any) -> Columns:
        texts = batch["text"].to_pylist()
        return {
            "lang": pa.array(["zh" if "字" in text else None for text in texts], pa.string()),
            "split": pa.array(["heldout" if "held" in text else "train" for text in texts], pa.string()),
        }


STAGES = toys.Size | toys.AtLeast | Tongue | toys.Halves | toys.Encode


def taken(folder: Path, rows: int = 7, size: int = 10**9, document_bytes: int = 1000, **told: Any) -> Sample:
    values = {"mixture": "", "chars": 3} | told
    for source in ("one", "two"):
        (folder / source).mkdir(parents=True, exist_ok=True)
    lines = [f"number {i} of them" for i in range(40)] + [f"字 {i} 字" for i in range(10)]
    lines += ["!", "no", "held out", "a line that is twice as long as the others, or so"]
    (folder / "one" / "a.txt").write_text("\n".join(lines) + "\n")
    (folder / "two" / "b.txt").write_text("\n".join(f"line {i} of two" for i in range(10)) + "\n")
    path = folder / "m.toml"
    path.write_text(MANIFEST.format(rows=rows, **values))
    plan = recipe.load(path, STAGES, toys.Lines)
    builder = Builder(Graph(before_tokens(plan), Blobs(str(folder / "store"))), Local(), Progress(quiet=True))
    bring_up_to_date(builder, Blobs(str(folder / "out")))
    return sample(builder, plan.mixture, plan.seed, size, document_bytes)


def test_everything_that_survives_and_is_not_held_out(tmp_path: Path) -> None:
    found = taken(tmp_path)
    assert found.available["one"].documents == 51
    texts = {one.text for one in found.chosen if one.source == "one"}
    assert len(texts) == 51
    assert not texts & {"!", "no", "held out"}
    halves = [one.text for one in found.chosen if one.source == "two"]
    assert sorted(halves) == sorted([" of two"] * 10 + [f"line {i}" for i in range(10)])
    languages = {one.language for one in found.chosen}
    assert languages == {"zh", "unknown"}
    assert sum(one.language == "zh" for one in found.chosen) == 10


def test_the_sample_is_the_same_however_the_files_are_cut(tmp_path: Path) -> None:
    one, other = taken(tmp_path / "a", rows=7, size=300), taken(tmp_path / "b", rows=1000, size=300)
    assert [(c.source, c.order, c.text) for c in one.chosen] == [(c.source, c.order, c.text) for c in other.chosen]
    more = taken(tmp_path / "a", size=500)
    assert {c.text for c in one.chosen} < {c.text for c in more.chosen}  # a larger sample holds the smaller one
    assert 300 <= sum(len(c.text.encode()) for c in one.chosen) < 400


def test_the_mixture_decides_how_much_of_each(tmp_path: Path) -> None:
    found = taken(tmp_path, size=200, mixture='unit = "weights"\none = 3\ntwo = 1')
    assert found.asked_bytes == {"one": 150, "two": 50}
    assert {c.source for c in taken(tmp_path, mixture='unit = "epochs"\ntwo = 0').chosen} == {"one"}
    with pytest.raises(RecipeError, match="no weight for two"):
        taken(tmp_path, mixture='unit = "weights"\none = 3')
    with pytest.raises(RecipeError, match="no source that has text has a weight above 0"):
        taken(tmp_path, mixture='unit = "epochs"\none = 0\ntwo = 0')


def test_nothing_survives(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no document survives"):
        taken(tmp_path, chars=1000)


@given(
    st.dictionaries(
        st.sampled_from("abcdef"), st.tuples(st.integers(0, 1000), st.integers(0, 9)), min_size=1, max_size=6
    ),
    st.integers(1, 3000),
)
def test_proportions(sources: Mapping[str, tuple[int, int]], total: int) -> None:
    """What can be given is given; no source gives more than it has; of those that have left, in proportion."""
    available = {name: Available(1, size, size) for name, (size, _) in sources.items()}
    weights = {name: float(weight) for name, (_, weight) in sources.items()}
    there = sum(size for size, weight in sources.values() if weight)
    if not there:
        with pytest.raises(RecipeError):
            proportions(Mixture("weights", weights), available, total)
        return
    asked = proportions(Mixture("weights", weights), available, total)
    assert abs(sum(asked.values()) - min(total, there)) <= len(asked)
    assert all(0 <= asked[name] <= size for name, (size, _) in sources.items())
    rest = {name: asked[name] / weights[name] for name, (size, w) in sources.items() if w and asked[name] < size}
    assert not rest or max(rest.values()) - min(rest.values()) <= 1


@given(st.text(min_size=1), st.integers(0, 2**64 - 1), st.integers(1, 20))
def test_a_window_is_a_piece_of_the_text(text: str, order: int, size: int) -> None:
    text = text.encode(errors="ignore").decode()
    piece = window(text, order, size)
    assert piece in text
    assert len(text.encode()) <= size or size - 6 <= len(piece.encode()) <= size
    assert window(text, order, 10**6) == text
