"""What a certificate, or its refusal, means. Pure."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any, Final, Self

import msgspec

from journeymap.model.time import DAY, SECOND, Millis
from journeymap.runtime.doctor.outcome import Outcome, fail, ok, warn
from journeymap.view.labels import date_and_time

RENEW_WITHIN: Final = 21 * DAY
"""A certificate that ends sooner is worth a warning: renewals usually come a month ahead."""

_NOT_YET: Final = 9
_EXPIRED: Final = 10
_OTHER_NAME: Final = (62, 64)
"""OpenSSL's X509_V_ERR_ codes: not valid yet, has expired, other host name or address. The others mean an unknown issuer."""


class Issued(msgspec.Struct, frozen=True):
    """What stands in a certificate. `until` is its end."""

    issuer: str
    names: tuple[str, ...]
    until: Millis

    @classmethod
    def read(cls, decoded: Mapping[str, Any]) -> Self:
        """From what Python's ssl makes of a certificate."""
        issuer = {key: value for part in decoded.get("issuer", ()) for key, value in part}
        names = [value for kind, value in decoded.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
        until = ssl.cert_time_to_seconds(decoded["notAfter"]) * SECOND if "notAfter" in decoded else 0
        named = [issuer[key] for key in ("organizationName", "commonName") if key in issuer]
        return cls(", ".join(named) or "an unnamed issuer", tuple(names), until)


def judge_certificate(issued: Issued, line: str, host: str, now: Millis) -> Outcome:
    """A certificate that was accepted; `line` is TLS version and cipher."""
    left = issued.until - now
    found = f"{line}; certificate of {issued.issuer}, good until {date_and_time(issued.until)} ({left // DAY} days)"
    if left < RENEW_WITHIN:
        return warn(found, f"the operator of {host} has to renew it before then, or every connection will be refused")
    return ok(found)


def judge_refusal(code: int, said: str, issued: Issued | None, host: str, setting: str) -> Outcome:
    """A certificate that was not accepted: OpenSSL's code and words, and what stands in it, if that could be read."""
    if code == _EXPIRED:
        return fail(
            "the certificate has expired",
            f"the operator of {host} has to renew it; look at this machine's clock first, which decides what has expired",
        )
    if code == _NOT_YET:
        return fail("the certificate is not valid yet", "set this machine's clock; if it is right, the operator errs")
    if code in _OTHER_NAME:
        names = f": it is for {', '.join(issued.names[:5])}" if issued and issued.names else ""
        return fail(f"the certificate is for another name{names}", f"use the name in the certificate in {setting}")
    who = f" (issued by {issued.issuer})" if issued else ""
    return fail(
        f"the certificate is not trusted: {said}{who}",
        "if this is the platform's own authority, or a proxy of your company that opens TLS, have its certificate from whoever"
        " runs it and name a file with all authorities in SSL_CERT_FILE; if it is neither, somebody may be listening in",
    )


def judge_tls_failure(error: OSError, outdated: str | None, host: str, port: int, setting: str) -> Outcome:
    """A handshake that failed before any certificate was judged. `outdated` is a version before 1.2 that is spoken there."""
    if isinstance(error, TimeoutError):
        return fail("no answer to the TLS handshake", f"see that {host}:{port} speaks TLS, and what stands in between")
    if outdated is not None:
        return fail(
            f"nothing newer than {outdated} is spoken there", f"the operator of {host} has to allow TLS 1.2 or 1.3"
        )
    reason = str(getattr(error, "reason", None) or "").upper()
    if any(word in reason for word in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")):
        return fail(f"no TLS is spoken at port {port}", f"check the port in {setting}")
    what = reason.replace("_", " ").lower() or error.strerror or "the connection ended"
    return fail(
        f"the TLS handshake failed: {what.lower()}",
        f"see that {host}:{port} speaks TLS, and whether a firewall or proxy in between ends it",
    )
