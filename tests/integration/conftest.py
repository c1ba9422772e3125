"""What the tests in this folder share."""

import pytest

from journeymap.simulator.server import SimulatedPlatform


@pytest.fixture
def platform():
    with SimulatedPlatform() as running:
        yield running


@pytest.fixture(scope="module")
def shared():
    """For tests that leave the platform as they found it."""
    with SimulatedPlatform() as running:
        yield running
