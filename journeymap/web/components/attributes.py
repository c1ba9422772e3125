"""HTML attributes that are no Python names: `aria-label`, `data-ms`."""

from __future__ import annotations

from typing import Any


def attributes(**values: str) -> dict[str, Any]:
    """Keyword arguments for a Dash element: `attributes(aria_label="Legend")` is the attribute `aria-label`."""
    return {name.replace("_", "-"): value for name, value in values.items()}
