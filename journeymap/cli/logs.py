"""Logs of the long-running commands: lines for people, or JSON for machines, on standard error."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from journeymap.settings import Settings

CHATTY: Final = (
    "asyncio",
    "httpcore",
    "httpx",
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "websocket",
    "websockets",
)
"""Libraries that tell of every step and request; what they say is of use when debugging only."""


class TextLines(logging.Formatter):
    """`2026-11-24T12:00:00.000Z warning journeymap.source: text`, with the traceback below it if there is one."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        record.level = record.levelname.lower()
        return super().format(record)


class JsonLines(TextLines):
    """One JSON object a record, on one line whatever is in it."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        entry = {
            "at": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def start_logging(settings: Settings) -> None:
    """Send logs to standard error as the settings say. Calling it again replaces what was set."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        JsonLines() if settings.log_format == "json" else TextLines("%(asctime)s %(level)s %(name)s: %(message)s")
    )
    level = settings.log_level.upper()
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel("DEBUG" if level == "DEBUG" else "WARNING")
