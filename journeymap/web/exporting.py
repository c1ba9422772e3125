"""Exports over HTTP: `/export/journeys.<form>` of all that matches, `/export/journey/<id>.<form>` of one (docs/http.md)."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, Any, Final, cast
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Request, Response
from starlette.types import Receive, Scope, Send

from journeymap.errors import InputError
from journeymap.export.caption import WIDTH, Look, read_title, read_width
from journeymap.export.formats import FORMS, write_export
from journeymap.export.naming import file_name
from journeymap.export.palette import read_theme
from journeymap.export.picture import read_scale
from journeymap.export.selection import CHART_ROWS, Selection, read_chosen, read_pinned
from journeymap.model.row import JourneyRow
from journeymap.model.status import still_missing
from journeymap.model.time import Millis
from journeymap.readmodel.readmodel import ReadModel
from journeymap.readmodel.stored import STORED_SORTS, arranged_rows, named_rows, sorted_rows
from journeymap.stitch.reading import ClockReading
from journeymap.store.base import StoreReader
from journeymap.view.filters import CHOICES, QUERY_NAMES, Filter, parse_query
from journeymap.view.labels import parse_moment
from journeymap.view.masking import Viewer
from journeymap.view.scale import LONGEST_SPAN, SHORTEST_SPAN
from journeymap.view.sorting import check_group, check_sort
from journeymap.web.listing import DEFAULT_SORT
from journeymap.web.openapi import EXPORT_PATH, EXPORTS_PATH
from journeymap.web.problems import ProblemRoute, problem

MOST_JOURNEYS: Final = 100_000
"""Journeys of one export at most; `journeymap export` knows no such limit."""

MOST_SORTED: Final = 10_000
"""Journeys at most in an order that the store has no index for: they are sorted here."""

AT_ONCE: Final = 2
"""So many exports are made at a time, whoever asks."""

RETRY_AFTER: Final = 5
"""Seconds after which one who was refused should ask again."""

FORM_TYPE: Final = "application/x-www-form-urlencoded"
MOST_BODY: Final = 1 << 16
PIECE: Final = 1 << 18
REPEATABLE: Final = frozenset([*CHOICES, "journey", "pinned"])
LOOKS: Final = ("theme", "scale", "width", "time_zone", "title", "fold", "window")
"""Parameters that say how an export looks."""

ViewerOf = Callable[[Request], Viewer]


class Wanted(msgspec.Struct, frozen=True):
    """What a request asks for. `journeys` are ids that were named one by one; then `wanted` has times alone. `group` and `pinned`
    arrange the rows of charts."""

    wanted: Filter
    sort: str
    look: Look
    scale: float
    window: tuple[Millis, Millis] | None
    journeys: Sequence[str] = ()
    group: str | None = None
    pinned: Sequence[str] = ()


class Download(Response):
    """A file that is sent and then forgotten."""

    def __init__(self, file: IO[bytes], media_type: str, name: str) -> None:
        self._file = file
        length = file.tell()
        file.seek(0)
        headers = {
            "content-length": str(length),
            "content-disposition": f'attachment; filename="{name}"',
            # Should a browser show it after all, it is a page of nobody.
            "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'",
            "x-content-type-options": "nosniff",
        }
        super().__init__(None, 200, headers, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; the file is let go of whatever happens."""
        with contextlib.closing(self._file):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            while piece := await asyncio.to_thread(self._file.read, PIECE):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def create_exports(
    model: ReadModel,
    store: StoreReader,
    clock: Callable[[], int],
    viewer_of: ViewerOf,
    *,
    time_zone: str | None = None,
) -> APIRouter:
    """The routes under `/export`. Exports are made in worker threads, at most `AT_ONCE` at a time. `time_zone` is that of
    requests that name none; UTC if it is None."""
    router = APIRouter(route_class=ProblemRoute)
    running = 0

    async def made(form: str, make: Callable[[], Selection | None], name: str) -> Response:
        nonlocal running
        if running >= AT_ONCE:
            said = f"{AT_ONCE} exports are being made; try again in a few seconds"
            return problem(429, said, {"retry-after": str(RETRY_AFTER)})
        running += 1
        # A thread cannot be ended: who goes away meanwhile leaves it to its work, and it counts until it is done.
        work = asyncio.ensure_future(asyncio.to_thread(_made, form, make))
        work.add_done_callback(release)
        try:
            file = await asyncio.shield(work)
        except asyncio.CancelledError:
            work.add_done_callback(_forget)
            raise
        if file is None:
            return problem(404, "no journey has this id, and none was joined from it")
        return Download(file, FORMS[form].media_type, name)

    def release(_: object) -> None:
        nonlocal running
        running -= 1

    async def journeys(request: Request) -> Response:
        form = _form(request)
        viewer = viewer_of(request)
        asked = parse_export(await parameters(request), viewer, time_zone)
        reading = ClockReading(clock(), model.timeouts)
        drawn = FORMS[form].drawn

        def make() -> Selection | None:
            return _many(model, store, reading, viewer, asked, drawn=drawn)

        return await made(form, make, file_name(form, reading.now, asked.look.zone))

    async def journey(request: Request) -> Response:
        form = _form(request)
        viewer = viewer_of(request)
        asked = parse_export(await parameters(request), viewer, time_zone, names=("from", "to"))
        reading = ClockReading(clock(), model.timeouts)
        journey_id = request.path_params["journey_id"]

        def make() -> Selection | None:
            record = store.find(journey_id)
            if record is None:
                return None
            row = model.names.row(record.row)
            return msgspec.structs.replace(_selection(model, [row], reading, viewer, asked), one=True)

        return await made(form, make, file_name(form, reading.now, asked.look.zone, journey_id))

    async def not_found(request: Request) -> Response:
        forms = ", ".join(FORMS)
        return problem(404, f"there is nothing at {request.url.path[:80]!r}; exports end in one of {forms}")

    async def not_allowed(request: Request) -> Response:
        return problem(405, f"{request.method} is not possible here", {"allow": "GET, POST"})

    for path, endpoint in ((EXPORTS_PATH, journeys), (EXPORT_PATH, journey)):
        router.add_api_route(path, endpoint, methods=["GET", "POST"], include_in_schema=False)
        others = ["HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
        router.add_api_route(path, not_allowed, methods=others, include_in_schema=False)
    router.add_api_route("/export/{rest:path}", not_found, methods=["GET"], include_in_schema=False)
    return router


async def parameters(request: Request) -> list[tuple[str, str]]:
    """Those of the query string and, of a POST, those of the form in its body, which no log keeps. Raises InputError."""
    found = request.query_params.multi_items()
    if request.method != "POST":
        return found
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise InputError(f"the body must be a form ({FORM_TYPE})")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY:
            raise InputError(f"the body is longer than {MOST_BODY:,} bytes")
    try:
        return found + parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=2_000)
    except ValueError:
        raise InputError("the body is not a form that can be read") from None


