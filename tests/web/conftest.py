"""What the tests in this folder share."""

from __future__ import annotations

import pytest

from journeymap.testing import event
from tests.web.site import START, Site


@pytest.fixture
def site() -> Site:
    made = Site()
    for n in range(12):
        channel = "chat" if n % 3 == 0 else "voice"
        made.take(
            event("interaction.created", START + n * 1_000, f"i{n}", event_id=f"a{n}", customerId=f"Cust-{n:02}",
                  channelType=channel, queueName="Support" if n % 2 else "Sales"),
            event("conversation.started", START + n * 1_000 + 500, f"i{n}", event_id=f"b{n}"),
        )  # fmt: skip
    made.take(event("disposition.completed", START + 20_000, "i3", event_id="c3", disposition="sold"))
    return made
