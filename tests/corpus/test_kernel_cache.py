"""Compiled kernels are compiled again when anything that went into them has changed."""

import subprocess
import sys
from pathlib import Path

import pytest

from corpus import kernel_cache

ROOT = Path(__file__).resolve().parents[2]

INNER = "from numba import njit\n\n@njit(cache=True)\ndef inner():\n    return {value}\n"
OUTER = (
    "from numba import njit\nfrom stages.inner import inner\n\n@njit(cache=True)\ndef outer():\n    return inner()\n"
)
RUN = "import corpus; from stages.outer import outer; print(outer(), sum(outer.stats.cache_hits.values()))"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two kernels, with the cache of this one."""
    for name in ("corpus", "stages"):
        (tmp_path / name).mkdir()
    for name in ("__init__.py", "kernel_cache.py"):
        (tmp_path / "corpus" / name).write_text((ROOT / "corpus" / name).read_text())
    (tmp_path / "stages" / "__init__.py").write_text("")
    (tmp_path / "stages" / "inner.py").write_text(INNER.format(value=1))
    (tmp_path / "stages" / "outer.py").write_text(OUTER)
    return tmp_path


def run(project: Path) -> list[str]:
    done = subprocess.run([sys.executable, "-c", RUN], cwd=project, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_kernel_is_new_when_one_inside_it_is(project: Path) -> None:
    assert run(project) == ["1", "0"]
    assert run(project) == ["1", "1"]
    (project / "stages" / "inner.py").write_text(INNER.format(value=2))
    assert run(project) == ["2", "0"]
    assert run(project) == ["2", "1"]


def test_cold_until_something_was_compiled(project: Path) -> None:
    def cold() -> str:
        code = "import corpus; from corpus.kernel_cache import cold; print(cold())"
        return subprocess.run([sys.executable, "-c", code], cwd=project, capture_output=True, text=True).stdout.strip()

    assert cold() == "True"
    run(project)
    assert cold() == "False"


def test_a_stamp_is_over_everything_that_is_imported() -> None:
    def reached(name: str) -> set[str]:
        seen, waiting = set(), [ROOT / "stages" / name]
        while waiting:
            file = waiting.pop()
            if file.name not in seen:
                seen.add(file.name)
                waiting += kernel_cache._imports(file)
        return seen

    assert {"html_blocks.py", "html_tags.py", "html_entities.py", "characters.py"} <= reached("block_features.py")
    assert "block_features.py" not in reached("html_blocks.py")
    assert kernel_cache.stamp(ROOT / "stages" / "key.py") != kernel_cache.stamp(ROOT / "stages" / "units.py")
