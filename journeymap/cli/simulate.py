"""`journeymap simulate`: the simulated platform only."""

from __future__ import annotations

import ipaddress
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from journeymap.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from journeymap.simulator.server import Access

_LONGEST_GOODBYE = 2.0


class _Span(click.ParamType[float]):
    """A length of time in seconds: 90, 90s, 30m, 2h."""

    name = "time"

    def __init__(self, least: float = 0.0) -> None:
        self._least = least

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if isinstance(value, int | float):
            return float(value)
        from journeymap.simulator.faults import seconds_of

        try:
            seconds = seconds_of(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if seconds < self._least:
            self.fail(f"{value} is too short; at least {self._least:g}s", param, ctx)
        return seconds


_TLS = click.Choice(["1.0", "1.1", "1.2", "1.3"])
_SHARE = click.FloatRange(0.0, 1.0)


def _list_faults(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    from journeymap.simulator import actions, faults

    click.echo("Faults last until they are changed: --fault NAME=VALUE, or PUT /control/faults.\n")
    for row in faults.TABLE.values():
        click.echo(f"{row.name}: {row.allowed}\n    {row.help}")
    click.echo("\nActions happen once: POST /control/actions/NAME, with their fields as a JSON object.\n")
    for name, action in actions.ACTIONS.items():
        click.echo(f"{name}{actions.signature(action)}\n    {actions.help_of(action)}")
    ctx.exit()


@click.command(epilog="Example: journeymap simulate --rate 50 --history 10m --port 0")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8060, show_default=True, help="Port; 0: any free one.")
@click.option("--allow-remote", is_flag=True, help="Allow a --host that other machines can reach.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed and rate tell the same story.")
@click.option("--rate", type=click.FloatRange(1, 5000), default=5.0, show_default=True, help="Mean events a second.")
@click.option("--history", type=_Span(), default="0", show_default=True, help="Sent first to each new subscription.")
@click.option("--token-life", type=_Span(1.0), default="1h", show_default=True, help="How long a token is good.")
@click.option("--heartbeat", type=_Span(0.05), default="5s", show_default=True, help="Time between heartbeats.")
@click.option("--duplicates", type=_SHARE, default=0.01, show_default=True, help="Share of events delivered twice.")
@click.option("--late", type=_SHARE, default=0.01, show_default=True, help="Share of events that come 1 to 60 s late.")
@click.option("--frame-size", type=click.IntRange(1, 1000), default=50, show_default=True,
              help="Most events in a frame in a burst; 1 for one a frame always.")  # fmt: skip
@click.option("--log", type=click.Path(dir_okay=False, path_type=Path), help="Append each event that is sent.")
@click.option("--acknowledged-log", type=click.Path(dir_okay=False, path_type=Path),
              help="Append each event that a client has certainly received: it answered a later ping.")  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="NAME[=VALUE]", help="Begin with this fault. Repeatable.")
@click.option("--list-faults", is_flag=True, is_eager=True, expose_value=False, callback=_list_faults,
              help="Print all faults and actions, then exit.")  # fmt: skip
@click.option("--allow-remote-control", "remote_control", is_flag=True,
              help="Let other machines use /control too.")  # fmt: skip
@click.option("--client-id", default="", help="[default: made from the seed]")
@click.option("--client-secret", default="", help="[default: made from the seed]")
@click.option("--token-in-query", is_flag=True, help="Also accept ?access_token= in place of the header.")
@click.option("--tls-cert", type=click.Path(dir_okay=False, path_type=Path),
              help="Speak https and wss with this certificate chain (PEM).")  # fmt: skip
@click.option("--tls-key", type=click.Path(dir_okay=False, path_type=Path),
              help="Its key, unless it is in the same file.")  # fmt: skip
@click.option("--tls-lowest", type=_TLS, default="1.2", show_default=True, help="Lowest TLS version spoken.")
@click.option("--tls-highest", type=_TLS, default="1.3", show_default=True, help="Highest TLS version spoken.")
@click.option("--queues", type=click.IntRange(5, 20_000), default=5, show_default=True,
              help="Queues of the organisation: the five of the story, and others that nobody calls.")  # fmt: skip
