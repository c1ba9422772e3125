"""Hard errors that people are told of: which there are, and when each begins and ends."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from journeymap.decode.sample import mask_secrets
from journeymap.model.status import Alert, AlertCounts, SourceReport
from journeymap.model.time import MINUTE, SECOND, Millis
from journeymap.source.base import ConnectionState
from journeymap.view.findings import CREDENTIALS, RECONNECTS, START_IT
from journeymap.view.labels import duration, iso

DISCONNECTED_FOR: Final[Millis] = 5 * MINUTE
"""A source that is not OPEN for longer than this is a hard error."""

STORE_FOR: Final[Millis] = 5 * SECOND
"""A store that cannot be written for longer than this is one."""

REFUSED: Final = "refused"
DISCONNECTED: Final = "disconnected"
DISK: Final = "disk"
STORE: Final = "store"
FAILED: Final = "failed"

_LAST_WORDS: Final = 5.0
"""Seconds that messages get at the end of the process."""

_REMEDIES: Final = {
    REFUSED: CREDENTIALS,
    DISCONNECTED: RECONNECTS,
    DISK: "Make room on the disk of the store; reading goes on by itself.",
    STORE: "Make room on its disk, or mend it. It is tried again all the time; the journal holds what comes.",
    FAILED: START_IT,
}

_OVER: Final = {
    REFUSED: "the platform accepts the credentials again",
    DISCONNECTED: "the source is connected again",
    DISK: "reading goes on",
    STORE: "the store can be written again",
    FAILED: "ingest runs again",
}


class Hook(Protocol):
    """Takes messages and delivers them some time; see `runtime.hook`."""

    def send(self, message: dict[str, Any]) -> None: ...

    def counts(self) -> AlertCounts: ...

    def close(self, patience: float) -> None: ...


class Alerts:
    """Tells a hook of each hard error when it begins and when it is over, once each, also over restarts. From any thread."""

    def __init__(self, hook: Hook, environment: str) -> None:
        self._hook = hook
        self._environment = environment
        self._firing: dict[tuple[str, str], Alert] = {}
        self._unwritable_since: Millis | None = None
        self._lock = threading.Lock()

    def recall(self, kept: Iterable[Alert]) -> None:
        """Those that an earlier process has told of and that were not over."""
        self._firing = {(alert.kind, alert.source): alert for alert in kept}

    def firing(self) -> list[Alert]:
        """Those that are not over."""
        return list(self._firing.values())

    def counts(self) -> AlertCounts:
        """What became of the messages."""
        return self._hook.counts()

    def look(
        self, now: Millis, reports: Sequence[SourceReport], reading_stopped: str | None, store_problem: str | None
    ) -> None:
        """How things stand now. `store_problem` says why the store cannot be written."""
        with self._lock:
            if store_problem is None:
                self._unwritable_since = None
            elif self._unwritable_since is None:
                self._unwritable_since = now
            for alert in self._found(now, reports, reading_stopped, store_problem):
                if (alert.kind, alert.source) not in self._firing:
                    self._tell(alert, now)
            for key, alert in list(self._firing.items()):
                if _is_over(alert, reports, reading_stopped, store_problem):
                    del self._firing[key]
                    self._send(alert, now, "resolved", _OVER[alert.kind])

    def fail(self, now: Millis, problem: str) -> None:
        """Ingest ends by an error."""
        with self._lock:
            self._tell(_alert(FAILED, f"ingest has failed{_because(problem)}", now), now)

    def close(self) -> None:
        """Deliver what waits, if that is possible at once."""
        self._hook.close(_LAST_WORDS)

    def _found(
        self, now: Millis, reports: Sequence[SourceReport], reading_stopped: str | None, store_problem: str | None
    ) -> Iterator[Alert]:
        for report in reports:
            reason = _because(report.error)
            if report.refused:
                text = f"the platform refuses access to the source {report.name}{reason}"
                yield _alert(REFUSED, text, report.since, report.name)
            elif report.down_since is not None and now - report.down_since > DISCONNECTED_FOR and not reading_stopped:
                lasts = duration(now - report.down_since)
                text = f"the source {report.name} has not been connected for {lasts}{reason}"
                yield _alert(DISCONNECTED, text, report.down_since, report.name)
        if reading_stopped:
            yield _alert(DISK, f"reading is stopped{_because(reading_stopped)}", now)
        since = self._unwritable_since
        if store_problem and since is not None and now - since > STORE_FOR:
            yield _alert(STORE, f"the store cannot be written{_because(store_problem)}", since)

    def _tell(self, alert: Alert, now: Millis) -> None:
        self._firing[alert.kind, alert.source] = alert
        self._send(alert, now, "firing", alert.summary)

    def _send(self, alert: Alert, now: Millis, state: str, summary: str) -> None:
        where = f"{self._environment}/{alert.source}" if alert.source else self._environment
        self._hook.send(
            {
                "id": f"journeymap/{where}/{alert.kind}",
                "kind": alert.kind,
                "state": state,
                "environment": self._environment,
                "source": alert.source or None,
                "since": alert.since,
                "at": now,
                "summary": summary,
                "text": f"[journeymap {where}] {state}: {summary} (since {iso(alert.since)})",
            }
        )


def _alert(kind: str, text: str, since: Millis, source: str = "") -> Alert:
    return Alert(kind, source, since, f"{text}. {_REMEDIES[kind]}")


def _because(problem: str | None) -> str:
    return f": {mask_secrets(problem)}" if problem else ""


def _is_over(
    alert: Alert, reports: Sequence[SourceReport], reading_stopped: str | None, store_problem: str | None
) -> bool:
    match alert.kind:
        case "disk":
            return reading_stopped is None
        case "store":
            return store_problem is None
        case "failed":
            return True  # who looks, runs
        case _:
            # One that is being tried again is not accepted yet: only what is OPEN, has ended or is not used any more.
            same = [report for report in reports if report.name == alert.source]
            return all(
                not report.refused and (report.state == ConnectionState.OPEN or report.finished) for report in same
            )
