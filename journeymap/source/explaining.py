"""Plain words for what went wrong on the line, each with its remedy: DNS, TCP, TLS, certificates, proxies, time limits."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Final

import httpx

from journeymap.source.proxy import Proxy

_VERSION: Final = frozenset({"UNSUPPORTED_PROTOCOL", "NO_PROTOCOLS_AVAILABLE", "TLSV1_ALERT_PROTOCOL_VERSION"})
_NO_TLS: Final = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
"""OpenSSL's names for what a client meets at a server that speaks something else."""

_NOT_YET_VALID: Final = 9
_EXPIRED: Final = 10
_UNTRUSTED: Final = (18, 19, 20, 21)
_OTHER_NAME: Final = (62, 64)
"""OpenSSL's numbers for why a certificate was not accepted."""

_PROXY_REMEDIES: Final = {
    "407": "it wants a user name and a password, as {variable}=http://USER:PASSWORD@{proxy}",
    "403": "have {where} allowed there, or name it in no_proxy if it can be reached without",
}


def explain(
    error: BaseException,
    where: str,
    proxy: Proxy | None = None,
    *,
    setting: str = "its address",
    connecting: bool = False,
) -> str:
    """What a failure to talk to `where` means and what to do, in words that hold no secret.

    `proxy` is the one on the way there, `setting` what the address comes from. `connecting` says that there was no
    connection yet.
    """
    # Whose name it was and who refused: behind a proxy only that one is met directly.
    first, source = (
        (where, setting) if proxy is None else (f"the proxy {proxy.where}", f"the environment's {proxy.variable}")
    )
    for cause in _chain(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return _about_certificate(cause, where, setting)
            case ssl.SSLError():
                return _about_tls(cause, where, setting)
            case socket.gaierror():
                return f"the name of {first} cannot be resolved; check {source} and this machine's DNS"
            case ConnectionRefusedError():
                return f"nothing listens at {first}; check {source}, and whether a firewall turns connections away"
            case TimeoutError() | httpx.TimeoutException():
                if connecting:
                    hint = (
                        "" if proxy is not None else "; a firewall may swallow it, or a proxy be needed (https_proxy)"
                    )
                    return f"no connection to {first} in time{hint}"
                return f"no answer from {where} in time; if it stays so, ask the platform's operators"
            case httpx.ProxyError():
                status = re.match(r"\d{3}\b", str(cause))
                return explain_refusal(proxy, where, status[0] if status is not None else None)
            case ConnectionResetError() | BrokenPipeError():
                return f"{where} broke the connection off; if it stays so, a firewall or a proxy between may do it"
            case OSError() if cause.strerror:
                return f"the connection to {first} failed: {cause.strerror.lower()}; check this machine's network"
    return f"the connection to {where} failed ({type(error).__name__})"


def explain_refusal(proxy: Proxy | None, where: str, status: str | None) -> str:
    """What it means that a proxy answered with this status to the wish to be connected."""
    if proxy is None:
        return f"a proxy does not let us through to {where}"
    remedy = _PROXY_REMEDIES.get(status or "", "see what the proxy's log says to that")
    answered = f" (status {status})" if status else ""
    about = remedy.format(variable=proxy.variable, proxy=proxy.where, where=where)
    return f"the proxy {proxy.where} does not let us through to {where}{answered}; {about}"


def _about_certificate(error: ssl.SSLCertVerificationError, where: str, setting: str) -> str:
    code = error.verify_code
    if code in _UNTRUSTED:
        return (
            f"the certificate of {where} is not accepted: this machine does not trust who issued it; name a file with the "
            "issuer's certificate in SSL_CERT_FILE (a proxy that looks into TLS has an issuer of its own)"
        )
    if code == _EXPIRED:
        return f"the certificate of {where} is not accepted: it has expired; it must be renewed, if the clock here is right"
    if code == _NOT_YET_VALID:
        return f"the certificate of {where} is not accepted: it is not valid yet; check the clock of this machine"
    if code in _OTHER_NAME:
        return f"the certificate of {where} is not accepted: it is for another host name; check {setting}"
    return f"the certificate of {where} is not accepted: {error.verify_message or 'verification failed'}"


def _about_tls(error: ssl.SSLError, where: str, setting: str) -> str:
    reason = error.reason or ""
    if reason in _VERSION:
        return f"TLS with {where} failed: it offers no version from 1.2 on; its operators must bring it up to date"
    if reason in _NO_TLS:
        return f"TLS with {where} failed: what listens there does not speak TLS; check {setting} and the port in it"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return f"TLS with {where} failed: it broke the connection off; a firewall or a proxy between may do it"
    return f"TLS with {where} failed: {reason.replace('_', ' ').lower() or 'unknown reason'}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The causes of an error, the innermost first: that one knows best."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain:
        chain.append(current)
        current = current.__cause__ or current.__context__
    return reversed(chain)
