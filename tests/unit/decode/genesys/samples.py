"""The messages in `tests/data/genesys`, and the rest of the voice call as snapshots."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from journeymap.decode.event import decode_frame
from journeymap.decode.genesys.memory import Snapshots
from journeymap.model.event import Event

FOLDER = Path(__file__).parents[3] / "data" / "genesys"
BEGIN = 1_795_165_200_000
"""2026-11-20T09:00:00Z, when the voice call begins."""

CALL = "c0f4a809-581a-599f-ae0c-51475d011b12"
CONTACT = "4c5b1770-5dfd-51d8-9bed-6726737c248e"
AGENTS = ("655ff952-69b0-55c6-b0a2-e4bfa0f53a61", "7459336e-424c-56cc-9e6e-ee954b340b93")
QUEUES = ("43df4b25-5903-5ab4-a9c4-911a54257fe8", "92364567-fd32-5018-9ccc-4f4d0d71531e")
WRAPUPS = ("a49e05fe-b8ed-5fd0-9f51-c0b0f031a1ac", "79e9594b-7150-550a-b96e-c9370d513d5b")

DETAIL = "sdk-ws-journey-voice-blind-transfer.json"
EVENTBRIDGE = "sdk-eventbridge-journey-voice-blind-transfer.json"
SNAPSHOTS = "sdk-ws-queue-conversation-snapshots-voice.json"
ANALYTICS = "sdk-analytics-details-query.json"
REST = "rest-oauth-and-errors.json"
CHANNEL = "sdk-rest-channel-protocol.json"
NAMED = (REST, CHANNEL)
MERGED = "sdk-ws-externalcontact-merged.json"
SOCKET = "ws-protocol-messages.json"

ARRIVALS = (42_300, 61_000, 65_600, 120_200, 180_050)
"""When each of the five sampled snapshots came, in ms of the call. The second's own time is when it rings."""


def sample(name: str) -> Any:
    """A file's content."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def messages(name: str) -> list[Any]:
    """The messages of a file: an exchange's is its response, and a file of several names them."""
    value = sample(name)
    if name in NAMED:
        value = list(value.values())
    items = value if isinstance(value, list) else [value]
    return [item.get("response", item.get("frame", item)) if isinstance(item, dict) else item for item in items]


def decoded(values: Iterable[Any], arrived_at: int = BEGIN, snapshots: Snapshots | None = None) -> list[Event]:
    """The events of messages all of which can be used."""
    events = []
    for value in values:
        found, rejected = decode_frame(json.dumps(value).encode(), arrived_at, snapshots)
        assert rejected == []
        events += found
    return events


def told(arrivals: Iterable[tuple[int, Any]], snapshots: Snapshots | None = None) -> list[Event]:
    """The events of snapshots, each with its arrival in ms of the call."""
    memory = Snapshots() if snapshots is None else snapshots
    return [event for at, value in arrivals for event in decoded([value], BEGIN + at, memory)]


def sampled_snapshots() -> list[tuple[int, Any]]:
    """The five sampled snapshots with their arrivals."""
    return list(zip(ARRIVALS, sample(SNAPSHOTS), strict=True))


def whole_call() -> list[tuple[int, Any]]:
    """The call as snapshots from the first to the last: the sampled ones, taken off hold between them, and what follows."""
    found = sampled_snapshots()
    resumed = copy.deepcopy(found[3][1])
    call = _call(resumed, 3)
    call["held"] = False
    del call["startHoldTime"]
    found.insert(4, (134_500, resumed))
    latest = found[-1][1]

    def then(at: int) -> Any:
        nonlocal latest
        latest = copy.deepcopy(latest)
        found.append((at, latest))
        return latest

    waits = then(180_200)
    _join(waits, 2, "abe2e350-5bfa-55f3-bf7f-05f4884dd454", "f75bafcc-3a8e-58a1-8b7c-416d97c72101", "09:03:00.100")
    rings = then(190_000)
    _join(rings, 3, "5966f8e1-2eae-5e36-aff5-727d9c800baf", "cf562973-1e7c-5c64-ab81-851bc1d17eba", None)
    rings["eventBody"]["participants"][5]["userId"] = AGENTS[1]
    answered = then(193_100)
    _end(answered, 4, "09:03:13.000", "transfer")
    _call(answered, 5).update(state="connected", connectedTime="2026-11-20T09:03:13.000Z")
    worked = then(212_300)
    _wrap_up(worked, 3, "09:03:32.000", WRAPUPS[0])
    left = then(400_100)
    _end(left, 5, "09:06:40.000", "peer")
    _end(left, 0, "09:06:40.005", "endpoint")
    _wrap_up(then(431_200), 5, "09:07:11.000", WRAPUPS[1])
    return found


def _call(snapshot: Any, participant: int) -> dict[str, Any]:
    found: dict[str, Any] = snapshot["eventBody"]["participants"][participant]["calls"][0]
    return found


def _join(snapshot: Any, like: int, participant: str, session: str, since: str | None) -> None:
    """Somebody new comes in, like an earlier one was at first: connected `since` then, or ringing."""
    new = copy.deepcopy(snapshot["eventBody"]["participants"][like])
    new.update(id=participant, queueId=QUEUES[1])
    for name in ("endTime", "connectedTime", "startAcwTime", "conversationRoutingData"):
        new.pop(name, None)
    call = new["calls"][0]
    call.update(id=session, state="alerting" if since is None else "connected")
    for name in ("disconnectedTime", "disconnectType", "connectedTime", "startHoldTime"):
        call.pop(name, None)
    call.pop("afterCallWork", None)
    if since is not None:
        new["connectedTime"] = call["connectedTime"] = f"2026-11-20T{since}Z"
    snapshot["eventBody"]["participants"].append(new)


def _end(snapshot: Any, participant: int, at: str, how: str) -> None:
    _call(snapshot, participant).update(state="terminated", disconnectedTime=f"2026-11-20T{at}Z", disconnectType=how)


def _wrap_up(snapshot: Any, participant: int, at: str, code: str) -> None:
    snapshot["eventBody"]["participants"][participant]["wrapup"] = {"code": code}
    _call(snapshot, participant)["afterCallWork"] = {"state": "complete", "endTime": f"2026-11-20T{at}Z"}
