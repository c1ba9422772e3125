"""The source `eventbridge`: its key, whether posts are taken, the queue with each permission, and when the last event came."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, Final, Protocol

import httpx
import msgspec

from journeymap.errors import RefusedError, SourceError, StoreError
from journeymap.model.status import STATUS, decode_status
from journeymap.model.time import HOUR, Millis
from journeymap.runtime.doctor.configuration import kept
from journeymap.runtime.doctor.examination import Check, Progress
from journeymap.runtime.doctor.outcome import Outcome, fail, failed, ok, skip, warn
from journeymap.settings import Settings
from journeymap.source.awsfaults import DENIED, PERMISSIONS
from journeymap.source.eventbridge import EventBridgeSource
from journeymap.source.polling import Message
from journeymap.source.sqs import SqsQueue, arn_of, region_of
from journeymap.store.disk import open_disk_reader
from journeymap.view.labels import duration

LONG_ENOUGH: Final = 32
"""Characters of a key that nobody guesses, however it was made up."""

FEW_LETTERS: Final = 8
PATIENCE: Final = 3.0
MANY_WAIT: Final = 10_000
QUIET_FOR: Final[Millis] = 6 * HOUR
_MAKE_ONE: Final = (
    "`openssl rand -hex 32` makes a good one; give it in a file with EVENTBRIDGE_KEY_FILE, and to the connection in AWS"
)
_WAITING, _IN_FLIGHT = "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"


class Queue(Protocol):
    """What is asked of a queue (`source.sqs`)."""

    def attributes(self, *names: str, url: str = "") -> Mapping[str, str]:
        """What SQS says of it, or of the queue at `url`."""

    def peek(self) -> Message | None:
        """A message, which stays where it is."""

    def try_delete(self) -> None:
        """Ask to delete a message that there is not."""

    def close(self) -> None:
        """Give back what is held."""


@contextlib.contextmanager
def eventbridge_checks(
    settings: Settings, section: str, path: str, clock: Callable[[], Millis]
) -> Iterator[list[Check]]:
    """The checks of this source. `path` is where posts go."""
    checks = _PostChecks(settings, path)
    key = Check(section, "posts-key", checks.key)
    found = [key, Check(section, "posts", checks.taken, (key,))]
    with contextlib.ExitStack() as held:
        if settings.eventbridge_queue_url is None:
            found.append(Check(section, "queue", lambda _: skip("EVENTBRIDGE_QUEUE_URL is not set: no queue is read")))
        else:
            endpoint = settings.eventbridge_endpoint_url or ""
            queue = held.enter_context(closing(SqsQueue(settings.eventbridge_queue_url, endpoint, clock)))
            found += queue_checks(queue, settings.eventbridge_queue_url, section)
        yield [*found, Check(section, "last-event", lambda _: last_event(settings, clock()))]


class _PostChecks:
    def __init__(self, settings: Settings, path: str) -> None:
        self._settings = settings
        self._path = path

    def key(self, _: Progress) -> Outcome:
        """Whether there is a key, a good one, and where no one else can read it."""
        secret = self._settings.eventbridge_key
        if secret is None and self._settings.eventbridge_queue_url is not None:
            return skip("EVENTBRIDGE_KEY is not set: no posts are taken, the queue is read")
        if secret is None:
            return fail("neither EVENTBRIDGE_KEY nor EVENTBRIDGE_QUEUE_URL is set", _MAKE_ONE)
        key = secret.get_secret_value()
        if len(key) < LONG_ENOUGH or len(set(key)) < FEW_LETTERS:
            few = f"{len(key)} characters, {len(set(key))} different ones"
            return warn(f"the key can be guessed ({few}), and the address is open to the internet", _MAKE_ONE)
        return kept(self._settings, "eventbridge_key", f"a key of {len(key)} characters from ")

    def taken(self, waits: Progress) -> Outcome:
        """Whether the ingest that runs here takes posts with this key. What is posted is empty, and so not taken."""
        secret = self._settings.eventbridge_key
        if secret is None:
            return skip("no posts are taken")
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        deaf = []
        for port in dict.fromkeys((self._settings.ingest_port, self._settings.port)):
            url = f"http://{host}:{port}{self._path}"
            waits(url)
            with contextlib.suppress(httpx.HTTPError):
                answer = httpx.post(
                    url, headers={"x-api-key": secret.get_secret_value()}, timeout=PATIENCE, trust_env=False
                )
                if answer.status_code != 404:
                    return judge_answer(url, answer.status_code, answer.content)
                deaf.append(url)
        if deaf:
            return fail(
                f"{' and '.join(deaf)} takes no posts",
                "it was started with other settings, or is `journeymap serve`: start `ingest` or `run` with these",
            )
        return skip("no ingest runs here (INGEST_PORT, PORT): start it to see whether posts are taken")


def judge_answer(url: str, status: int, body: bytes) -> Outcome:
    """What the answer to an empty post means."""
    try:
        detail = str(msgspec.json.decode(body)["detail"])
    except (msgspec.DecodeError, KeyError, TypeError):
        detail = ""
    match status:
        case 400 if detail:
            return ok(f"{url} takes posts with this key")
        case 401:
            return fail(f"{url} has another key", "start ingest again, so that it reads the key of these settings")
        case 429 | 503 if detail:
            return warn(f"{url}: {detail}", "see the operations view; the platform comes again")
    return fail(f"{url} answers {status}", "another program uses this port: set INGEST_PORT or PORT to another one")


def queue_checks(queue: Queue, url: str, section: str) -> list[Check]:
    """The checks of the queue at `url`."""
    checks = _QueueChecks(queue, url)
    there = Check(section, "queue", checks.there)
    return [
        there,
        Check(section, "queue-rights", checks.rights, (there,)),
        Check(section, "queue-depth", checks.depth, (there,)),
        Check(section, "dead-letters", checks.dead_letters, (there,)),
    ]


class _QueueChecks:
    def __init__(self, queue: Queue, url: str) -> None:
        self._queue = queue
        self._url = url
        self._told: Mapping[str, str] | None = None

    def there(self, _: Progress) -> Outcome:
        """Whether the queue can be reached with these credentials, whatever they may do there."""
        where = f"{self._url} (region {region_of(self._url) or 'by the environment'})"
        try:
            self._told = self._queue.attributes()
        except RefusedError as error:
            if error.code in DENIED:
                return ok(f"{where} answers")
            return failed(error, "see docs/sources/eventbridge.md")
        except SourceError as error:
            return failed(
                error, "check EVENTBRIDGE_QUEUE_URL, EVENTBRIDGE_ENDPOINT_URL and the way out of this network"
            )
        return ok(f"{where} answers")

    def rights(self, _: Progress) -> Outcome:
        """Each permission is tried; no message is taken away."""
        asks: dict[str, Callable[[], Any]] = {
            "ReceiveMessage": self._queue.peek,
            "DeleteMessageBatch": self._queue.try_delete,
            "GetQueueAttributes": lambda: self._queue.attributes("QueueArn"),
        }
        missing = []
        for action, ask in asks.items():
            try:
                ask()
            except RefusedError as error:
                if error.code not in DENIED:
                    return failed(error, "see docs/sources/eventbridge.md")
                missing.append(PERMISSIONS[action])
        arn = (self._told or {}).get("QueueArn", arn_of(self._url))
        if missing == [PERMISSIONS["GetQueueAttributes"]]:
            return warn(
                f"not granted: {missing[0]}; events are read, but how many wait is not known", f"grant it on {arn}"
            )
        if missing:
            return fail(f"not granted: {', '.join(missing)}", f"grant {' and '.join(missing)} on {arn}")
        return ok(f"granted: {', '.join(PERMISSIONS.values())}")

    def depth(self, _: Progress) -> Outcome:
        """How many messages wait."""
        if self._told is None:
            return skip(f"needs {PERMISSIONS['GetQueueAttributes']}")
        waiting, in_flight = int(self._told.get(_WAITING, 0)), int(self._told.get(_IN_FLIGHT, 0))
        days = int(self._told.get("MessageRetentionPeriod", 0)) / 86_400
        found = f"{waiting:,} messages wait, {in_flight:,} are in flight; kept for {days:g} days"
        if waiting > MANY_WAIT:
            return warn(found, "start ingest, or see in the operations view what holds it up, before they expire")
        return ok(found)

    def dead_letters(self, _: Progress) -> Outcome:
        """Whether anything lies in the queue for what was tried in vain."""
        if self._told is None:
            return skip(f"needs {PERMISSIONS['GetQueueAttributes']}")
        try:
            target = str(msgspec.json.decode(self._told.get("RedrivePolicy", ""))["deadLetterTargetArn"])
        except (msgspec.DecodeError, KeyError, TypeError):
            return ok("the queue has none, and needs none: nothing is in the way here. The rule should have one")
        name = target.rpartition(":")[2]
        try:
            told = self._queue.attributes(_WAITING, url=f"{self._url.rpartition('/')[0]}/{name}")
        except SourceError as error:
            return skip(f"{name} cannot be looked at: {error}")
        waiting = int(told.get(_WAITING, 0))
        if waiting:
            return warn(
                f"{waiting:,} messages lie in {name}",
                "their attributes ERROR_CODE and ERROR_MESSAGE say why; `aws sqs start-message-move-task` brings them back",
            )
        return ok(f"{name} is empty")


def last_event(settings: Settings, now: Millis) -> Outcome:
    """When an event came last, by what ingest says of itself."""
    if not settings.store_path.is_dir():
        return skip("there is no store yet")
    try:
        with closing(open_disk_reader(settings.store_path)) as reader:
            document = reader.document(STATUS)
        reports = [] if document is None else decode_status(document).sources
    except (StoreError, msgspec.MsgspecError) as error:
        return skip(f"the store cannot be read: {error}")
    moments = [report.last_frame_at for report in reports if report.name == EventBridgeSource.name]
    came = max((at for at in moments if at is not None), default=None)
    if came is None:
        return skip("none has come since ingest was started last")
    if now - came > QUIET_FOR:
        return warn(
            f"the last one came {duration(now - came)} ago",
            "see whether the integration in Genesys Cloud is active, and the rule's MatchedEvents in AWS",
        )
    return ok(f"the last one came {duration(now - came)} ago")
