"""Jobs: analytics queries that are answered later, over any time, and with participants' attributes."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from journeymap.simulator.answers import json_answer
from journeymap.simulator.people import uuid_of
from journeymap.simulator.platform import Platform
from journeymap.simulator.publicapi.chronicle import Found
from journeymap.simulator.publicapi.conventions import Conventions, bad_request, not_found
from journeymap.simulator.publicapi.filters import Query
from journeymap.simulator.publicapi.listings import number_in
from journeymap.simulator.publicapi.queries import DAY, Interval, Queries, interval_of
from journeymap.simulator.publicapi.stamps import stamp

PATH: Final = "/api/v2/analytics/conversations/details/jobs"
_PERMISSION: Final = "analytics:conversationDetail:view"
_TAKES: Final = 1.0
_LAG: Final = 3_600.0
_KEPT: Final = 100
_LARGEST_PAGE: Final = 10_000


class JobQuery(Query, frozen=True, rename="camel"):
    """What a job is for."""

    limit: int = 0
    start_of_day_interval_matching: bool = True


class _Job(msgspec.Struct):
    query: JobQuery
    interval: Interval
    submitted: int
    fulfilled: int
    available: int
    """Conversations up to this time were there when it was made."""
    found: list[Found] | None = None


class Jobs:
    """Answers what concerns jobs."""

    def __init__(self, platform: Platform, queries: Queries) -> None:
        self._platform = platform
        self._queries = queries
        self._jobs: OrderedDict[str, _Job] = OrderedDict()

    def routes(self, conventions: Conventions) -> list[Route]:
        """The routes."""
        return [
            conventions.route("POST", PATH, self.submit, _PERMISSION),
            conventions.route("GET", PATH + "/availability", self.availability, _PERMISSION),
            conventions.route("GET", PATH + "/{job_id}", self.status, _PERMISSION),
            conventions.route("GET", PATH + "/{job_id}/results", self.results, _PERMISSION),
        ]

    async def submit(self, request: Request, _: str) -> Response:
        """POST of a job."""
        try:
            query = msgspec.json.decode(await request.body(), type=JobQuery)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise bad_request(str(error), "invalid.value") from None
        now = self._platform.now()
        takes = round((self._platform.faults.job_time or _TAKES) * 1000)
        job_id = uuid_of(secrets.token_hex(8))
        self._jobs[job_id] = _Job(query, interval_of(query.interval), now, now + takes, self._available())
        if len(self._jobs) > _KEPT:
            self._jobs.popitem(last=False)
        return json_answer({"jobId": job_id}, 202)

    async def availability(self, _: Request, __: str) -> Response:
        """GET of the time up to which jobs find everything."""
        return json_answer({"dataAvailabilityDate": stamp(self._available())})

    async def status(self, request: Request, _: str) -> Response:
        """GET of a job."""
        job, now = self._job(request), self._platform.now()
        said = {
            "state": "FULFILLED",
            "submissionDate": stamp(job.submitted),
            "expirationDate": stamp(job.submitted + DAY),
        }
        if now < job.fulfilled:
            said["state"] = "QUEUED" if now - job.submitted < (job.fulfilled - job.submitted) // 3 else "PENDING"
        else:
            said["completionDate"] = stamp(job.fulfilled)
        return json_answer(said)

    async def results(self, request: Request, _: str) -> Response:
        """GET of a page of a job's results; its cursor leads to the next."""
        job = self._job(request)
        if self._platform.now() < job.fulfilled:
            raise bad_request("The job has not been fulfilled yet")
        size = number_in(request, "pageSize", 1_000, _LARGEST_PAGE)
        cursor = request.query_params.get("cursor", "0")
        if not cursor.isascii() or not cursor.isdigit():
            raise bad_request(f"There is no cursor {cursor}", "invalid.value")
        if job.found is None:
            found = await self._queries.found(job.query, job.interval, job.available)
            job.found = found[: job.query.limit or None]
        first = int(cursor)
        page = job.found[first : first + size]
        said: dict[str, Any] = {"dataAvailabilityDate": stamp(job.available)}
        if page:
            said["conversations"] = [self._queries.record(found, job.available, attributes=True) for found in page]
        if first + size < len(job.found):
            said["cursor"] = str(first + size)
        return json_answer(said)

    def _available(self) -> int:
        return self._platform.now() - round((self._platform.faults.job_lag or _LAG) * 1000)

    def _job(self, request: Request) -> _Job:
        job_id = request.path_params["job_id"]
        if job_id not in self._jobs:
            raise not_found("job", job_id)
        return self._jobs[job_id]
