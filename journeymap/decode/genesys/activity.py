"""The activity query: who waits, is rung or talks right now, with the moment since when."""

from __future__ import annotations

from typing import Any, Final

from journeymap.decode.genesys.fact import Fact, Scene
from journeymap.decode.genesys.reading import objects, present, text
from journeymap.decode.genesys.spelling import enumeration, medium
from journeymap.decode.timestamp import read_date
from journeymap.model.event import ACD_START, USER_ANSWER, USER_START

_KINDS: Final = {"oWaiting": ACD_START, "oAlerting": USER_START, "oInteracting": USER_ANSWER}


def facts(answer: dict[str, Any]) -> list[Fact] | str:
    """The facts of one answer, or the reason why there are none."""
    entities = [entity for result in objects(answer.get("results")) for entity in objects(result.get("entities"))]
    return [fact for entity in entities if (fact := _fact(entity)) is not None] or "nothing-told"


def _fact(entity: dict[str, Any]) -> Fact | None:
    kind = _KINDS.get(text(entity.get("metric")) or "")
    conversation_id, session_id = text(entity.get("conversationId")), text(entity.get("sessionId"))
    at = read_date(entity.get("activityDate"))
    if kind is None or conversation_id is None or session_id is None or at is None:
        return None
    fields = {
        "participantName": text(entity.get("participantName")),
        "queueName": text(entity.get("queueId")),
        "agentId": text(entity.get("userId")),
        "direction": (enumeration(entity.get("direction")) or "").lower(),
        **{name: entity.get(name) for name in ("ani", "dnis", "addressFrom", "addressTo", "routingPriority")},
    }
    media = medium(entity.get("mediaType"))
    return Scene(conversation_id, session_id, "snapshot", media, present(fields)).tell(kind, at)
