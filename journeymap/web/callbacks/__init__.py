"""What happens when something changes: read, view, answer. Each is a plain async function, registered in one place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import dash

from journeymap.model.time import Millis
from journeymap.web.callbacks import journey, operations, table, wall

if TYPE_CHECKING:
    from journeymap.web.app import PageModel


def register(
    app: dash.Dash, read_model: PageModel, clock: Callable[[], Millis], retry: Callable[[], None] | None
) -> None:
    """Tie all callbacks to this application."""
    wall.register(app, read_model, clock, retry)
    journey.register(app, read_model, clock)
    operations.register(app, read_model, clock)
    table.register(app, read_model, clock)
