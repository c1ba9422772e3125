"""What a check has found, and what to do about it."""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from journeymap.errors import JourneymapError

LONGEST: Final = 500
"""Characters kept of a text: much of it was said by others."""


class Grade(enum.StrEnum):
    """How a check came out. Only `fail` makes the whole fail."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Outcome(msgspec.Struct, frozen=True):
    """The grade, what was found (one printable line), and the remedy where something is to be done."""

    grade: Grade
    found: str
    remedy: str | None = None


def ok(found: str) -> Outcome:
    """All is well; `found` are the figures."""
    return Outcome(Grade.OK, one_line(found))


def warn(found: str, remedy: str) -> Outcome:
    """It works, but will not for long, or not as it should."""
    return Outcome(Grade.WARN, one_line(found), one_line(remedy))


def fail(found: str, remedy: str) -> Outcome:
    """It does not work."""
    return Outcome(Grade.FAIL, one_line(found), one_line(remedy))


def failed(error: JourneymapError, otherwise: str) -> Outcome:
    """It does not work, by an error that may name its remedy behind a semicolon; else the remedy is `otherwise`."""
    found, _, remedy = str(error).partition("; ")
    return fail(found, remedy or otherwise)


def skip(why: str) -> Outcome:
    """Not looked at, and why."""
    return Outcome(Grade.SKIP, one_line(why))


def one_line(text: str) -> str:
    """The text without line breaks and without characters that a terminal would act on, cut to a bearable length."""
    line = "".join(letter if letter.isprintable() else "?" for letter in " ".join(text.split()))
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
