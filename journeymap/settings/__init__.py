"""Settings: one table, read once at the edge into a frozen object."""

from journeymap.settings.load import in_force, load
from journeymap.settings.table import NAMES, Settings, show, table

__all__ = ["NAMES", "Settings", "in_force", "load", "show", "table"]
