"""What the tests in this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.property.soups import OPTIONS
from tests.stored import ingest, receive

from ..rebuild.stores import NOW, of_customers


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of 60 journeys, of which the last frames are in the journal only."""
    path = tmp_path / "store"
    frames = of_customers(60)
    ingest(path, frames[:250], OPTIONS, NOW)
    receive(path, frames[250:], NOW)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "backup.tar.zst"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere"
