"""An SQS queue: boto3 signs and reads, over the HTTP of all other sources, which can be broken off."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final
from urllib.parse import urlsplit

from journeymap import __version__
from journeymap.errors import TransientSourceError
from journeymap.model.time import SECOND, Millis
from journeymap.source.awsfaults import fault
from journeymap.source.polling import Depth, Message
from journeymap.source.transport import HttpClient, tls_context

TIMEOUT: Final[Millis] = 30 * SECOND
"""A long poll is answered after 20 s at the latest."""

ANSWER_TIMEOUT: Final[Millis] = 5 * SECOND
"""All else is answered at once."""

LONGEST_ANSWER: Final = 8 << 20
"""Bytes. Ten messages are at most 1 MiB together, written as text in JSON."""

ANYWHERE: Final = "us-east-1"
"""The region that is signed for where neither the queue's URL nor the environment names one, as with an emulator."""

_REGIONS: Final = (
    re.compile(r"(?:^|\.)sqs(?:-fips)?\.([a-z]{2}(?:-[a-z0-9]+)+-\d)\."),
    re.compile(r"^([a-z]{2}(?:-[a-z0-9]+)+-\d)\.queue\."),
)
_DEPTH: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "MessageRetentionPeriod")


def region_of(url: str) -> str | None:
    """The region that the host of a queue's URL names; that of an endpoint in a VPC too. None where it names none."""
    host = urlsplit(url).hostname or ""
    if host == "queue.amazonaws.com":
        return ANYWHERE
    found = (pattern.search(host) for pattern in _REGIONS)
    return next((match[1] for match in found if match), None)


def arn_of(url: str) -> str:
    """The name of a queue in policies, as far as its URL tells."""
    account, _, name = urlsplit(url).path.strip("/").rpartition("/")
    region = region_of(url) or "*"
    partition = "aws-cn" if region.startswith("cn-") else "aws-us-gov" if region.startswith("us-gov-") else "aws"
    return f"arn:{partition}:sqs:{region}:{account.rpartition('/')[2] or '*'}:{name}"


