"""Fixtures of takedown: see `tests/takedown.py`."""

import shutil
from pathlib import Path

import pytest
import takedown


@pytest.fixture(scope="session")
def whole_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a world that is built, with nothing taken down."""
    world = takedown.World(tmp_path_factory.mktemp("world"))
    world.prepare()
    world.build()
    return world.folder


@pytest.fixture
def world(whole_world: Path, tmp_path: Path) -> takedown.World:
    """A copy of it."""
    shutil.copytree(whole_world, tmp_path / "copy")
    return takedown.World(tmp_path / "copy")