def parse_export(
    parameters: Sequence[tuple[str, str]],
    viewer: Viewer,
    time_zone: str | None = None,
    *,
    names: Sequence[str] = (*QUERY_NAMES, "sort", "journey", "group", "pinned"),
) -> Wanted:
    """A request's query string, for who asks. Raises InputError, also for unknown parameters: a misspelt filter must not
    export all."""
    known = (*names, *LOOKS)
    given: dict[str, str] = {}
    for name, value in parameters:
        if name not in known:
            raise InputError(f"there is no parameter {name[:40]!r}; there are {', '.join(known)}")
        if name in given and name not in REPEATABLE:
            raise InputError(f"{name} is given more than once")
        given[name] = value
    journeys = read_chosen([value for name, value in parameters if name == "journey"])
    if journeys and (others := [name for name in given if name in names and name not in {"journey", "from", "to"}]):
        raise InputError(
            f"journey says which journeys: leave {others[0]} out; of the filters only from and to may stand beside it"
        )
    sort = given.get("sort", DEFAULT_SORT)
    if sort not in STORED_SORTS:
        sort = check_sort(sort, viewer)
    zone_name = given.get("time_zone") or time_zone or "UTC"
    look = Look(
        read_theme(given.get("theme", "light")),
        read_width(int(_number(given, "width", WIDTH))),
        _zone(zone_name),
        zone_name,
        read_title(given.get("title", "")),
        _yes(given, "fold", default=True),
    )
    scale = read_scale(_number(given, "scale", 1.0))
    wanted = parse_query(parameters).seen_by(viewer)
    pinned = read_pinned([value for name, value in parameters if name == "pinned"])
    return Wanted(wanted, sort, look, scale, _window(given), journeys, check_group(given.get("group")), pinned)


