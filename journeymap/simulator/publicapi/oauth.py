"""Tokens of the public APIs: client credentials without a scope, and the platform's own way to refuse them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.responses import Response

from journeymap.simulator.answers import json_answer
from journeymap.simulator.platform import Platform


def token(platform: Platform, credentials: tuple[str, str] | None, form: Mapping[str, Sequence[str]]) -> Response:
    """Answer a request for a token; where the header holds no credentials, the form may."""
    name, secret = credentials or (form.get("client_id", [""])[0], form.get("client_secret", [""])[0])
    refused = platform.faults.take("refuse_tokens")
    if refused == "403":
        return json_answer({"error": "access_denied", "description": "denied", "error_description": "denied"}, 403)
    if refused == "400" or name != platform.manner.client_id:
        return _invalid(400, "client not found")
    if refused == "401" or platform.faults.refuse_credentials or secret != platform.manner.client_secret:
        return _invalid(401, "authentication failed")
    answer = {
        "access_token": platform.issue_token(),
        "token_type": "bearer",
        "expires_in": max(1, round(platform.token_life)),
    }
    return json_answer(answer, headers={"Cache-Control": "no-store"})


def _invalid(status: int, why: str) -> Response:
    return json_answer({"error": "invalid_client", "description": why, "error_description": why}, status)
