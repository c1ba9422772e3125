"""An emulator of AWS as a process of its own (moto): SQS, SNS and IAM over real HTTP on this machine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import count
from typing import Any, Final, Self

import httpx

REGION: Final = "us-east-1"
KEYS: Final = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": REGION}
"""Environment of whoever asks it. It takes any credentials, unless `guard` was called."""

_PATIENCE: Final = 30.0
_OPEN_FOR: Final = 1 << 30


class Emulator:
    """Runs until the block ends. `client` answers for anybody; its queues are the tests' own."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self._clients: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._log = tempfile.TemporaryFile()  # a pipe that nobody reads would be full one day
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
            env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": str(_OPEN_FOR)},
            stdout=subprocess.DEVNULL,
            stderr=self._log,
        )
        until = time.monotonic() + _PATIENCE
        while (told := re.search(rb"Running on (http://\S+)", self._said())) is None:
            assert self._process.poll() is None, self._said()
            assert time.monotonic() < until, "the emulator does not answer"
            time.sleep(0.02)
        self.url = told[1].decode()
        return self

    def _said(self) -> bytes:
        return os.pread(self._log.fileno(), 4_096, 0)

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def client(self, service: str, key: str = "testing", secret: str = "testing") -> Any:
        """A client of boto3."""
        import boto3

        return boto3.session.Session().client(
            service, region_name=REGION, endpoint_url=self.url, aws_access_key_id=key, aws_secret_access_key=secret
        )

    @property
    def sqs(self) -> Any:
        """A client of SQS."""
        return self._clients.setdefault("sqs", None) or self._keep("sqs")

    def _keep(self, service: str) -> Any:
        self._clients[service] = self.client(service)
        return self._clients[service]

    def queue(self, **attributes: str) -> str:
        """The URL of a new queue."""
        return str(self.sqs.create_queue(QueueName=f"events-{next(self._numbers)}", Attributes=attributes)["QueueUrl"])

    def send(self, url: str, *bodies: str) -> None:
        """Put messages into a queue, in this order."""
        for body in bodies:
            self.sqs.send_message(QueueUrl=url, MessageBody=body)

    def left(self, url: str) -> tuple[int, int]:
        """How many messages of a queue wait, and how many were handed out and not deleted."""
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(names))["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def user(self, name: str, *actions: str) -> tuple[str, str]:
        """Access key and secret of a new user who may do this, on any queue."""
        iam = self.client("iam")
        try:
            iam.create_user(UserName=name)
            statement = {"Effect": "Allow", "Action": list(actions) or ["sqs:ListQueues"], "Resource": "*"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            iam.put_user_policy(UserName=name, PolicyName="reads", PolicyDocument=policy)
            key = iam.create_access_key(UserName=name)["AccessKey"]
        finally:
            iam.close()
        return key["AccessKeyId"], key["SecretAccessKey"]

    def guard(self, after: int = 0) -> None:
        """From the request after so many on, credentials and rights are looked at."""
        httpx.post(f"{self.url}/moto-api/reset-auth", content=str(after))

    def open(self) -> None:
        """Take any credentials again."""
        self.guard(_OPEN_FOR)
