"""What holds for all tests."""

import logging
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.emulator import KEYS, Emulator

# How fast an example runs says something about the machine, not about the code.
settings.register_profile("journeymap", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("journeymap")

# A shell that starts the tests in the background has Ctrl-C ignored, which they and the commands they start would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that a test runs in this process sets up its logs for the whole process: the next test starts without."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    loggers = [logger for logger in root.manager.loggerDict.values() if isinstance(logger, logging.Logger)]
    levels = {logger: logger.level for logger in loggers}
    yield
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
    for handler in set(handlers) - set(root.handlers):
        root.addHandler(handler)
    root.setLevel(level)
    for logger in root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):
            logger.setLevel(levels.get(logger, logging.NOTSET))
    logging.captureWarnings(capture=False)


@pytest.fixture(scope="session")
def aws() -> Iterator[Emulator]:
    """An emulator of AWS, the same for all tests of a process."""
    with Emulator() as running:
        yield running


@pytest.fixture
def emulator(aws: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """The emulator, with credentials that it takes in the environment."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    return aws
