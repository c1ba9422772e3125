"""The simulated organisation as its public APIs list it: queues, users, wrap-up codes and flows, by id and by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from journeymap.simulator.people import QUEUES, Agent, uuid_of

DIVISION: Final = {"id": uuid_of("division"), "name": "Home"}
ORGANISATION_ID: Final = uuid_of("organisation")
UNANSWERED: Final = "Abandoned in queue"
_MOVED: Final = tuple(f"Moved to {channel}" for channel in ("voice", "chat", "email", "message", "callback"))
_CREATED: Final = "2024-03-01T09:00:00.000Z"

FLOW_TYPES: Final = {
    "voice": ("Main line", "INBOUNDCALL"),
    "chat": ("Web chat", "INBOUNDCHAT"),
    "email": ("Mailbox", "INBOUNDEMAIL"),
    "message": ("Messaging", "INBOUNDSHORTMESSAGE"),
}
"""The flow that takes in each channel, and its type."""


def queue_id(name: str) -> str:
    """The id of the queue of this name."""
    return uuid_of(f"queue {name}")


def wrapup_code(name: str) -> str:
    """The id of the wrap-up code of this name."""
    return uuid_of(f"wrap-up {name}")


def flow_id(channel: str) -> str:
    """The id of the flow that takes in this channel."""
    return uuid_of(f"flow {FLOW_TYPES[channel][0]}")


class Listed:
    """Entities of one kind, in the order of their names."""

    def __init__(self, entities: Iterable[dict[str, Any]]) -> None:
        self.entities = sorted(entities, key=lambda entity: str(entity["name"]).lower())
        self.by_id = {str(entity["id"]): entity for entity in self.entities}


class Organisation:
    """All there is, with `queues` queues: the five of the story, and others that nobody has called yet."""

    def __init__(self, rosters: Mapping[str, tuple[Agent, ...]], queues: int) -> None:
        names = [queue.name for queue in QUEUES]
        # Two names, so that the five lie apart in a long list and no client finds them all on its first page.
        names += [f"{('Branch', 'Region')[number % 2]} {number // 2 + 1:04d}" for number in range(queues - len(names))]
        members = {name: len(team) for name, team in rosters.items()}
        self.queues = Listed(_queue(name, members.get(name, 0)) for name in names)
        self.users = Listed(_user(agent) for team in rosters.values() for agent in team)
        outcomes = {outcome for queue in QUEUES for outcome in queue.outcomes}
        self.wrapup_codes = Listed(_code(name) for name in {*outcomes, *_MOVED, UNANSWERED})
        self.flows = Listed(_flow(channel) for channel in FLOW_TYPES)

    def add_queue(self, name: str) -> str:
        """Open a queue of this name; answers its id."""
        self.queues = Listed([*self.queues.entities, _queue(name, 0)])
        return queue_id(name)


def _queue(name: str, members: int) -> dict[str, Any]:
    return {
        "id": queue_id(name), "name": name, "division": DIVISION, "dateCreated": _CREATED, "dateModified": _CREATED,
        "memberCount": members, "userMemberCount": members, "joinedMemberCount": members,
        "acwSettings": {"wrapupPrompt": "OPTIONAL", "timeoutMs": 60_000}, "skillEvaluationMethod": "NONE",
        "selfUri": f"/api/v2/routing/queues/{queue_id(name)}",
    }  # fmt: skip


def _user(agent: Agent) -> dict[str, Any]:
    email = agent.name.lower().replace(" ", ".") + "@example.com"
    return {
        "id": agent.agent_id, "name": agent.name, "division": DIVISION, "email": email, "username": email,
        "state": "active", "version": 7, "acdAutoAnswer": False, "selfUri": f"/api/v2/users/{agent.agent_id}",
    }  # fmt: skip


def _code(name: str) -> dict[str, Any]:
    code = wrapup_code(name)
    return {
        "id": code, "name": name, "division": DIVISION, "dateCreated": _CREATED, "dateModified": _CREATED,
        "selfUri": f"/api/v2/routing/wrapupcodes/{code}",
    }  # fmt: skip


def _flow(channel: str) -> dict[str, Any]:
    name, kind = FLOW_TYPES[channel]
    return {
        "id": flow_id(channel), "name": name, "type": kind, "division": DIVISION, "active": True, "system": False,
        "deleted": False, "publishedVersion": {"id": "7.0", "name": "7.0"}, "selfUri": f"/api/v2/flows/{flow_id(channel)}",
    }  # fmt: skip
