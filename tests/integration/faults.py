"""The fault matrix: what may go wrong, and at which moment. `cell` runs one of its cells and says what has to hold.

All times are the product's own, in seconds; a cell runs them twenty times as fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from journeymap.errors import StoreError, StoreFullError
from journeymap.model.time import SECOND

if TYPE_CHECKING:
    from tests.integration.cell import Cell

Deed = Callable[["Cell"], None]

OPEN: Final = "OPEN"
REFUSED: Final = "refused"


class Fault(NamedTuple):
    """Something that goes wrong for a while, and what has to come of it.

    `concerns` is the step of coming in that it spoils (`token`, `handshake`, `subscription`); mid-stream nobody comes in, so
    there `lose` makes somebody. `needs` is what it strikes: a `socket`, a `subscription`, or nothing. `ends` is how the source
    has to stand before the fault is over, where that is not open to it. A `quiet` fault need not be noticed.
    """

    does: Deed
    concerns: str = ""
    needs: str = ""
    lose: Deed | None = None
    lasts: float = 6.0
    ends: str = OPEN
    quiet: bool = False


def wrong(**faults: Any) -> Deed:
    """Faults of the simulated platform (docs/simulator.md)."""
    return lambda cell: cell.platform.set_faults(**faults)


def act(name: str, **how: Any) -> Deed:
    """An action of the simulated platform."""
    return lambda cell: cell.act(name, **how)


def token(lasts: float = 4.0, ends: str = OPEN, quiet: bool = False, **faults: Any) -> Fault:
    """Token requests go wrong, and mid-stream all tokens expire."""
    return Fault(wrong(**faults), "token", "", act("expire_tokens"), lasts, ends, quiet)


def handshake(lasts: float = 4.0, ends: str = OPEN, quiet: bool = False, **faults: Any) -> Fault:
    """New streams go wrong, and mid-stream the socket breaks."""
    return Fault(wrong(**faults), "handshake", "", act("drop"), lasts, ends, quiet)


def subscribing(lasts: float = 4.0, ends: str = OPEN, quiet: bool = False, **faults: Any) -> Fault:
    """Subscriptions go wrong, and mid-stream the socket breaks."""
    return Fault(wrong(**faults), "subscription", "", act("drop"), lasts, ends, quiet)


def socket(name: str, **how: Any) -> Fault:
    """Something happens to the socket."""
    return Fault(act(name, **how), needs="socket", lasts=2.0)


def stream(name: str, lasts: float = 4.0, **how: Any) -> Fault:
    """Something happens to the stream of a subscription."""
    return Fault(act(name, **how), needs="subscription", lasts=lasts)


def condition(lasts: float = 8.0, **faults: Any) -> Fault:
    """Something about everything that the platform sends."""
    return Fault(wrong(**faults), lasts=lasts)


def here(name: str, value: Any, lasts: float = 8.0) -> Fault:
    """Something about our own disk."""
    return Fault(lambda cell: setattr(cell.disk, name, value), lasts=lasts)


UNNOTICED = 50.0
"""What nobody says lasts longer than the limits within which it has to be noticed."""

FAULTS: Final[dict[str, Fault]] = {
    "token refused": token(refuse_tokens="401", ends=REFUSED),
    "token request invalid": token(refuse_tokens="400", ends=REFUSED),
    "token forbidden": token(refuse_tokens="403", ends=REFUSED),
    "everybody refused": token(refuse_credentials=True, ends=REFUSED),
    "token fails 500": token(fail_tokens="500"),
    "token fails 503, Retry-After": token(fail_tokens="503:2", retry_after=2),
    "token fails 429, Retry-After as a date": token(fail_tokens="429:1", retry_after=2, retry_after_as_date=True),
    "token request hangs": token(fail_tokens="hang"),
    "token is garbage": token(fail_tokens="garbage"),
    "metadata fails": token(fail_metadata="500", quiet=True),
    "metadata hangs": token(fail_metadata="hang:1", quiet=True),
    "tokens live short": token(lasts=20.0, token_life=3, quiet=True),
    "handshake refused once": handshake(refuse_handshakes="401:1"),
    "handshake refused": handshake(refuse_handshakes="401", ends=REFUSED),
    "handshake forbidden": handshake(refuse_handshakes="403", ends=REFUSED),
    "handshake fails 503, Retry-After": handshake(fail_handshakes="503:2", retry_after=2),
    "handshake fails 429": handshake(fail_handshakes="429"),
    "handshake fails 500": handshake(fail_handshakes="500"),
    "handshake hangs": handshake(fail_handshakes="hang"),
    "no greeting": handshake(no_greeting=True, quiet=True),
    "subscription refused once": subscribing(refuse_subscriptions="401:1"),
    "subscription forbidden": subscribing(refuse_subscriptions="403", ends=REFUSED),
    "subscription in conflict": subscribing(refuse_subscriptions="409"),
    "subscription fails 429, Retry-After": subscribing(fail_subscriptions="429:1", retry_after=2),
    "subscription fails 500": subscribing(fail_subscriptions="500"),
    "subscription fails 503": subscribing(fail_subscriptions="503"),
    "subscription hangs": subscribing(fail_subscriptions="hang"),
    "subscription is garbage": subscribing(fail_subscriptions="garbage"),
    "subscription of another connection": subscribing(mismatched_subscriptions="connection"),
    "subscription to another callback": subscribing(mismatched_subscriptions="callback:1"),
    "subscription brings nothing": subscribing(silent_subscriptions=True, lasts=UNNOTICED),
    "old subscriptions cannot be deleted": subscribing(fail_cleanup="500", quiet=True),
    "socket reset": socket("drop", how="reset"),
    "socket ended": socket("drop", how="fin"),
    "socket half-open": Fault(act("half_open"), needs="socket", lasts=UNNOTICED),
    "socket speaks nonsense": socket("break_protocol"),
    "close 1000": socket("close", code=1000),
    "close 1001 going away": socket("close", code=1001),
    "close 1008 policy": socket("close", code=1008),
    "close 1011 error": socket("close", code=1011),
    "close 1012 restart": socket("close", code=1012),
    "close 1013 retry after 3": socket("close", code=1013, reason="retry after 3"),
    "close 4401 token": socket("close", code=4401),
    "tokens expire": socket("expire_tokens"),
    "subscriptions fall silent": stream("silence_subscriptions", lasts=UNNOTICED),
    "heartbeats lost": condition(heartbeat_loss=True),
    "pongs lost": condition(pong_loss=True, lasts=40.0),
    "throttled": condition(throttle=20),
    "said to be throttled": stream("throttle_frame", dropped=7),
    "slow frames": condition(slow_frames=0.2),
    "latency": condition(latency=0.1),
    "fragments": condition(fragments=5),
    "fat events": condition(padding=5_000),
    "huge frame": stream("huge_frame"),
    "garbage": stream("garbage"),
    "duplicates": condition(duplicates=0.5, longest_delay=0.4),
    "repeated, shuffled": stream("repeat", events=200, shuffled=True),
    "reordered": condition(reordering=0.4),
    "late": condition(late=0.5, longest_delay=0.4),
    "burst": stream("burst", events=3_000),
    "clock ahead": condition(clock_skew=600),
    "clock behind": condition(clock_skew=-600),
    "store slow": here("delay", 0.1),
    "store full": here("store_error", StoreFullError("no space left for the store")),
    "store busy": here("store_error", StoreError("another program keeps its database locked")),
    "fsync slow": here("sync_delay", 0.2),
    "journal full": here("journal_full", True),
    "disk nearly full": here("free", 0, lasts=20.0),
}  # fmt: skip


# Moments


def before_token(cell: Cell, fault: Fault) -> None:
    """It is so when the source begins."""
    cell.strike(fault)
    cell.start()


def before_subscribe(cell: Cell, fault: Fault) -> None:
    """The socket is open, the subscription has not been asked for."""
    cell.platform.set_faults(no_greeting=True)  # what the source waits for first,
    cell.limits = replace(cell.limits, greeting=10 * SECOND)  # long enough for us
    cell.start()
    cell.until(lambda: cell.platform.platform.connections, "a socket")
    assert not cell.platform.platform.subscriptions, "too late for this moment"
    cell.platform.set_faults(no_greeting=None)
    cell.strike(fault)


def mid_stream(cell: Cell, fault: Fault) -> None:
    """Events flow."""
    cell.start()
    cell.until_flowing()
    cell.strike(fault, lose=True)


def during_refresh(cell: Cell, fault: Fault) -> None:
    """A token is being renewed: what spoils that is so from shortly before, all else begins while the socket moves over."""
    cell.platform.set_faults(token_life=20)
    cell.start()
    cell.until_flowing()
    if fault.concerns:
        cell.strike(fault)
        cell.run(20)  # a token of 20 s is renewed within this time
        return
    cell.platform.set_faults(latency=0.05)  # so that moving over takes its time
    cell.until(lambda: len(cell.platform.platform.connections) > 1, "a second socket")
    cell.strike(fault)


def during_flush(cell: Cell, fault: Fault) -> None:
    """The store is in the middle of a commit."""
    cell.start()
    cell.until_flowing()
    with cell.disk.commit_held():
        cell.strike(fault, lose=True)
        cell.run(min(fault.lasts, 8.0))


MOMENTS: Final[dict[str, Callable[[Cell, Fault], None]]] = {
    "before token": before_token,
    "before subscribe": before_subscribe,
    "mid-stream": mid_stream,
    "during refresh": during_refresh,
    "during flush": during_flush,
}


def senseless(name: str, moment: str) -> str:
    """Why this cell makes no sense; empty if it does."""
    fault = FAULTS[name]
    if moment in {"before token", "before subscribe"} and fault.needs == "subscription":
        return "there is no subscription yet that this could strike"
    if moment == "before token" and fault.needs == "socket":
        return "there is no socket yet that this could strike"
    if moment == "before subscribe" and fault.concerns in {"token", "handshake"}:
        return "token and socket are in hand; once they are lost it is the cell mid-stream"
    return ""


CELLS: Final = [(name, moment) for name in FAULTS for moment in MOMENTS if not senseless(name, moment)]
