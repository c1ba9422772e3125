"""How long doctor waits in tests."""

from __future__ import annotations

WAIT = ("--timeout", "2s", "--skip", "throttle")
