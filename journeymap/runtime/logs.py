"""Logs of what runs long: lines for people, or JSON for machines, on standard error; what repeats is folded."""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from journeymap.settings import Settings

CHATTY: Final = ("asyncio", "uvicorn", "uvicorn.error", "uvicorn.access")
"""Libraries that tell of every step and request; what they say is of use when debugging only."""

INDISCREET: Final = ("httpcore", "httpx", "websocket", "websockets")
"""Libraries that tell of addresses and headers, which hold secrets: not even for debugging."""

SILENCE: Final = 5 * 60.0
"""Seconds for which a warning or an error that was logged is only counted."""

MAX_FOLDED: Final = 200
"""So many different ones are remembered at most."""


class Folding(logging.StreamHandler):  # type: ignore[type-arg]  # of text, at run time without a parameter
    """Logs to standard error, the same warning or error of a logger only once in five minutes; how often it was left out is
    said afterwards, at the latest when the handler is closed, as it is at the end of the process.

    `steady` tells seconds and is never set.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._steady = steady
        self._said: OrderedDict[tuple[object, ...], _Said] = OrderedDict()

    def emit(self, record: logging.LogRecord) -> None:
        """One record; under the handler's lock."""
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001  # a defect of whoever logs; the library's own way shows where
            self.handleError(record)
            return
        now = self._steady()
        while self._said and now - next(iter(self._said.values())).at >= SILENCE:
            self._count_out()
        if record.levelno >= logging.WARNING:
            raised = None if record.exc_info is None else repr(record.exc_info[1])
            key = (record.name, record.levelno, message, raised)
            known = self._said.get(key)
            if known is not None:
                known.count += 1
                known.last_at = record.created
                return
            if len(self._said) >= MAX_FOLDED:
                self._count_out()
            self._said[key] = _Said(now, record, message)
        super().emit(record)

    def close(self) -> None:
        """Say what is still to be said."""
        self.acquire()
        try:
            while self._said:
                self._count_out()
        finally:
            self.release()
        super().close()

    def _count_out(self) -> None:
        """Forget the one that was said longest ago; say how often it was left out."""
        _, said = self._said.popitem(last=False)
        if said.count:
            super().emit(said.repeated())


class _Said:
    """A record that was logged, without what it may hold alive."""

    def __init__(self, at: float, record: logging.LogRecord, message: str) -> None:
        self.at = at
        self.count = 0
        self.last_at = record.created
        self._record = logging.LogRecord(
            record.name, record.levelno, record.pathname, record.lineno, message, None, None
        )

    def repeated(self) -> logging.LogRecord:
        """The record of its repetitions, as of the last one."""
        self._record.created = self.last_at
        self._record.msecs = self.last_at % 1 * 1_000
        self._record.repeated = self.count
        return self._record


class TextLines(logging.Formatter):
    """`2026-11-24T12:00:00.000Z warning journeymap.source: text`, with the traceback below it if there is one."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        record.level = record.levelname.lower()
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the library's name
        """The line; whatever a message quotes, it cannot look like two lines or like colours."""
        record.message = "".join(
            char if char.isprintable() else char.encode("unicode_escape").decode() for char in record.message
        )
        if count := getattr(record, "repeated", 0):
            record.message += f" ({count} more times)"
        return super().formatMessage(record)


class JsonLines(TextLines):
    """One JSON object a record, on one line whatever is in it; docs/ops/monitoring.md lists its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        entry: dict[str, object] = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if count := getattr(record, "repeated", 0):
            entry["repeated"] = count
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def start_logging(settings: Settings, chatty: Collection[str] = CHATTY) -> None:
    """Send logs to standard error as the settings say. Calling it again replaces what was set."""
    handler = Folding()
    handler.setFormatter(
        JsonLines() if settings.log_format == "json" else TextLines("%(asctime)s %(level)s %(name)s: %(message)s")
    )
    level = settings.log_level.upper()
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in chatty:
        logging.getLogger(name).setLevel("DEBUG" if level == "DEBUG" else "WARNING")
    for name in INDISCREET:
        logging.getLogger(name).setLevel("WARNING")


def start_logging_beside(settings: Settings) -> None:
    """The same in a process of somebody else's server, unless that has said already where logs go. The server's own stay."""
    if not logging.getLogger().handlers:
        start_logging(settings, chatty=[name for name in CHATTY if not name.startswith("uvicorn")])
