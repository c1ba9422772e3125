"""What AWS and boto3 say when they do not do what was asked, as our errors, with what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from journeymap.errors import RefusedError, SourceError, TransientSourceError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

PERMISSIONS: Final = {
    "ReceiveMessage": "sqs:ReceiveMessage",
    "DeleteMessageBatch": "sqs:DeleteMessage",
    "GetQueueAttributes": "sqs:GetQueueAttributes",
}
"""What each request needs to be granted."""

NO_CREDENTIALS: Final = (
    "no AWS credentials were found; give AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (AWS_PROFILE), or run"
    " with a role"
)

DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "KMS.AccessDeniedException", "KmsAccessDenied"})
"""Codes of the answer that a permission is missing."""

_WRONG: Final = frozenset(
    {
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "InvalidAccessKeyId",
        "AuthFailure",
        "InvalidSecurity",
        "OptInRequired",
    }
)
_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_ABSENT: Final = frozenset(
    {"QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "InvalidAddress", "NonExistentQueue"}
)
_BUSY: Final = frozenset(
    {
        "Throttling",
        "ThrottlingException",
        "RequestThrottled",
        "RequestThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "OverLimit",
        "KmsThrottled",
        "ServiceUnavailable",
        "InternalError",
        "InternalFailure",
        "RequestTimeout",
    }
)
_XML: Final = re.compile(r"<Code>(\w[\w.]*)</Code>\s*<Message>([^<]*)</Message>", re.ASCII)
_SOON: Final = ("CredentialRetrievalError", "MetadataRetrievalError", "ReadTimeoutError", "ConnectTimeoutError")


def fault(error: BotoCoreError | ClientError, action: str, arn: str, where: str) -> SourceError:
    """The error as one of ours. `action` was asked of the queue `arn` at `where`."""
    response: dict[str, Any] | None = getattr(error, "response", None)
    if response is None:
        return _of_boto(error, where)
    said = response.get("Error", {})
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    code = str(said.get("Code", ""))
    name = code.rpartition("#")[2]
    text = " ".join(str(said.get("Message", "")).split())
    if in_xml := _XML.search(text):  # as some gateways and emulators answer, whatever was asked in
        name, text = in_xml.groups()
    text = text[:300]
    permission = PERMISSIONS[action]
    if name in DENIED:
        who = re.search(r"User: (\S+)", text)
        key = " and kms:Decrypt on its key" if "kms" in f"{name} {text}".lower() else ""
        return RefusedError(
            f"access to the queue is denied ({name}); grant {permission} on {arn}{key}{f' to {who[1]}' if who else ''}",
            status,
            name,
        )
    for names, sentence in (
        (_EXPIRED, "the AWS credentials have expired ({}); renew them, or see whether the clock is right"),
        (
            _WRONG,
            "AWS does not accept the credentials ({}); check the access key, its secret, and this machine's clock",
        ),
        (_ABSENT, "there is no such queue ({}); check EVENTBRIDGE_QUEUE_URL: account, name and region"),
    ):
        if name in names:
            return RefusedError(sentence.format(name), status, name)
    if name in _BUSY or not isinstance(status, int) or status >= 500 or status == 429:
        return TransientSourceError(f"SQS cannot do it now ({name or status}): {text}")
    return RefusedError(f"SQS refuses {action} ({name or status}): {text}", status, name)


def _of_boto(error: Exception, where: str) -> SourceError:
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError"):
        return RefusedError(NO_CREDENTIALS, code=name)
    text = " ".join(str(error).split())[:300]
    if name in _SOON:
        return TransientSourceError(f"AWS credentials cannot be had now: {text}")
    if "HTTP" in name or "Connection" in name or "Endpoint" in name or "Checksum" in name or "Parser" in name:
        return TransientSourceError(f"the answer of {where} cannot be used: {text}")
    return RefusedError(f"AWS cannot be asked: {text}", code=name)
