"""A moment and the time-outs as one value, for those that draw or tell what an interaction reads as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from journeymap.model.journey import State
from journeymap.model.time import Millis
from journeymap.stitch.options import Timeouts
from journeymap.stitch.timeouts import Folded, Shown, journey_state, next_due, shown


class ClockReading(msgspec.Struct, frozen=True):
    """What interactions and journeys read as at `now`. It is what `view` asks for as its `Reading`."""

    now: Millis
    timeouts: Timeouts

    def shown(self, interaction: Folded) -> Shown:
        """What an interaction reads as."""
        return shown(interaction, self.now, self.timeouts)

    def journey(self, states: Iterable[State]) -> State:
        """The state of a journey whose interactions read as `states`."""
        return journey_state(states)

    def next_due(self, interactions: Sequence[Folded]) -> Millis | None:
        """The next moment at which one of `interactions` reads as something else; None if there is none."""
        return next_due(interactions, self.now, self.timeouts)
