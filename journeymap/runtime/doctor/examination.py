"""Runs checks in order. What depends on a failed check is passed over, so that one cause is one failure."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from journeymap.errors import JourneymapError
from journeymap.runtime.doctor.outcome import Grade, Outcome, fail, failed, skip

Progress = Callable[[str], None]
"""Is told, while a check takes its time, what it is waiting for."""


@dataclass(frozen=True, eq=False, slots=True)
class Check:
    """One thing to look at. `section` is the part of the set-up that it belongs to, `name` what `--only` and `--skip` call
    it, `about` which one of several (a host). `needs` are the checks before it whose failure explains its own."""

    section: str
    name: str
    examine: Callable[[Progress], Outcome]
    needs: tuple[Check, ...] = ()
    about: str = ""


class Result(msgspec.Struct, frozen=True):
    """A check's outcome, with how long it took."""

    section: str
    name: str
    about: str
    grade: Grade
    found: str
    remedy: str | None
    ms: int


class Listener:
    """Is told how the examination goes on. This one keeps it to itself."""

    def begins(self, check: Check) -> None:
        """Before a check is made."""

    def waits(self, text: str) -> None:
        """While a check takes its time."""

    def found(self, result: Result) -> None:
        """After a check, also one that was passed over."""

    def done(self) -> None:
        """After the last check, or when the examination is broken off."""


def chosen(checks: Iterable[Check], only: Collection[str]) -> list[Check]:
    """The checks of these names and all that they need, in their order; every check where no name is given."""
    checks = list(checks)
    wanted: set[Check] = set()
    for check in reversed(checks):
        if not only or check.name in only or check in wanted:
            wanted.update((check, *check.needs))
    return [check for check in checks if check in wanted]


def examine(checks: Sequence[Check], listener: Listener, skipped: Collection[str] = ()) -> list[Result]:
    """Make the checks one after another, leaving out those of the names in `skipped`."""
    cause: dict[Check, Check] = {}  # the failed check that each check which did not come to pass goes back to
    results = []
    try:
        for check in checks:
            began = time.monotonic()
            blocked = next((cause[need] for need in check.needs if need in cause), None)
            if blocked is not None:
                about = f" for {blocked.about}" if blocked.about else ""
                outcome = skip(f"needs {blocked.name}, which failed{about}")
            elif check.name in skipped:
                outcome = skip("left out by --skip")
            else:
                listener.begins(check)
                outcome = _outcome(check, listener.waits)
            if blocked is not None or outcome.grade is Grade.FAIL:
                cause[check] = blocked or check
            ms = round((time.monotonic() - began) * 1_000)
            result = Result(check.section, check.name, check.about, outcome.grade, outcome.found, outcome.remedy, ms)
            results.append(result)
            listener.found(result)
    finally:
        listener.done()
    return results


def _outcome(check: Check, waits: Progress) -> Outcome:
    try:
        return check.examine(waits)
    except JourneymapError as error:
        return failed(error, "do as it says")
    except Exception as error:  # noqa: BLE001 - a defect in one check must not keep back what the others find
        return fail(f"internal error: {type(error).__name__}: {error}", "please report it")
