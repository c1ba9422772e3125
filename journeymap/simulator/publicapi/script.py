"""Steps of the story become a conversation as the public APIs see one: who came when, rang, talked, held and left.

The story says when a contact begins, is answered, handed on, left and wrapped up, and these times are kept to the
millisecond. What the public APIs show beside them (the flow that greets, the ringing, a missed alert, holds) is put
in between, drawn from numbers that belong to the cast's player, so that all who play it have it at the same places.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from journeymap.simulator.people import Agent, uuid_of
from journeymap.simulator.publicapi.conversation import Conversation, Customer, Leg, Moment, Stage
from journeymap.simulator.publicapi.organisation import FLOW_TYPES, flow_id, queue_id, wrapup_code
from journeymap.simulator.traffic import CREATED, DISPOSITION, ENDED, STARTED, TRANSFER, Step

_SECOND: Final = 1_000
_MISSED: Final = 0.15
_HELD: Final = 0.3
_CAMPAIGN: Final = 0.4
_VOICEMAIL: Final = 0.8
_OUTCOME: Final = 0.6
_RINGS_FOR: Final = 8 * _SECOND


class Role(NamedTuple):
    """Who plays: the conversation's id, the customer, who an agent is, and the moment that the steps count from."""

    conversation_id: str
    customer: Customer
    session_token: str
    agent: Callable[[str, int], Agent]
    base: int


def played(steps: Sequence[Step], role: Role, rng: random.Random) -> Conversation:
    """The conversation that these steps of one contact make."""
    return _Play(steps, role, rng).conversation()


