"""The model of blocks: its file, its card, its answers."""

import hashlib
import tomllib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages import block_trees
from stages.block_features import FEATURES, NAMES, features
from stages.block_trees import LEAF, NODE
from stages.html_blocks import segment


def test_the_card_names_the_file_that_is_there() -> None:
    card = tomllib.loads(block_trees.PATH.with_suffix(".toml").read_text(encoding="utf-8"))
    assert hashlib.sha256(block_trees.PATH.read_bytes()).hexdigest() == card["sha256"]
    assert card["trees"] == len(block_trees.trees())
    assert card["features"] == FEATURES == len(set(NAMES))


def test_every_path_ends_in_a_leaf() -> None:
    model = block_trees.trees()
    inner = model["feature"] != LEAF
    number = np.arange(model.shape[1])
    # Children stand behind their parents, so no path is endless.
    assert (model["left"][inner] > np.broadcast_to(number, model.shape)[inner]).all()
    assert (model["right"][inner] > np.broadcast_to(number, model.shape)[inner]).all()
    assert model["left"].max() < model.shape[1]
    assert model["right"].max() < model.shape[1]


@given(st.integers(0, 2**32 - 1))
def test_odds_are_the_sum_over_the_trees(seed: int) -> None:
    values = np.random.default_rng(seed).choice(np.array([0, 0.25, 1, 40, 500], np.float32), (3, FEATURES))
    expected = []
    for row in values:
        total = 0.0
        for tree in block_trees.trees():
            node = 0
            while tree["feature"][node] != LEAF:
                below = row[tree["feature"][node]] <= tree["threshold"][node]
                node = int(tree["left"][node] if below else tree["right"][node])
            total += float(tree["value"][node])
        expected.append(total)
    assert block_trees.odds(values).tolist() == expected
    reasons = block_trees.reasons(values[0])
    assert len(reasons) == 3
    assert all(reason.split(" = ")[0] in NAMES for reason in reasons)


def test_a_model_over_other_features_is_refused(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    model = np.zeros((1, 1), dtype=NODE)
    model["feature"] = FEATURES
    np.save(tmp_path / "blocks.npy", model)
    monkeypatch.setattr(block_trees, "PATH", tmp_path / "blocks.npy")
    block_trees.trees.cache_clear()
    with pytest.raises(ValueError, match="train_blocks"):
        block_trees.trees()
    monkeypatch.undo()
    block_trees.trees.cache_clear()


def test_features_by_example() -> None:
    page = "<title>Big news</title><nav><a href=x>Home</a></nav><h1>Big news</h1><p>One, two. Three!</p><p>版权所有 2011</p>"
    blocks = segment(np.frombuffer(page.encode(), dtype=np.uint8), 1000)
    told = features(blocks, np.frombuffer(b"Big news", dtype=np.uint8))
    rows = [dict(zip(NAMES, row, strict=True)) for row in told.values.tolist()]
    assert [row["link_share"] for row in rows] == [1, 0, 0, 0]
    assert [row["title_overlap"] for row in rows][:2] == [0, 1]
    assert [row["tag_h1"] for row in rows] == [0, 1, 0, 0]
    assert [row["end_marks"] for row in rows] == [0, 0, 2, 0]
    assert rows[2]["ends_with_mark"] == 1
    assert rows[3]["says_rights"] == 1
    assert rows[3]["han_share"] == 0.5
    assert rows[0]["in_nav"] == 1
    assert {row["parent_width"] for row in rows[1:]} == {4 + 8 + 16 + 17}


def test_no_block_no_feature() -> None:
    told = features(segment(np.zeros(0, dtype=np.uint8), 10), np.zeros(0, dtype=np.uint8))
    assert told.values.shape == (0, FEATURES)
    assert block_trees.odds(told.values).shape == (0,)
