"""Options that several commands have: settings, and the settings that they add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from journeymap.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

TEXTS: Final = {
    "source": (
        "--source",
        "SOURCE",
        "simulator, eventstreams, notifications, eventbridge or file:PATH; several with commas.",
    ),
    "speed": ("--speed", "N", "How fast a file is replayed: 1 as recorded, 0 as fast as it goes."),
    "store": ("--store", "STORE", "Where journeys are kept, disk:PATH."),
    "host": ("--host", "ADDRESS", "Loopback address to serve on."),
    "port": ("--port", "PORT", "Port of the page; 0 takes a free one."),
    "ingest_port": ("--ingest-port", "PORT", "Port of health and metrics; 0 takes a free one."),
    "simulator_rate": ("--rate", "N", "Events a second of the simulated platform."),
    "simulator_seed": ("--seed", "N", "Which story the simulated platform tells."),
    "simulator_history": ("--history", "TIME", "How much simulated history is shown at the start, such as 30m."),
    "simulator_faults": ("--simulator-faults", "NAME=VALUE,…", "What is wrong with the simulated platform."),
    "time_zone": ("--time-zone", "ZONE", "Time zone of all times shown, such as Europe/London."),
    "environment": ("--environment", "NAME", "Which [environments.NAME] table of journeymap.toml holds."),
    "log_level": ("--log-level", "LEVEL", "debug, info, warning or error."),
    "log_format": ("--log-format", "FORMAT", "text or json."),
}
"""Settings with an option of their own: the option, its value's name, and its help."""

EVERYWHERE: Final = ("environment", "log_level", "log_format")


def settings_options(*names: str) -> Callable[[Command], Command]:
    """Adds the options of these settings, and of those that every command has; all of them land in `given`."""

    def add(command: Command) -> Command:
        command = click.option(
            "--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Any other setting by its name."
        )(command)
        for name in reversed((*names, *EVERYWHERE)):
            option, metavar, text = TEXTS[name]
            command = click.option(option, name, metavar=metavar, help=text)(command)
        return command

    return add


def settings_from(given: Mapping[str, Any], *, shipped_timeouts: bool = True) -> Settings:
    """The settings in force, with what was given on the command line on top."""
    from journeymap.settings import load

    overrides = {name: value for name, value in given.items() if name in TEXTS}
    for assignment in given.get("assignments", ()):
        name, equals, value = assignment.partition("=")
        if not equals:
            raise click.UsageError(f"--set {assignment} is not of the form NAME=VALUE")
        overrides[name.strip().lower().removeprefix("journeymap_")] = value
    return load(overrides, shipped_timeouts=shipped_timeouts)


class Length(click.ParamType[float]):
    """A length of time as settings are written (`90s`, `10m`), in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds of what was given."""
        from journeymap.settings.values import length

        kind = length("0s", "7d")
        try:
            return float(kind.read(value)) / 1000
        except ValueError as error:
            self.fail(f"{value} is not allowed: {error}", param, ctx)


def mapped_columns(maps: tuple[str, ...]) -> dict[str, str]:
    """The columns that `--map` assigns to fields."""
    columns = {}
    for item in maps:
        column, equals, field = item.rpartition("=")
        if not equals or not column or not field:
            raise click.UsageError(f"--map {item} is not of the form COLUMN=FIELD")
        columns[column] = field
    return columns
