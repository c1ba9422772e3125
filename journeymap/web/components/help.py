"""The frames of the two dialogs that tell what can be done: the sheet of keys and the command box.

Nothing in them is Dash's: `assets/` fills them from the one table of commands when they are opened first.
"""

from __future__ import annotations

from typing import Any

from dash import html

from journeymap.web import ids
from journeymap.web.components.attributes import attributes


def create_help_sheet() -> Any:
    """The keys and what they do."""
    return html.Dialog(id=ids.HELP_SHEET, className="sheet", **attributes(aria_label="Keys"))


def create_command_box() -> Any:
    """Commands, customers and rows by a few letters."""
    return html.Dialog(id=ids.COMMAND_BOX, className="commands", **attributes(aria_label="Command box"))