@click.option("--rate-limit", type=click.IntRange(1), default=300, show_default=True,
              help="Requests a minute that the public APIs allow each token.")  # fmt: skip
@click.option("--channel-life", type=_Span(0.5), default="24h", show_default=True,
              help="How long a notification channel lives.")  # fmt: skip
@click.option("--notification-heartbeat", type=_Span(0.05), default="30s", show_default=True,
              help="Time between heartbeats on notification sockets.")  # fmt: skip
@click.option("--eventbridge-url", default="", help="Deliver detail events there, as EventBridge would.")
@click.option("--eventbridge-key", default="", help="The key in the header x-api-key of these deliveries.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON when ready, for programs.")
@click.option("--exit-with-parent", is_flag=True, help="Stop when standard input ends.")
def simulate(
    host: str,
    port: int,
    allow_remote: bool,
    late: float,
    duplicates: float,
    faults: tuple[str, ...],
    tls_cert: Path | None,
    tls_key: Path | None,
    tls_lowest: str,
    tls_highest: str,
    as_json: bool,
    exit_with_parent: bool,
    **manner: Any,
) -> None:
    """Run a simulated contact-centre platform: OAuth, Event Streams with a live WebSocket stream, and the public APIs.

    It invents customers who call, chat, write and are called back, at the rate you ask for, over real HTTP and
    WebSocket on this machine. Paste the lines it prints into another terminal, and `journeymap run` there connects to
    it as it would to a real platform.

    The same --seed and --rate tell the same story with the same ids at the same time of day and date, so stopping and
    starting again loses and doubles nothing. What was sent is counted at /stats.

    Anything can be made to go wrong: with --fault from the start, or at any time with the control endpoint, as in
    `curl -X PUT -d '{"throttle": 20}' http://127.0.0.1:8060/control/faults`. docs/simulator.md tells all.
    """
    if not allow_remote and not _is_loopback(host):
        raise ConfigurationError(f"--host is {host}, allowed are loopback addresses; --allow-remote lifts this")
    # Only now: --help must not wait for a web server to be imported.
    from journeymap.simulator.delivery import Delivery
    from journeymap.simulator.faults import assignment
    from journeymap.simulator.platform import Manner, Platform
    from journeymap.simulator.server import Server
    from journeymap.simulator.tls import Tls

    for name in ("log", "acknowledged_log"):
        _require_writable(name, manner[name])
    platform = Platform(Manner(delivery=Delivery(late, duplicates), **manner))
    try:
        platform.faults.change(dict(map(assignment, faults)))
    except InputError as error:
        raise ConfigurationError(f"--fault: {error}") from error
    tls = None if tls_cert is None else Tls(tls_cert, tls_key, tls_lowest, tls_highest)
    server = Server(platform, host, port, _say_json if as_json else _say, tls)
    if exit_with_parent:
        threading.Thread(target=_watch_parent, args=(server.stop,), name="parent-watch", daemon=True).start()
    server.run_until_stopped()


def _require_writable(name: str, path: Path | None) -> None:
    if path is None:
        return
    try:
        path.open("ab").close()
    except OSError as error:
        option = "--" + name.replace("_", "-")
        raise ConfigurationError(f"{option} is {path}, which cannot be written: {error.strerror}") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(access: Access) -> None:
    click.echo("The simulated platform is ready. Its addresses and credentials:\n")
    for name, value in access._asdict().items():
        click.echo(f"  export JOURNEYMAP_{name.upper()}={value}")
    click.echo(
        "\nPaste these lines into another terminal and start one of these there:\n\n"
        "  journeymap run --source eventstreams     over Event Streams\n"
        "  journeymap run --source notifications    over the public APIs: the Notification Service\n\n"
        "Ctrl-C stops this."
    )
    sys.stdout.flush()


def _say_json(access: Access) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.encode({"ready": True, "pid": os.getpid(), **access._asdict()}).decode() + "\n")
    sys.stdout.flush()


def _watch_parent(stop: Callable[[], None]) -> None:
    """Stop once standard input ends, as it does even when the parent is killed; insist after two seconds."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    stop()
    threading.Event().wait(_LONGEST_GOODBYE)
    os._exit(0)