class SqsQueue:
    """A queue at `url`; asked at `endpoint`, or at the URL's own host without one. From several threads.

    Credentials come from the usual places: environment, profile, the role of a container or a machine. Nothing is looked up
    before the first request. Raises as `polling.Queue` says.
    """

    def __init__(self, url: str, endpoint: str, clock: Callable[[], Millis]) -> None:
        self._url = url
        parts = urlsplit(url)
        self._endpoint = endpoint or f"{parts.scheme}://{parts.netloc}"
        self._setting = "EVENTBRIDGE_ENDPOINT_URL" if endpoint else "EVENTBRIDGE_QUEUE_URL"
        self._clock = clock
        self._lock = threading.Lock()
        self._client: Any = None
        self._tls = tls_context()
        self._idle: list[HttpClient] = []
        self._polls: set[HttpClient] = set()  # in which messages are waited for
        self._aborted = False

    def receive(self, wait: int) -> Sequence[Message]:
        """At most ten messages; SQS waits up to `wait` seconds for a first one."""
        return _messages(self._ask("ReceiveMessage", self._url, MaxNumberOfMessages=10, WaitTimeSeconds=wait))

    def delete(self, receipts: Sequence[str]) -> int:
        """Delete these, ten at most; how many of them could not be."""
        entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]
        answer = self._ask("DeleteMessageBatch", self._url, Entries=entries)
        return len(answer.get("Failed", ()))

    def peek(self) -> Message | None:
        """A message, if there is one. It stays where it is, for others too."""
        asked = {"MaxNumberOfMessages": 1, "WaitTimeSeconds": 0, "VisibilityTimeout": 0}
        return next(iter(_messages(self._ask("ReceiveMessage", self._url, **asked))), None)

    def try_delete(self) -> None:
        """Ask to delete a message that there is not: rights are looked at first."""
        self.delete(["none"])

    def depth(self) -> Depth:
        """How many messages wait and are in flight, and how long they are kept."""
        found = self.attributes(*_DEPTH)
        told = [found.get(name, "") for name in _DEPTH]
        if not all(value.isdecimal() for value in told):
            raise TransientSourceError(f"{self._endpoint} does not tell how many messages wait")
        waiting, in_flight, seconds = map(int, told)
        return Depth(waiting, in_flight, seconds * SECOND)

    def attributes(self, *names: str, url: str = "") -> Mapping[str, str]:
        """What SQS says of this queue, or of the one at `url`."""
        answer = self._ask("GetQueueAttributes", url or self._url, AttributeNames=list(names) or ["All"])
        found: dict[str, str] = answer.get("Attributes", {})
        return found

    def give_up(self) -> None:
        """Make `receive` end soon with an error, wherever it is under way."""
        with self._lock:
            for http in self._polls:
                http.give_up()

    def abort(self) -> None:
        """Make `receive` end soon with an error, now and from now on. What was received can still be deleted."""
        with self._lock:
            self._aborted = True
            for http in self._polls:
                http.abort()

    def close(self) -> None:
        """Give back what is held, once no request is under way."""
        with self._lock:
            idle, self._idle = self._idle, []
            client, self._client = self._client, None
        for http in idle:
            http.close()
        if client is not None:
            client.close()

    def _ask(self, action: str, url: str | None, **parameters: Any) -> dict[str, Any]:
        import botocore.exceptions
        from botocore import xform_name

        about = {} if url is None else {"QueueUrl": url}
        try:
            ask = getattr(self._connected(), xform_name(action))
            answer: dict[str, Any] = ask(**about, **parameters)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
            raise fault(error, action, arn_of(url or self._url), self._endpoint) from None
        except (AttributeError, KeyError, TypeError, ValueError):
            # JSON, but not of the form that boto3 takes for granted.
            raise TransientSourceError(f"what answers at {self._endpoint} is not SQS; check {self._setting}") from None
        return answer

    def _connected(self) -> Any:
        """The client, made at its first use: boto3 takes a while to load, and looks for a profile."""
        with self._lock:
            if self._client is None:
                import boto3
                from botocore.config import Config

                session = boto3.session.Session()
                self._client = session.client(
                    "sqs",
                    region_name=region_of(self._url) or region_of(self._endpoint) or session.region_name or ANYWHERE,
                    endpoint_url=self._endpoint,
                    config=Config(
                        retries={"total_max_attempts": 1, "mode": "standard"},
                        user_agent_extra=f"journeymap/{__version__}",
                    ),
                )
                # What a handler of this event answers is taken for the server's answer.
                self._client.meta.events.register("before-send.sqs", self._send)
            return self._client

    def _send(self, request: Any, **_: Any) -> Any:
        from botocore.awsrequest import AWSResponse

        headers = {
            name: value.decode("latin-1") if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        body = request.body.encode() if isinstance(request.body, str) else bytes(request.body or b"")
        polls = headers.get("X-Amz-Target", "").endswith(".ReceiveMessage")
        with self._http(polls) as http:
            answer = http.request(
                request.method, request.url, content=body, headers=headers, patience=None if polls else ANSWER_TIMEOUT
            )
        if answer.status == HTTPStatus.OK and not answer.body.lstrip().startswith(b"{"):
            raise TransientSourceError(f"what answers at {self._endpoint} is not SQS; check {self._setting}")
        return AWSResponse(request.url, answer.status, dict(answer.extras), _Body(answer.body))

    @contextmanager
    def _http(self, polls: bool) -> Iterator[HttpClient]:
        with self._lock:
            if polls and self._aborted:
                raise TransientSourceError("the queue is not read any more")
            http = self._idle.pop() if self._idle else None
            if http is None:
                http = HttpClient(self._endpoint, TIMEOUT, self._tls, self._clock, self._setting, LONGEST_ANSWER)
            if polls:
                self._polls.add(http)
        try:
            yield http
        finally:
            with self._lock:
                self._polls.discard(http)
                is_of_use = not (polls and self._aborted)
                if is_of_use:
                    self._idle.append(http)
            if not is_of_use:
                http.close()


def _messages(answer: Mapping[str, Any]) -> list[Message]:
    """The messages in an answer. One without a receipt could not be deleted: then it is none of SQS."""
    found = [(each.get("Body", ""), each.get("ReceiptHandle", "")) for each in answer.get("Messages", ())]
    if not all(receipt for _, receipt in found):
        raise TransientSourceError("a message of the queue has no receipt: it is not SQS that answers")
    return [Message(body, receipt) for body, receipt in found]


class _Body(BytesIO):
    """A body that was read, as botocore reads one."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        """All of it, in one piece."""
        while chunk := self.read():
            yield chunk
