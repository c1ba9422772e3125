"""The command line: a file a command. Commands are imported when they are asked for, so that `--help` is quick."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Final

import click

from journeymap import __version__
from journeymap.errors import JourneymapError

COMMANDS: Final = {
    "run": "Ingest and show journeys on a live page, in one process.",
    "ingest": "Ingest only, without a page.",
    "serve": "Show the page only, over a store that `ingest` writes.",
    "simulate": "Run the simulated contact-centre platform only.",
    "stitch": "Turn files of events into journeys, offline.",
    "import": "Take recorded events into the store.",
    "record": "Write the live source's events to a file.",
    "export": "A chart of journeys, or their data, to a file; without a browser.",
    "backfill": "Fetch a period again from the platform's records.",
    "identity": "Why customers are one: the rules, a customer's joins, and how to undo one.",
    "rebuild": "Fold the store's events again, after a change of settings or code.",
    "backup": "Write a store, running or not, into one file.",
    "restore": "Put a backup into a store.",
    "doctor": "Check the set-up from configuration to first event.",
    "config": "Show the settings in force and where each came from.",
}
"""Each command and what it does; it is the function of the same name in the module of the same name."""

INTERRUPTED: Final = 130


class Commands(click.Group):
    """The group of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(
            f"journeymap.cli.{cmd_name}_" if cmd_name == "import" else f"journeymap.cli.{cmd_name}"
        )
        command: click.Command = getattr(module, f"{cmd_name}_" if cmd_name == "import" else cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Commands, name="journeymap", epilog="`journeymap COMMAND --help` shows options and examples.")
@click.version_option(__version__, prog_name="journeymap")
@click.option("--debug", is_flag=True, help="Show the traceback of an error; may stand behind the command as well.")
def journeymap(debug: bool) -> None:  # taken out of the arguments by `main`, here for --help
    """Customers' journeys across every contact-centre channel, live, on one moving Gantt chart.

    To see it, run `journeymap run` and open the address that it prints: a simulated platform feeds it. All settings are
    environment variables JOURNEYMAP_<NAME> or keys of journeymap.toml; `journeymap config` lists them.
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the answer is the exit code. An error is one line on standard error."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = given[: given.index("--")] if "--" in given else given
    debug = "--debug" in options
    given = [argument for argument in options if argument != "--debug"] + given[len(options) :]
    try:
        code = journeymap.main(given, prog_name="journeymap", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone (`| head`); flushing what is left at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (click.ClickException, JourneymapError) as error:
        return refused(error, debug)
    except Exception as error:  # noqa: BLE001  # the last place where a defect can be said in one line
        if debug:
            traceback.print_exc()
        complain(f"internal error: {type(error).__name__}: {error}; --debug shows where. Please report it.")
        return 1
    return code if isinstance(code, int) else 0


def refused(error: click.ClickException | JourneymapError, debug: bool) -> int:
    """Say what is wrong; the exit code of it."""
    if debug:
        traceback.print_exc()
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.ctx.get_help())
        return 0
    if isinstance(error, click.UsageError):
        command = error.ctx.command_path if error.ctx else "journeymap"
        complain(f"{error.format_message().rstrip('.')}; `{command} --help` shows what there is.")
    elif isinstance(error, click.ClickException):
        complain(error.format_message())
    else:
        complain(str(error))
    return error.exit_code


def complain(message: str) -> None:
    """One line on standard error."""
    click.secho("journeymap: " + " ".join(message.split()), err=True, fg="red")
