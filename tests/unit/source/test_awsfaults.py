"""What AWS says, as our errors; and what a queue's URL tells."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions

from journeymap.errors import RefusedError, TransientSourceError
from journeymap.source.awsfaults import fault
from journeymap.source.sqs import arn_of, region_of

ARN = "arn:aws:sqs:eu-west-1:123456789012:events"


def said(code: str, message: str = "m", status: int = 400) -> Exception:
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return exceptions.ClientError(response, "ReceiveMessage")


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("AccessDenied", f"grant sqs:ReceiveMessage on {ARN}"),
        ("com.amazonaws.sqs#AccessDeniedException", f"grant sqs:ReceiveMessage on {ARN}"),
        ("KmsAccessDenied", "kms:Decrypt"),
        ("InvalidClientTokenId", "check the access key"),
        ("com.amazon.coral.service#UnrecognizedClientException", "check the access key"),
        ("SignatureDoesNotMatch", "clock"),
        ("ExpiredToken", "expired"),
        ("AWS.SimpleQueueService.NonExistentQueue", "no such queue"),
        ("com.amazonaws.sqs#QueueDoesNotExist", "no such queue"),
        ("UnsupportedOperation", "SQS refuses ReceiveMessage (UnsupportedOperation): m"),
    ],
)
def test_what_trying_again_does_not_help(code: str, words: str) -> None:
    found = fault(said(code), "ReceiveMessage", ARN, "w")
    assert isinstance(found, RefusedError)
    assert words in str(found)


def test_who_was_denied_is_named() -> None:
    text = "User: arn:aws:iam::1:user/u is not authorized to perform: sqs:deletemessage"
    xml = f"<Error><Code>AccessDenied</Code><Message>{text}</Message></Error>"
    for error in (said("AccessDenied", text), said("403", xml, 403)):
        found = fault(error, "DeleteMessageBatch", ARN, "w")
        assert str(found) == (
            f"access to the queue is denied (AccessDenied); grant sqs:DeleteMessage on {ARN} to arn:aws:iam::1:user/u"
        )


@pytest.mark.parametrize(
    "error",
    [
        said("ThrottlingException"),
        said("OverLimit", status=403),
        said("RequestThrottled", status=403),
        said("InternalFailure", status=500),
        said("502", "<html>", 502),
        said("429", "", 429),
        exceptions.HTTPClientError(error="x"),
        exceptions.CredentialRetrievalError(provider="p", error_msg="e"),
    ],
    ids=str,
)
def test_what_passes(error: Exception) -> None:
    assert isinstance(fault(error, "ReceiveMessage", ARN, "w"), TransientSourceError)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.NoCredentialsError(), "AWS_PROFILE"),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), "AWS_ACCESS_KEY_ID"),
        (exceptions.ProfileNotFound(profile="p"), "The config profile (p) could not be found"),
    ],
    ids=str,
)
def test_what_the_machine_lacks(error: Exception, words: str) -> None:
    found = fault(error, "ReceiveMessage", ARN, "w")
    assert isinstance(found, RefusedError)
    assert words in str(found)


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("sqs.eu-west-1.amazonaws.com", "eu-west-1"),
        ("eu-west-1.queue.amazonaws.com", "eu-west-1"),
        ("queue.amazonaws.com", "us-east-1"),
        ("sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("sqs-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("vpce-0a-1b.sqs.ap-southeast-2.vpce.amazonaws.com", "ap-southeast-2"),
        ("sqs.eu-central-1.api.aws", "eu-central-1"),
        ("127.0.0.1:5000", None),
        ("queue.example", None),
    ],
)
def test_the_region_of_a_queue(host: str, region: str | None) -> None:
    assert region_of(f"https://{host}/123456789012/events") == region


def test_the_name_of_a_queue_in_policies() -> None:
    assert arn_of("https://sqs.eu-west-1.amazonaws.com/123456789012/events") == ARN
    assert arn_of("https://sqs.cn-north-1.amazonaws.com.cn/1/e") == "arn:aws-cn:sqs:cn-north-1:1:e"
    assert arn_of("http://127.0.0.1:5000/1/e") == "arn:aws:sqs:*:1:e"
