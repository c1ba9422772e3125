"""The course of a conversation's sessions, as a snapshot or an analytics record shows it, told as the facts that detail events
are. The rules for times are in docs/normalisation.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from journeymap.decode.genesys.fact import REOPENED, Fact, Scene, about
from journeymap.decode.genesys.spelling import is_transfer
from journeymap.model.event import (
    ACD_ANSWERED,
    ACD_END,
    ACD_START,
    ACW,
    CUSTOMER_END,
    CUSTOMER_START,
    FLOW_END,
    FLOW_OUTCOME,
    FLOW_START,
    HOLD_END,
    HOLD_START,
    OUTBOUND,
    USER_ANSWER,
    USER_END,
    USER_MISSED,
    USER_START,
    USER_TRANSFERRED,
    VOICEMAIL_END,
    VOICEMAIL_START,
    WRAPUP,
)
from journeymap.model.time import SECOND, Millis

CUSTOMERS: Final = frozenset({"customer", "external"})
FLOWS: Final = frozenset({"ivr", "workflow", "botflow", "voicesurveyflow"})
AGENTS: Final = frozenset({"agent", "user"})
CAMPAIGNS: Final = frozenset({"dialer", "outbound", "campaign"})

ANSWER_TOLERANCE: Final[Millis] = 5 * SECOND
"""So far at most lie the end of a queue's session and the answer of the agent who took it from there."""


class Wrapup(msgspec.Struct, frozen=True):
    """After-call work that is finished."""

    at: Millis
    fields: dict[str, Any] = {}


class Outcome(msgspec.Struct, frozen=True):
    """A flow's outcome."""

    at: Millis
    outcome_id: str
    fields: dict[str, Any] = {}


class Session(msgspec.Struct, frozen=True):
    """One medium of one participant. Times are None while they have not come, or are not known.

    `started` is its first moment, `connected` when flow or queue took it, or when the agent answered; the names in `estimated`
    are those of these times, or `ended`, that are dated by our clock. `holds` have None for an end that has not come, or that
    is the session's. `on_start` and `on_end` are fields of these two facts.
    """

    scene: Scene
    purpose: str
    started: Millis | None = None
    connected: Millis | None = None
    ended: Millis | None = None
    disconnect: str | None = None
    agent: str | None = None
    holds: tuple[tuple[Millis, Millis | None], ...] = ()
    wrapups: tuple[Wrapup, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    on_start: dict[str, Any] = {}
    on_end: dict[str, Any] = {}
    estimated: frozenset[str] = frozenset()


def facts(sessions: Iterable[Session]) -> list[Fact]:
    """All that these sessions of one conversation say."""
    sessions = list(sessions)
    return [fact for session in sessions for fact in _told(session, sessions)]


def _told(session: Session, sessions: list[Session]) -> Iterator[Fact]:
    yield from _came_and_went(session, sessions)
    if session.purpose in AGENTS:
        yield from _wrapups(session, ACW, {"agentId": session.agent})
    else:
        yield from _wrapups(session, WRAPUP, {})


def _came_and_went(session: Session, sessions: list[Session]) -> Iterator[Fact]:
    if session.purpose in CUSTOMERS:
        return _customer(session)
    if session.purpose in FLOWS:
        return _flow(session)
    if session.purpose == "acd":
        return _queue(session, sessions)
    if session.purpose in AGENTS:
        return _agent(session)
    if session.purpose == "voicemail":
        return _plain(session, VOICEMAIL_START, VOICEMAIL_END)
    if session.purpose in CAMPAIGNS:
        return _campaign(session)
    name = session.purpose or "participant"
    return _plain(session, f"{name}.start", f"{name}.end")


def _customer(session: Session) -> Iterator[Fact]:
    if session.started is not None:
        yield session.scene.tell(
            CUSTOMER_START, session.started, session.on_start, estimated="started" in session.estimated
        )
    if session.ended is not None:
        more = dict(session.on_end)
        if session.started is not None and not session.estimated:
            more["durationSeconds"] = max(0, session.ended - session.started) / SECOND
        yield _end(session, CUSTOMER_END, more)


def _flow(session: Session) -> Iterator[Fact]:
    yield from _plain(session, FLOW_START, FLOW_END)
    for outcome in session.outcomes:
        mark = f"{outcome.outcome_id}:{outcome.at}"
        yield session.scene.tell(FLOW_OUTCOME, outcome.at, outcome.fields, mark=mark)


def _queue(session: Session, sessions: list[Session]) -> Iterator[Fact]:
    if session.connected is not None:
        yield _start(session, ACD_START)
    if session.ended is None:
        return
    taker = _taker(session, sessions)
    if taker is None:
        yield _end(session, ACD_END, session.on_end)
    else:
        answered = {**session.on_end, "acdOutcome": "ANSWERED", "agentId": taker.agent}
        yield _end(session, ACD_END, answered, ACD_ANSWERED)


def _taker(queue: Session, sessions: list[Session]) -> Session | None:
    """The agent who took the customer out of the queue."""
    if queue.disconnect is not None and not is_transfer(queue.disconnect):
        return None
    ended = queue.ended or 0
    near = [
        (abs(session.connected - ended), session.scene.session_id, session)
        for session in sessions
        if session.purpose in AGENTS
        and session.connected is not None
        and abs(session.connected - ended) <= ANSWER_TOLERANCE
    ]
    return min(near)[2] if near else None


def _agent(session: Session) -> Iterator[Fact]:
    who = {"agentId": session.agent}
    tell = session.scene.tell
    if session.started is not None:
        yield tell(USER_START, session.started, who, estimated="started" in session.estimated)
    if session.connected is not None:
        yield tell(USER_ANSWER, session.connected, who, estimated="connected" in session.estimated)
    for start, end in session.holds:
        yield tell(HOLD_START, start, who, mark=start)
        if end is not None:
            yield tell(HOLD_END, end, who, mark=start)
    if session.ended is not None:
        answered = USER_TRANSFERRED if is_transfer(session.disconnect) else USER_END
        yield _end(
            session, USER_END, {**session.on_end, **who}, answered if session.connected is not None else USER_MISSED
        )


def _campaign(session: Session) -> Iterator[Fact]:
    if session.started is not None:
        yield session.scene.tell(OUTBOUND, session.started, session.on_start)


def _wrapups(session: Session, kind: str, who: dict[str, Any]) -> Iterator[Fact]:
    for wrapup in session.wrapups:
        mark = about(wrapup.at) if session.scene.media in REOPENED else ""
        yield session.scene.tell(kind, wrapup.at, {**wrapup.fields, **who}, mark=mark)


def _plain(session: Session, start: str, end: str) -> Iterator[Fact]:
    if session.connected is not None:
        yield _start(session, start)
    if session.ended is not None:
        yield _end(session, end, session.on_end)


def _start(session: Session, kind: str) -> Fact:
    at = session.connected
    assert at is not None
    return session.scene.tell(kind, at, session.on_start, estimated="connected" in session.estimated)


def _end(session: Session, kind: str, fields: dict[str, Any], named: str = "") -> Fact:
    assert session.ended is not None
    more = {"disconnectType": session.disconnect, **fields}
    return session.scene.tell(kind, session.ended, more, type=named, estimated="ended" in session.estimated)
