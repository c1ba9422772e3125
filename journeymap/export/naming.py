"""Names of exported files: never anything of a customer in them, for names of files are seen by many."""

from __future__ import annotations

import re
from datetime import tzinfo
from typing import Final

from journeymap.model.time import Millis
from journeymap.view.labels import iso_compact

_JOURNEY: Final = re.compile(r"j-[0-9a-f]{6,40}")


def file_name(form: str, now: Millis, zone: tzinfo, journey_id: str | None = None) -> str:
    """`journeymap-20261124-140359.png`; of one journey with its id, if that is one that we made and not a user's text."""
    which = f"-{journey_id}" if journey_id and _JOURNEY.fullmatch(journey_id) else ""
    return f"journeymap{which}-{iso_compact(now, zone)}.{form}"