def bounded(rows: Iterable[JourneyRow], most: int) -> Iterator[JourneyRow]:
    """The rows; raises InputError where there are more than `most`: half an answer would be taken for the whole."""
    for count, row in enumerate(rows, 1):
        if count > most:
            raise InputError(
                f"more than {most:,} journeys match: choose fewer, or use `journeymap export`, which has no limit"
            )
        yield row


def _many(
    model: ReadModel, store: StoreReader, reading: ClockReading, viewer: Viewer, asked: Wanted, *, drawn: bool
) -> Selection | None:
    """What matches, or what was named by its ids; None where none of those stands. Charts (`drawn`) have their own bound."""
    names = model.names
    if asked.journeys:
        rows, missing = named_rows(store, asked.journeys, names)
        about = _about(model, reading, viewer, asked)
        return Selection.by_ids(rows, missing, model.detail, reading, **about) if rows else None
    if drawn:
        arranged = arranged_rows(
            store,
            asked.wanted,
            reading,
            asked.sort,
            group=asked.group,
            pinned=asked.pinned,
            most=CHART_ROWS + 1,
            names=names,
        )
        selection = _selection(model, arranged.rows, reading, viewer, asked)
        return msgspec.structs.replace(selection, pinned=arranged.pinned, groups=arranged.groups)
    most = MOST_JOURNEYS if asked.sort in STORED_SORTS else MOST_SORTED
    found = sorted_rows(store, asked.wanted, reading, asked.sort, most=most + 1, names=names)
    return _selection(model, bounded(found, most), reading, viewer, asked)


def _selection(
    model: ReadModel, rows: Iterable[JourneyRow], reading: ClockReading, viewer: Viewer, asked: Wanted
) -> Selection:
    return Selection(iter(rows), model.detail, reading, **_about(model, reading, viewer, asked))


def _about(model: ReadModel, reading: ClockReading, viewer: Viewer, asked: Wanted) -> dict[str, Any]:
    """What is the same of all selections."""
    gaps = still_missing(model.gaps(reading.now))
    return {
        "viewer": viewer,
        "wanted": model.names.meant(asked.wanted),
        "names": model.names,
        "gaps": gaps,
        "look": asked.look,
        "scale": asked.scale,
        "window": asked.window,
    }


def _made(form: str, make: Callable[[], Selection | None]) -> IO[bytes] | None:
    """The export as a file that nobody else can open; None where there is nothing to export."""
    selection = make()
    if selection is None:
        return None
    file = cast(IO[bytes], tempfile.TemporaryFile(prefix="journeymap-"))  # noqa: SIM115  who sends it closes it
    try:
        write_export(form, selection, file)  # type: ignore[arg-type]
        file.seek(0, 2)
    except BaseException:
        file.close()
        raise
    return file


def _forget(work: asyncio.Future[IO[bytes] | None]) -> None:
    if not work.cancelled() and work.exception() is None and (file := work.result()) is not None:
        file.close()


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise InputError(f"time_zone is {name[:40]!r}; use a name such as UTC or Europe/Vienna") from None


def _form(request: Request) -> str:
    form: str = request.path_params["form"]
    if form not in FORMS:
        raise InputError(f"there is no form {form[:40]!r}; there are {', '.join(FORMS)}")
    return form


def _window(given: dict[str, str]) -> tuple[Millis, Millis] | None:
    text = given.get("window")
    if text is None:
        return None
    first, _, last = text.partition("/")
    start, end = parse_moment(first, "window"), parse_moment(last, "window")
    if not SHORTEST_SPAN <= end - start <= LONGEST_SPAN:
        raise InputError(
            "window must be from 10 seconds to 60 days long: FROM/TO, each ISO 8601 or milliseconds since 1970"
        )
    return start, end


def _yes(given: dict[str, str], name: str, *, default: bool) -> bool:
    text = given.get(name)
    if text is None:
        return default
    if text not in {"yes", "no"}:
        raise InputError(f"{name} is {text[:40]!r}; allowed are yes and no")
    return text == "yes"


def _number(given: dict[str, str], name: str, default: float) -> float:
    text = given.get(name)
    if text is None:
        return default
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 < number < 1e6:
        raise InputError(f"{name} is {text[:40]!r}; use a number")
    return number
