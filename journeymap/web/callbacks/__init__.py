"""What happens when something changes: read, view, answer. Each is a plain async function, registered in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dash

from journeymap.model.time import Millis
from journeymap.web.callbacks import identity, journey, operations, table, wall

if TYPE_CHECKING:
    from journeymap.web.app import PageModel


def register(
    app: dash.Dash,
    read_model: PageModel,
    clock: Callable[[], Millis],
    retry: Callable[[], None] | None,
    change_customers: identity.Change | None,
) -> None:
    """Tie all callbacks to this application."""
    wall.register(app, read_model, clock, retry)
    journey.register(app, read_model, clock, can_undo=change_customers is not None)
    identity.register(app, read_model, clock, change_customers)
    operations.register(app, read_model, clock)
    table.register(app, read_model, clock)
