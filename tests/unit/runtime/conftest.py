"""What the tests in this folder share."""

from __future__ import annotations

import pytest

from tests.unit.runtime.feeding import Log, Store


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def log() -> Log:
    return Log()
