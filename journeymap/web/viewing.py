"""Where rows and documents become answers to one viewer: the one place that masks what this viewer may not see."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from journeymap.model.status import Gap, Quarantined
from journeymap.model.time import Millis
from journeymap.readmodel.evidence import Joined
from journeymap.readmodel.readmodel import ReadModel
from journeymap.stitch.reading import ClockReading
from journeymap.view.document import document
from journeymap.view.masking import Viewer, mask, mask_document, mask_value
from journeymap.view.operations import operations
from journeymap.view.question import parse_question
from journeymap.view.summary import Summary, summary

_LAST_WORD: Final = re.compile(r"[^\s\"',;<>{}]*\Z")


class ViewedModel:
    """The read model as one viewer's pages see it. Keeps nothing about the viewer's view."""

    def __init__(self, model: ReadModel, viewer: Viewer) -> None:
        self._model = model
        self._viewer = viewer

    def answer(self, request: Mapping[str, Any], now: Millis) -> dict[str, Any] | None:
        """The answer to the page's question; None if it would say nothing new. Raises InputError."""
        answer = self._model.answer(parse_question(request), self._viewer, now)
        if answer is None:
            return None
        shown = {**msgspec.structs.asdict(answer), "status": msgspec.structs.asdict(answer.status)}
        if answer.overview is not None:
            shown["overview"] = msgspec.structs.asdict(answer.overview)
        return {**shown, "gaps": None if answer.gaps is None else [list(gap) for gap in answer.gaps]}

    def gaps(self, now: Millis) -> Sequence[Gap]:
        """The stretches of time of which events may be missing, oldest first."""
        return self._model.gaps(now)

    def operations(self, now: Millis) -> dict[str, Any]:
        """The document of the operations view."""
        model = self._model
        return operations(
            model.status(),
            model.problem,
            model.gaps(now),
            model.connections(),
            show_quarantine(model.quarantine(), self._viewer),
            now,
            problem_since=model.problem_since,
        )

    def detail(self, journey_id: str, now: Millis) -> dict[str, Any] | None:
        """The journey's document (docs/http.md) and the customer's other journeys as `neighbours`.

        Reads the disk. Raises StoreError.
        """
        journey = self._model.detail(journey_id)
        if journey is None:
            return None
        reading = ClockReading(now, self._model.timeouts)
        text = document(journey, reading, self._model.names)
        shown: dict[str, Any] = mask_value(msgspec.json.decode(text), self._viewer)
        neighbours = [summary(row, reading) for row in self._model.neighbours(journey)]
        return {
            **shown,
            "neighbours": [msgspec.structs.asdict(each) for each in show_summaries(neighbours, self._viewer)],
        }

    def evidence(self, journey_id: str) -> dict[str, Any] | None:
        """What lies behind a journey: `events`, each with its `raw` text as it was received, and `joined`, the ids that make it
        one customer's (`readmodel/evidence.py`). None if there is no such journey.

        Reads the disk. Raises StoreError.
        """
        journey = self._model.detail(journey_id)
        if journey is None:
            return None
        channels = {part.interaction_id: part.channel for part in journey.interactions}
        events = [
            {
                "event_id": event.event_id,
                "type": event.type,
                "timestamp": event.timestamp,
                "interaction_id": event.interaction_id,
                "channel": event.channel or channels[event.interaction_id],
                "raw": mask_document(event.raw, self._viewer).decode("utf-8", "replace"),
            }
            for event in journey.events
        ]
        joined = [
            {
                **mask_value(msgspec.structs.asdict(each), self._viewer),
                "mark": _mark(each),
                "undo": None if (undone := each.undone_by) is None else undone[0],
            }
            for each in self._model.joined(journey)
        ]
        return {"events": events, "joined": joined}

    def undoing(self, journey_id: str, mark: str) -> tuple[str, str, str] | None:
        """The event that undoes a join of a journey, by the join's `mark`, as type, from and to; None if it does not stand.

        Reads the disk. Raises StoreError.
        """
        journey = self._model.detail(journey_id)
        joined = () if journey is None else self._model.joined(journey)
        return next((each.undone_by for each in joined if _mark(each) == mark), None)

    def ingest_runs(self, now: Millis) -> bool:
        """Whether an ingest side is there that hears of commands."""
        return self._model.status_in_short(now).ingest_running


def show_document(text: bytes, viewer: Viewer) -> bytes:
    """A journey's document as this viewer may see it."""
    return mask_document(text, viewer)


def show_summaries(summaries: Iterable[Summary], viewer: Viewer) -> list[Summary]:
    """Summaries as this viewer may see them."""
    if viewer.sees_identifiers:
        return list(summaries)
    return [msgspec.structs.replace(each, customer_id=mask(each.customer_id, viewer)) for each in summaries]


def show_quarantine(entries: Iterable[Quarantined], viewer: Viewer) -> list[Quarantined]:
    """What is in quarantine as this viewer may see it. Its secrets were masked before it was kept."""
    if viewer.sees_identifiers:
        return list(entries)
    return [msgspec.structs.replace(each, sample=_masked_sample(each, viewer)) for each in entries]


def _masked_sample(entry: Quarantined, viewer: Viewer) -> str:
    # What is cut off in the middle is not recognised any more for the address or number that it is.
    return mask(_LAST_WORD.sub("", entry.sample) if entry.truncated else entry.sample, viewer)


def _mark(joined: Joined) -> str:
    """What a join is called in the page: its ids may be masked there."""
    named = [joined.rule, joined.id, joined.to, joined.undone_by]
    return hashlib.blake2b(msgspec.json.encode(named), digest_size=12).hexdigest()
