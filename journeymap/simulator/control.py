"""The control endpoint: faults and actions while the platform runs. For this machine only, unless told otherwise."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from journeymap.errors import InputError
from journeymap.simulator import actions
from journeymap.simulator.answers import body_of, json_answer, problem
from journeymap.simulator.platform import Platform

FAULTS_PATH = "/control/faults"
ACTIONS_PATH = "/control/actions"


def routes(platform: Platform) -> list[Route]:
    """The paths under /control."""
    control = _Control(platform)

    def guarded(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer_if_allowed(request: Request) -> Response:
            if not (platform.manner.remote_control or _is_near(request)):
                return problem(403, "Not from here", "the control endpoint answers this machine only")
            try:
                return await answer(request)
            except InputError as error:
                return problem(400, "That cannot be done", str(error))

        return answer_if_allowed

    return [
        Route(FAULTS_PATH, guarded(control.faults), methods=["GET"]),
        Route(FAULTS_PATH, guarded(control.change_faults), methods=["PUT"]),
        Route(FAULTS_PATH, guarded(control.reset_faults), methods=["DELETE"]),
        Route(ACTIONS_PATH, guarded(control.actions), methods=["GET"]),
        Route(ACTIONS_PATH + "/{name}", guarded(control.act), methods=["POST"]),
    ]


class _Control:
    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    async def faults(self, _: Request) -> Response:
        return json_answer({"faults": self._platform.faults.document()})

    async def change_faults(self, request: Request) -> Response:
        self._platform.faults.change(_object(await body_of(request)))
        return await self.faults(request)

    async def reset_faults(self, request: Request) -> Response:
        self._platform.faults.reset()
        return await self.faults(request)

    async def actions(self, _: Request) -> Response:
        return json_answer({"actions": actions.document()})

    async def act(self, request: Request) -> Response:
        name = request.path_params["name"]
        concerned = actions.action(name, _object(await body_of(request) or b"{}")).on(self._platform)
        return json_answer({"action": name, "concerned": concerned})


def _object(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"the body is not a JSON object: {error}") from None


def _is_near(request: Request) -> bool:
    try:
        address = ipaddress.ip_address(request.client.host if request.client is not None else "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
