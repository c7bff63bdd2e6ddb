"""The house: data folders hold no code, import contracts hold, every stage is documented and tested."""

import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

import stages

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("folder", ["tokenizers", "manifests"])
def test_data_folders_hold_no_code(folder: str) -> None:
    assert not list((ROOT / folder).rglob("*.py"))


def test_the_folder_of_tokenizers_hides_no_library() -> None:
    code = "import tokenizers; print(tokenizers.Tokenizer.__name__, tokenizers.__file__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Tokenizer ")
    assert "site-packages" in done.stdout


def test_import_contracts() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("stage", [*get_args(stages.Stage), *get_args(stages.Reader)], ids=lambda s: s.__name__)
def test_every_stage_says_what_it_reads_and_adds_and_has_a_test(stage: type) -> None:
    module = sys.modules[stage.__module__]
    assert module.__doc__, f"{stage.__module__} has no docstring"
    if stage is not stages.Pack:
        assert any(word in module.__doc__ for word in ("reads", "adds", "drops", "Columns")), stage.__module__
    tests = (ROOT / "tests").rglob("test_*.py")
    assert any(stage.__name__ in path.read_text() for path in tests if path.name != "test_identity_pins.py")


def test_nothing_of_ray_or_torch_is_imported_by_the_stages() -> None:
    code = "import sys, stages; print([m for m in ('ray', 'torch') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
