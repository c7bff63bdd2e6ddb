"""How `scripts/spam_model.py` weighs terms and characters."""

import importlib.util
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parent.parent.parent / "scripts" / "spam_model.py"


@pytest.fixture(scope="module")
def model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("spam_model", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_weight_is_ten_times_the_binary_logarithm_of_the_ratio(model: ModuleType) -> None:
    assert model.weigh("porn", False, "成人电影", 1e-3 / 2**6.05) == 60
    assert model.weigh("porn", False, "成人电影", 1e-9) == model.MOST["porn"]
    assert model.weigh("porn", False, "毛片", 1e-9) == model.MOST_SHORT["porn"]
    assert model.weigh("porn", True, "毛片", 1e-9) == model.MOST_WEAK
    assert model.weigh("ads", True, "订阅", 1e-9) == model.MOST_SHORT["ads"]
    assert model.weigh("porn", False, "的", 1e-2) == 0


def test_characters_of_terms_are_weighed_by_how_rare_they_are_elsewhere(model: ModuleType) -> None:
    clean = Counter({"赌": 100, "场": 1_000_000, "球": 50_000})
    points = model.evidence(["赌场", "赌球", "赌钱"], clean, 100_000_000)
    assert points["赌"] == model.MOST_SINGLE
    assert points["赌场"] == model.MOST_PAIR_ONCE
    assert points["赌"] > points.get("场", 0)
    assert all(value > 0 for value in points.values())
