"""Numbers of the metadata as columns."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import stages
from corpus import recipe
from corpus.errors import RecipeError
from stages.fields import Fields
from stages.judge import Judge


def columns(*metas: str | None, **parameters: Any) -> dict[str, list[Any]]:
    stage = Fields(**parameters)
    made = stage.apply(pa.record_batch({"meta": pa.array(metas, pa.string())}), None)
    assert {name: column.type for name, column in made.items()} == stage.adds
    return {name: column.to_pylist() for name, column in made.items()}


METAS = (
    '{"score":5,"accepted":true}',
    '{"score":-1.5,"accepted":false}',
    '{"score":"12","accepted":null}',
    '{"score":"many"}',
    '{"score":[1]}',
    '{"score":9007199254740993}',
    "[1]",
    None,
)


def test_numbers_are_taken_and_nothing_else() -> None:
    found = columns(*METAS, numbers=("score", "accepted"), missing={"accepted": 0})
    assert found["meta_score"] == [5, -1.5, 12, None, None, None, None, None]
    assert found["meta_accepted"] == [1, 0, 0, 0, 0, 0, 0, 0]


def test_a_judge_reads_them() -> None:
    judge = Judge(packs=("stackexchange-votes",))
    assert set(judge.reads) == {"meta_score", "meta_accepted"}
    metas = ('{"score":5}', '{"score":1,"accepted":true}', '{"score":1}', "{}")
    stage = Fields(numbers=("score", "accepted"), missing={"accepted": 0, "score": 3})
    batch = pa.record_batch(stage.apply(pa.record_batch({"meta": pa.array(metas)}), None))
    votes = "stackexchange-votes.min_meta_score"
    assert judge.apply(batch.select(list(judge.reads)), None)["drop"].to_pylist() == [None, None, votes, None]


def test_a_manifest_may_ask_for_them(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(
        'name = "a"\nseed = 1\n[[source]]\nname = "a"\nformat = "pile"\nfiles = ["a.jsonl"]\n[[stage]]\nkind = "fields"\n'
        'numbers = ["score", "accepted"]\n[[stage]]\nkind = "judge"\npacks = ["stackexchange-votes"]\n'
    )
    assert recipe.load(path, stages.Stage, stages.Reader).stages[0].adds == {
        "meta_score": pa.float64(),
        "meta_accepted": pa.float64(),
    }


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"numbers": ()}, "got none"),
        ({"numbers": ("Score",)}, r"\.numbers\[0\]: got 'Score'"),
        ({"numbers": ("a", "a")}, "named twice"),
        ({"numbers": ("a",), "missing": {"b": 1}}, r"\.missing\.b: not among"),
        ({"numbers": ("a",), "missing": {"a": float("nan")}}, r"\.missing\.a: got nan"),
    ],
)
def test_parameters_are_checked(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Fields(**parameters)
