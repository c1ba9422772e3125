"""A client of the public APIs for each test, of the module's own simulated platform."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from journeymap.simulator.server import SimulatedPlatform
from tests.public_client import PublicClient


@pytest.fixture
def client(platform: SimulatedPlatform) -> Iterator[PublicClient]:
    """Without the faults of the test before."""
    platform.reset_faults()
    with PublicClient(platform) as client:
        yield client