class _Play:
    def __init__(self, steps: Sequence[Step], role: Role, rng: random.Random) -> None:
        self._steps = [step._replace(at=role.base + step.at) for step in steps]
        self._role = role
        self._rng = rng
        self._channel = steps[0].channel
        self._direction = str(steps[0].fields.get("direction", "inbound"))
        self._legs: list[Leg] = []
        self._moments: list[Moment] = []
        self._attributes: dict[int, dict[str, str]] = {}
        self._campaign = False
        self._customer = self._acd = self._agent = -1
        """The places of the legs that are there now, -1 for none."""

    def conversation(self) -> Conversation:
        acts = {CREATED: self._created, STARTED: self._started, TRANSFER: self._transferred, ENDED: self._ended,
                DISPOSITION: self._wrapped_up}  # fmt: skip
        for number, step in enumerate(self._steps):
            acts[step.type](step, self._steps[number + 1] if number + 1 < len(self._steps) else None)
        identified = next((step.at for step in self._steps if step.identified), None)
        if identified is not None and identified > self._steps[0].at:
            customers = [place for place, leg in enumerate(self._legs) if leg.purpose == "customer"]
            self._mark(
                identified, "contact", max(place for place in customers if self._legs[place].start <= identified)
            )
        role = self._role
        return Conversation(
            conversation_id=role.conversation_id,
            channel=self._channel,
            direction=self._direction,
            customer=role.customer,
            session_token=role.session_token,
            message_type="webmessaging" if self._channel == "message" else "",
            legs=self._legs,
            moments=sorted(self._moments, key=lambda moment: moment.at),
            identified_at=identified,
            attributes=self._attributes,
            campaign=self._campaign,
        )

    def _created(self, step: Step, then: Step | None) -> None:
        at = step.at
        self._customer = self._arrive("customer", at, self._role.customer.name)
        self._mark(at, "customer.start", self._customer)
        if self._channel == "voice" and self._direction == "outbound":
            self._dial(step, then)
            return
        wait = (then.at if then is not None else at + 60 * _SECOND) - at
        if self._direction == "inbound" and self._channel in FLOW_TYPES and wait >= 2 * _SECOND:
            at = self._greet(at, wait)
        self._queue(at + min(100, wait // 4), step.queue)

    def _greet(self, at: int, wait: int) -> int:
        """A flow takes the contact in; gives when it hands on."""
        rng = self._rng
        begins, ends = at + 60, at + 60 + round(min(wait * rng.uniform(0.15, 0.4), 45 * _SECOND))
        place = self._arrive("ivr", begins, FLOW_TYPES[self._channel][0])
        flow = self._legs[place]
        flow.flow_id = flow_id(self._channel)
        flow.stages = [Stage("ivr", begins, ends)]
        self._mark(begins, "flow.start", place)
        if rng.random() < _OUTCOME:
            told = begins + (ends - begins) // 2
            flow.outcome_at = begins + (ends - begins) * 9 // 10
            self._attributes[told] = {"language": rng.choice(("en", "de", "fr")), "accountTier": rng.choice("ABC")}
            self._mark(told, "attributes", self._customer)
            self._mark(flow.outcome_at, "flow.outcome", place)
        self._leave(place, ends, "transfer")
        self._mark(ends, "flow.end", place)
        customer = self._legs[self._customer]
        customer.stages = [Stage("system", at, begins), Stage("ivr", begins, ends), Stage("interact", ends, None)]
        return ends

    def _dial(self, step: Step, then: Step | None) -> None:
        """An agent calls out: the line rings until the customer takes the call."""
        answered = then if then is not None and then.type == STARTED else None
        if answered is None or answered.agent is None:
            return
        self._campaign = self._rng.random() < _CAMPAIGN
        if self._campaign:
            self._mark(step.at, "outbound", self._customer)
        place = self._join(answered, step.at, step.queue)
        self._legs[place].dials = True
        self._legs[place].stages = [Stage("dialing", step.at, answered.at), Stage("interact", answered.at, None)]
        customer = self._legs[self._customer]
        customer.stages = [Stage("dialing", step.at, answered.at), Stage("interact", answered.at, None)]
        customer.connected_at = answered.at
        self._agent = place

    def _queue(self, at: int, queue: str) -> None:
        self._acd = self._arrive("acd", at, queue)
        leg = self._legs[self._acd]
        leg.queue_id = queue_id(queue)
        leg.stages = [Stage("interact", at, None)]
        self._mark(at, "acd.start", self._acd)

    def _started(self, step: Step, _: Step | None) -> None:
        if self._agent >= 0 and self._legs[self._agent].connected_at is None:
            self._connect(step.at)
            return
        if self._legs[self._customer].end is not None:
            self._reopen(step)
        if self._acd < 0:
            return
        acd = self._legs[self._acd]
        rang = step.at - min(round(self._rng.uniform(2, 8) * _SECOND), (step.at - acd.start) * 3 // 5)
        if rang - acd.start > 12 * _SECOND and self._rng.random() < _MISSED:
            self._miss(step, acd.start + round(self._rng.uniform(0.5, 1.5) * _SECOND))
        self._agent = self._join(step, rang, step.queue)
        agent = self._legs[self._agent]
        agent.stages = [Stage("alert", rang, step.at), Stage("interact", step.at, None)]
        acd.acd_outcome, acd.answered_by = "ANSWERED", agent.user_id
        self._leave(self._acd, step.at, "transfer")
        self._mark(step.at, "acd.end", self._acd)
        self._acd = -1
        self._connect(step.at)

    def _connect(self, at: int) -> None:
        self._legs[self._agent].connected_at = at
        self._mark(at, "answer", self._agent)

    def _reopen(self, step: Step) -> None:
        """The customer has written again after the conversation had ended."""
        before = self._legs[self._customer]
        again = step.at - min(6 * _SECOND, (step.at - (before.end or step.at)) // 2)
        self._customer = self._arrive("customer", again, self._role.customer.name)
        self._mark(again, "customer.start", self._customer)
        self._queue(again + 60, step.queue)

    def _miss(self, step: Step, at: int) -> None:
        """Somebody is alerted first and does not answer."""
        place = self._join(step._replace(agent=(step.agent or 0) + 1), at, step.queue)
        self._legs[place].stages = [Stage("alert", at, at + _RINGS_FOR)]
        self._leave(place, at + _RINGS_FOR, "client")
        self._mark(at + _RINGS_FOR, "user.end", place)

    def _join(self, step: Step, at: int, queue: str) -> int:
        agent = self._role.agent(queue, step.agent or 0)
        place = self._arrive("agent", at, agent.name)
        self._legs[place].user_id = agent.agent_id
        self._legs[place].queue_id = queue_id(queue)
        self._legs[place].connected_at = None
        self._mark(at, "user.start", place)
        return place

    def _transferred(self, step: Step, then: Step | None) -> None:
        if step.fields["transferType"] == "channel":
            self._attributes[step.at] = {"movedTo": step.fields["targetChannelType"]}
            self._mark(step.at, "attributes", self._customer)
            self._part(step.at, "transfer")
            return
        place = self._agent
        self._part(step.at, "consultTransfer" if step.fields["transferType"] == "consult" else "transfer")
        if place >= 0:
            self._wrap_up_silently(place, step.at)
        gap = 100 if then is None else min(100, (then.at - step.at) // 4)
        self._queue(step.at + gap, step.fields["targetQueueName"])

    def _part(self, at: int, why: str) -> None:
        """The agent who is there leaves."""
        if self._agent < 0:
            return
        agent = self._legs[self._agent]
        began = agent.connected_at
        if self._channel in ("voice", "callback") and began is not None and self._rng.random() < _HELD:
            held = began + round((at - began) * self._rng.uniform(0.2, 0.5))
            back = held + round((at - began) * self._rng.uniform(0.05, 0.3))
            agent.stages[-1:] = [
                Stage("interact", began, held),
                Stage("hold", held, back),
                Stage("interact", back, None),
            ]
            self._mark(held, "hold", self._agent)
            self._mark(back, "retrieve", self._agent)
        self._leave(self._agent, at, why)
        self._mark(at, "user.end", self._agent)
        self._agent = -1

    def _ended(self, step: Step, then: Step | None) -> None:
        at = step.at
        customer_hangs_up = self._agent < 0 or self._rng.random() < 0.5
        if self._acd >= 0:
            self._give_up(at, then)
        place = self._agent
        self._part(at, "peer" if customer_hangs_up else "client")
        if place >= 0 and then is not None and then.type == STARTED:
            self._wrap_up_silently(place, at)
        own_way = "endpoint" if self._channel in ("voice", "callback") else "client"
        self._leave(self._customer, at, own_way if customer_hangs_up else "peer")
        self._mark(at, "customer.end", self._customer)

    def _give_up(self, at: int, then: Step | None) -> None:
        """The customer leaves the queue unanswered, perhaps for the voice mail."""
        acd, place = self._legs[self._acd], self._acd
        self._acd = -1
        left = at
        if (
            self._channel == "voice"
            and then is None
            and at - acd.start > 10 * _SECOND
            and self._rng.random() < _VOICEMAIL
        ):
            left = at - (at - acd.start) // 3
            box = self._arrive("voicemail", left, acd.name)
            self._legs[box].queue_id = acd.queue_id
            self._legs[box].stages = [Stage("voicemail", left, at)]
            self._mark(left, "voicemail.start", box)
            self._leave(box, at, "peer")
            self._mark(at, "voicemail.end", box)
        acd.acd_outcome = "ABANDON" if left == at else "FLOW_OUT"
        self._leave(place, left, "peer" if left == at else "transfer")
        self._mark(left, "acd.end", place)

    def _wrapped_up(self, step: Step, _: Step | None) -> None:
        purpose, kind = ("agent", "acw") if step.agent is not None else ("acd", "wrapup")
        places = [place for place, leg in enumerate(self._legs) if leg.purpose == purpose and leg.end is not None]
        if not places:
            return
        self._legs[places[-1]].wrapup_code = wrapup_code(str(step.fields["disposition"]))
        self._wrap_up(places[-1], step.at, kind)

    def _wrap_up_silently(self, place: int, at: int) -> None:
        """Every agent wraps up. What the contact came to, only the last one says."""
        self._wrap_up(place, at + round(self._rng.uniform(1, 5) * _SECOND), "acw")

    def _wrap_up(self, place: int, at: int, kind: str) -> None:
        leg = self._legs[place]
        leg.wrapup_start, leg.wrapup_end = leg.end, at
        leg.stages.append(Stage("wrapup", leg.end or at, at))
        self._mark(at, kind, place)

    def _arrive(self, purpose: str, at: int, name: str) -> int:
        place = len(self._legs)
        own = f"{self._role.conversation_id} {place}"
        peer = self._legs[self._customer].session_id if self._customer >= 0 and purpose != "customer" else ""
        stages = [Stage("interact", at, None)] if purpose == "customer" else []
        self._legs.append(
            Leg(purpose=purpose, participant_id=uuid_of("participant " + own), session_id=uuid_of("session " + own),
                name=name, start=at, connected_at=at, stages=stages, peer=peer)
        )  # fmt: skip
        return place

    def _leave(self, place: int, at: int, why: str) -> None:
        leg = self._legs[place]
        leg.end, leg.disconnect = at, why
        leg.stages = [stage if stage.end is not None else stage._replace(end=at) for stage in leg.stages]

    def _mark(self, at: int, kind: str, leg: int) -> None:
        self._moments.append(Moment(at, kind, leg))
