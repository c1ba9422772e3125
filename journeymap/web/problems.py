"""Errors of the HTTP interface as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from journeymap.errors import InputError, StoreError

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **extensions: Any) -> Response:
    """A problem document. `detail` says what is wrong and what to do; it must hold no secret."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **extensions}
    return Response(msgspec.json.encode(body), status, headers, MEDIA_TYPE)


class ProblemRoute(APIRoute):
    """A route whose errors are problem documents, whatever application it is part of."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler with its errors mapped."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except InputError as error:
                return problem(HTTPStatus.BAD_REQUEST, str(error))
            except RequestValidationError as error:
                faults = "; ".join(f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors())
                return problem(HTTPStatus.BAD_REQUEST, faults)
            except HTTPException as error:
                return problem(error.status_code, str(error.detail), error.headers)
            except StoreError as error:
                _log.warning("a request could not read the store: %s", error)
                return problem(HTTPStatus.SERVICE_UNAVAILABLE, f"the store cannot be read: {error}")
            except Exception:  # noqa: BLE001  a defect must not show its insides to the outside
                _log.exception("a request to %s failed", request.url.path)
                return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "an unexpected error; the log says more")

        return answer
