"""`journeymap doctor`: checks the set-up from configuration to first event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from journeymap import __version__
from journeymap.cli.options import settings_from, settings_options
from journeymap.errors import ConfigurationError
from journeymap.runtime.doctor.examination import Check, Listener, Result, chosen, examine

EXAMPLES = """\b
Examples:
  journeymap doctor                               all checks of the settings in force
  journeymap doctor --environment prod            of those that would hold there
  journeymap doctor --only subscription           how far a subscription comes, and nothing else
  journeymap doctor --skip first-sign --json      no waiting for events; for programs
"""
STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "bold red", "skip": "dim"}
NAME_WIDTH: Final = 14


@click.command(epilog=EXAMPLES)
@click.option("--only", multiple=True, metavar="CHECK", help="This check, and those that it needs; may be given again.")
@click.option("--skip", multiple=True, metavar="CHECK", help="Leave this check out; may be given again.")
@click.option("--timeout", default="35s", show_default=True, metavar="TIME",
              help="How long the first event or heartbeat may take; no other step takes longer.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="For programs: one document with all checks.")
@settings_options("source", "store", "host", "port", "ingest_port")
def doctor(only: tuple[str, ...], skip: tuple[str, ...], timeout: str, as_json: bool, **given: Any) -> int:
    """Check the set-up from configuration to first event: a line a check, with its remedy where something is wrong.

    It connects and subscribes as `run` would, beside an ingest that may be running, and takes back what it asked for (an
    empty notification channel stays for up to a day); it writes to no store. Exit code 0 if no check fails, 1 if one does,
    2 if the settings cannot be read at all.
    """
    patience = _length(timeout)
    listener = Listener() if as_json else _Lines()
    try:
        settings = settings_from(given)
    except ConfigurationError as error:
        _conclude([_unreadable(error, listener)], as_json)
        return error.exit_code
    from journeymap.bootstrap.doctor import checks
    from journeymap.runtime.doctor.interrupts import as_ctrl_c

    with as_ctrl_c(), checks(settings, patience) as made:
        there = list(dict.fromkeys(check.name for check in made))
        for name in (*only, *skip):
            if name not in there:
                raise click.UsageError(f"no check is called {name} here; there are {', '.join(there)}")
        results = examine(chosen(made, only), listener, skip)
        _conclude(results, as_json)
    return 1 if any(result.grade == "fail" for result in results) else 0


def _unreadable(error: ConfigurationError, listener: Listener) -> Result:
    """The first check, of settings that cannot be read: it fails, and no other can be made."""
    from journeymap.runtime.doctor.configuration import NAME, SECTION, wrong

    return examine([Check(SECTION, NAME, lambda _: wrong(error))], listener)[0]


def _length(text: str) -> int:
    from journeymap.settings.values import length

    try:
        return int(length("1s", "1h").read(text))
    except ValueError as error:
        raise click.UsageError(f"--timeout {text}: allowed is {error}") from None


def _conclude(results: Sequence[Result], as_json: bool) -> None:
    counts = {grade: sum(result.grade == grade for result in results) for grade in STYLES}
    if as_json:
        click.echo(json.dumps(_document(results, counts), ensure_ascii=False, indent=2))
        return
    from journeymap.cli.progress import counted

    failed = ", ".join(dict.fromkeys(result.name for result in results if result.grade == "fail"))
    click.echo(
        f"\n{counts['ok']} ok, {counted(counts['warn'], 'warning')}, {counts['fail']} failed{failed and f' ({failed})'},"
        f" {counts['skip']} skipped"
    )


def _document(results: Sequence[Result], counts: Mapping[str, int]) -> dict[str, Any]:
    import msgspec

    return {
        "version": __version__,
        "ok": counts["fail"] == 0,
        "counts": counts,
        "checks": msgspec.to_builtins(results),
    }


class _Lines(Listener):
    """A line a check as soon as it is done, under its section's name; while one takes its time, a live line on a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.text import Text

        self._text = Text

        self._console = Console(highlight=False, markup=False, emoji=False)
        self._status = self._console.status("") if self._console.is_terminal else None
        self._section = ""
        self._name = ""

    def begins(self, check: Check) -> None:
        self._name = check.name
        self.waits(check.about)
        if self._status is not None:
            self._status.start()

    def waits(self, text: str) -> None:
        if self._status is not None:
            self._status.update(self._text(f"{self._name} {text}"))

    def found(self, result: Result) -> None:
        if result.section != self._section:
            self._say(self._text(f"\n{result.section}" if self._section else result.section, "bold"))
            self._section = result.section
        grade = "FAIL" if result.grade == "fail" else str(result.grade)
        about = f"{result.about}: " if result.about else ""
        line = self._text("  ")
        line.append(f"{grade:<6}", STYLES[result.grade])
        line.append(f"{result.name:<{NAME_WIDTH}}")
        line.append(about + result.found, "dim" if result.grade == "skip" else "")
        self._say(line)
        if result.remedy is not None:
            self._say(self._text(f"        → {result.remedy}", "bold"))

    def done(self) -> None:
        if self._status is not None:
            self._status.stop()

    def _say(self, text: Any) -> None:
        self._console.print(text, soft_wrap=True)
