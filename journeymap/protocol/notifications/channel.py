"""One topic channel: it is made or taken again, gets its topics, and a socket is connected to it; then it is live.

What goes wrong with it ends it: `lost` says what. Its id may be taken by the next one (`TopicChannel(…, channel_id)`), for
the platform keeps a channel and its topics for a while without a socket. Only a socket that the platform is about to close
is replaced without an end: the next one is opened first. With it the platform may end the one in use, and word of that may be
here before word of the next one is. Nothing is lost by it: what was sent on the one in use has come before its close frame,
and what is sent from then on waits in the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import msgspec

from journeymap.model.time import SECOND, Millis
from journeymap.protocol.backoff import retry_after_in
from journeymap.protocol.exchange import CloseSocket, HandshakeRefused, Report, SocketClosed, SocketOpened
from journeymap.protocol.notifications.distribution import Topics
from journeymap.protocol.notifications.exchange import (
    Actions,
    Answer,
    Heard,
    LetGo,
    OpenSocket,
    Prepare,
    Prepared,
    RequestFailed,
    SetTopics,
    SocketInput,
    TopicsSet,
)
from journeymap.protocol.notifications.frames import Sign, System
from journeymap.protocol.notifications.limits import MOST_TOPICS, Limits
from journeymap.protocol.notifications.socket import Socket
from journeymap.protocol.notifications.topics import Refusal
from journeymap.protocol.websocket import LOST

_GOING: Final = {
    1000: "closed normally",
    1001: "going away",
    1006: "connection lost",
    1011: "server error",
    1012: "restarting",
}
_TRY_AGAIN_LATER: Final = 1013
_GIVEN_UP: Final = "no_longer_subscribed"
_NO_MORE: Final = {
    _GIVEN_UP: "the platform has given up the channel: more than 20 are in use by this OAuth client, or another "
    "program uses it",
    "token_revoked": "the token of the channel was revoked",
}
_HARMLESS: Final = "subscription_changed"
_PAUSE: Final = 30 * SECOND
"""After a change of topics that came to nothing."""
_STALE: Final = 50
"""So many topics that are not wanted any more stay on a channel until it has better things to do."""
_MOVE_AGAIN: Final = 5 * SECOND
"""After a socket that was to replace the one in use did not come about; that one has a minute to live."""


class Loss(msgspec.Struct, frozen=True):
    """Why a topic channel has ended. `gone`: its id is of no more use. `refused`: nothing is to be tried until an operator acts.
    `stale`: a newer token is needed."""

    message: str
    gone: bool = False
    refused: bool = False
    stale: bool = False
    retry_after: Millis | None = None


class TopicChannel:
    """Its topics are those of `topics`, which others change: `tell` passes changes on. `numbers` gives requests and sockets
    their numbers. `before` is the lost one that is to be taken again, if there is one."""

    def __init__(
        self,
        lane: int,
        topics: Topics,
        numbers: Iterator[int],
        limits: Limits,
        before: TopicChannel | None = None,
    ) -> None:
        self.lane = lane
        self.channel_id: str | None = before.channel_id if before is not None else None
        self.uri: str = before.uri if before is not None else ""
        self.token: int = before.token if before is not None else 0
        self.renew_at: Millis | None = before.renew_at if before is not None else None
        self.refusals: dict[str, Refusal] = before.refusals if before is not None else {}
        self.lost: Loss | None = None
        self.heard_at: Millis | None = None
        """When the last sign of life came on the socket in use."""
        self.is_prepared = False
        self._topics = topics
        self._numbers = numbers
        self._limits = limits
        self._told: dict[str, None] = {}
        self._awaited: int | None = None
        self._asked: Prepare | SetTopics | None = None
        self._socket: Socket | None = None
        self._next: Socket | None = None
        self._old: list[Socket] = []
        self._tell_from: Millis | None = None
        self._move_at: Millis | None = None
        self._notice_until: Millis | None = None  # an end of the socket in use until then is no surprise
        self._switch_until: Millis | None = None
        self._farewell: Loss | None = None  # what is lost with the socket in use, should there be no next one

    @property
    def topics(self) -> int:
        """How many topics the platform has granted it."""
        return sum(topic not in self.refusals for topic in self._told)

    @property
    def is_live(self) -> bool:
        """Whether it has its topics and a socket on which they come."""
        if self._socket is None:
            return self._switch_until is not None
        return self._socket.is_open

    def concerns(self, given: Answer | SocketInput) -> bool:
        """Whether this is for it."""
        if isinstance(given, Answer):
            return given.request == self._awaited
        return any(socket.number == given.connection for socket in self._sockets())

    def begin(self, older: int = 0) -> Actions:
        """Make it, with a newer token than `older`; or take it again."""
        self._asked = Prepare(next(self._numbers), self.lane, self.channel_id, tuple(self._topics), older)
        self._awaited = self._asked.request
        return (self._asked,)

    def tell(self, now: Millis) -> Actions:
        """Pass on how the topics have changed, unless a request is under way: then that comes first."""
        if self._awaited is not None or not self.is_prepared or self.channel_id is None or self.lost is not None:
            return ()
        if self._tell_from is not None and now < self._tell_from:
            return ()
        added = [topic for topic in self._topics if topic not in self._told]
        removed = len(self._told) + len(added) - len(self._topics)
        if not added and not removed:
            return ()
        # Adding says less; what is not wanted any more can wait until it is a good part.
        full = len(self._told) + len(added) > MOST_TOPICS
        replace = removed > min(len(self._topics) // 4, _STALE) or (full and bool(removed))
        if not added and not replace:
            return ()
        topics = tuple(self._topics) if replace else tuple(added)
        self._asked = SetTopics(next(self._numbers), self.lane, self.channel_id, topics, replace)
        self._awaited = self._asked.request
        return (self._asked,)

    def ask_again(self) -> None:
        """Let the next `tell` ask for the refused topics once more: roles change."""
        for topic in self.refusals:
            self._told.pop(topic, None)

    def take(self, given: Answer | SocketInput, now: Millis) -> Actions:
        """Something was said about it."""
        match given:
            case Prepared() | TopicsSet():
                return self._answered(given, now)
            case RequestFailed():
                return self._failed(given, now)
            case SocketOpened():
                return self._opened(given.connection, now)
            case Heard():
                return self._heard(given, now)
            case SocketClosed():
                # Without a close frame what was sent before may be lost with the socket.
                in_order = given.code is not None and given.code != LOST
                return self._closed(given.connection, _why(given), now, in_order=in_order)
            case HandshakeRefused():
                gone = given.status in (401, 403, 404, 410)
                message = f"the platform answered the socket with status {given.status}"
                return self._closed(given.connection, Loss(message, gone, retry_after=given.retry_after), now)
        return ()

    def tick(self, now: Millis) -> Actions:
        """Time has passed."""
        actions: Actions = ()
        for socket in self._sockets():
            if socket.drop_at is not None and now >= socket.drop_at:
                self._old.remove(socket)
                actions += (CloseSocket(socket.number),)
                continue
            todo, dead = socket.tick(now)
            actions += todo
            if dead is not None:
                actions += self._closed(socket.number, Loss(dead), now)
            if self.lost is not None:
                return actions
        if self._switch_until is not None and now >= self._switch_until:
            actions += self._not_switched()
        if self._move_at is not None and now >= self._move_at:
            actions += self._move(now)
        if self._tell_from is not None and now >= self._tell_from:
            self._tell_from = None
            actions += self.tell(now)
        return actions

    def next_due(self) -> Millis | None:
        """When to look at the time again."""
        dues = (self._move_at, self._tell_from, self._switch_until, *(socket.next_due() for socket in self._sockets()))
        return min((due for due in dues if due is not None), default=None)

    def end(self, loss: Loss, let_go: bool = False) -> Actions:
        """It is not to be used any more; with `let_go` its topics are taken from it."""
        actions: Actions = tuple(CloseSocket(socket.number) for socket in self._sockets())
        self._socket = self._next = None
        self._old = []
        self._awaited = self._move_at = self._tell_from = self._switch_until = None
        self.lost = self.lost or loss
        if let_go and self.channel_id is not None:
            actions += (LetGo(self.lane, self.channel_id),)
        return actions

    def _sockets(self) -> list[Socket]:
        return [socket for socket in (self._socket, self._next, *self._old) if socket is not None]

    def _answered(self, given: Prepared | TopicsSet, now: Millis) -> Actions:
        assert self._asked is not None
        self._awaited = None
        asked = dict.fromkeys(self._asked.topics)
        whole = isinstance(self._asked, Prepare) or self._asked.replace
        self._told = asked if whole else self._told | asked
        kept = {} if whole else {topic: why for topic, why in self.refusals.items() if topic not in asked}
        self.refusals = kept | {refusal.topic: refusal for refusal in given.refusals}
        if not isinstance(given, Prepared):
            return ()
        self.is_prepared = True
        self.channel_id, self.uri, self.token = given.channel_id, given.uri or self.uri, given.token or self.token
        self.renew_at = given.renew_at or self.renew_at
        self._socket = Socket(next(self._numbers), self._limits, now)
        return (OpenSocket(self._socket.number, self.uri),)

    def _opened(self, number: int, now: Millis) -> Actions:
        for socket in self._sockets():
            if socket.number == number:
                socket.opened(now)
        if self._next is not None and self._next.number == number:
            # What was sent on the old one may still be under way.
            if self._socket is not None:
                self._socket.drop_at = now + self._limits.overlap
                self._old.append(self._socket)
            self._take_next()
        self._note_life(number, now)
        return ()

    def _heard(self, given: Heard, now: Millis) -> Actions:
        for socket in self._sockets():
            if socket.number == given.connection:
                socket.heard(now, given.control, data=given.data)
        self._note_life(given.connection, now)
        if given.control is Sign.CLOSING and self._is_current(given.connection):
            if self._notice_until is None:
                self._notice_until = now + self._limits.notice
            return self._move(now)
        if isinstance(given.control, System) and given.control.kind != _HARMLESS:
            return self._told_by_system(given.connection, given.control, now)
        return ()

    def _told_by_system(self, number: int, said: System, now: Millis) -> Actions:
        if said.kind == _GIVEN_UP and not self._is_current(number):
            return ()  # it has another socket now, which is what this one is told
        why = _NO_MORE.get(said.kind)
        reason = f" ({said.reason})" if said.reason else ""
        if why is None:
            # What may be new there is no reason to give up a channel that brings events.
            return (Report(f"the platform says {said.kind} of the channel{reason}", harmless=True),)
        loss = Loss(why + reason, gone=True, stale=said.kind == "token_revoked")
        if said.kind == _GIVEN_UP and self._next is not None:
            # Perhaps it is the next one that has subscribed. If it is not, it does not come to be.
            self._farewell = loss
            return self._switch(now)
        return self.end(loss)

    def _move(self, now: Millis) -> Actions:
        """Open a socket that is to take the place of the one in use."""
        self._move_at = None
        if self._next is not None or not self.is_live:
            return ()
        self._next = Socket(next(self._numbers), self._limits, now)
        return (OpenSocket(self._next.number, self.uri),)

    def _switch(self, now: Millis) -> Actions:
        """The one in use has ended, perhaps because the next one is there already."""
        if self._switch_until is None:
            self._switch_until = now + self._limits.switch
        return ()

    def _not_switched(self) -> Actions:
        """The next one is not there."""
        if self._farewell is not None:
            return self.end(self._farewell)
        self._take_next()
        return ()

    def _take_next(self) -> None:
        """It is the one in use now, open or not."""
        self._socket, self._next = self._next, None
        self._notice_until = self._switch_until = self._farewell = None

    def _failed(self, given: RequestFailed, now: Millis) -> Actions:
        self._awaited = None
        if isinstance(self._asked, SetTopics) and not given.gone:
            # What it has goes on.
            self._tell_from = now + max(_PAUSE, given.retry_after or 0)
            return (Report(f"topics could not be changed: {given.message}", harmless=True),)
        return self.end(Loss(given.message, given.gone, given.refused, retry_after=given.retry_after))

    def _closed(self, number: int, loss: Loss, now: Millis, *, in_order: bool = False) -> Actions:
        """A socket is no more. That ends the channel, unless another is in its place or may still come there."""
        actions: Actions = (CloseSocket(number),)
        self._old = [socket for socket in self._old if socket.number != number]
        if self._next is not None and self._next.number == number:
            self._next = None
            self._move_at = now + _MOVE_AGAIN
            if self._switch_until is not None:
                actions += self.end(self._farewell or loss)
        elif self._is_current(number):
            if in_order and self._next is not None and self._notice_until is not None and now < self._notice_until:
                self._socket = None
                return actions + self._switch(now)
            self._take_next()
            if self._socket is None or loss.gone:
                actions += self.end(loss)
        return actions

    def _note_life(self, number: int, now: Millis) -> None:
        if self._is_current(number):
            self.heard_at = now

    def _is_current(self, number: int) -> bool:
        return self._socket is not None and self._socket.number == number


def _why(given: SocketClosed) -> Loss:
    if given.code is None:
        return Loss(given.message or "the connection failed", retry_after=given.retry_after)
    name = given.message or _GOING.get(given.code, "")
    asked = retry_after_in(given.message) if given.code == _TRY_AGAIN_LATER else given.retry_after
    return Loss(f"the platform closed the socket ({given.code}{name and f': {name}'})", retry_after=asked)
