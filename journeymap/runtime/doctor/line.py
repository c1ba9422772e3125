"""The way to a host: its name, a TCP connection, TLS; straight or through the environment's proxy."""

from __future__ import annotations

import concurrent.futures
import contextlib
import errno
import ipaddress
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from journeymap.errors import ConfigurationError, TransientSourceError
from journeymap.model.time import Millis
from journeymap.runtime.doctor.certificate import Issued, judge_certificate, judge_refusal, judge_tls_failure
from journeymap.runtime.doctor.examination import Progress
from journeymap.runtime.doctor.outcome import Outcome, fail, failed, ok, skip, warn
from journeymap.source.dialing import dial
from journeymap.source.proxy import address_of, proxy_for
from journeymap.source.transport import tls_context

ADDRESSES_TRIED: Final = 6
SLOW: Final = 1.0
"""Seconds. An address that takes longer to fail than this holds every connect up."""


class Attempt(msgspec.Struct, frozen=True):
    """A try to connect to one address: how long it took (s), and how it failed, None if it did not."""

    address: str
    seconds: float
    error: OSError | None = None


def look_up(host: str, port: int, timeout: float, _: Progress) -> Outcome:
    """Whether the name can be resolved, and to which addresses."""
    with contextlib.suppress(ValueError):
        ipaddress.ip_address(host)
        return ok("an address, no name to look up")
    began = time.monotonic()
    try:
        found = _resolved(host, port, timeout)
    except TimeoutError:
        return fail(f"no answer from DNS within {timeout:g} s", _dns_remedy(host))
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else "it is no host name"
        return fail(f"cannot be resolved: {(said or 'unknown reason').lower()}", _dns_remedy(host))
    kinds = [name for name, mark in (("IPv4", "."), ("IPv6", ":")) if any(mark in address for address in found)]
    more = f" and {len(found) - ADDRESSES_TRIED} more" if len(found) > ADDRESSES_TRIED else ""
    shown = ", ".join(found[:ADDRESSES_TRIED]) + more
    return ok(f"{shown} ({' and '.join(kinds)}) in {_ms(time.monotonic() - began)}")


def connect(host: str, port: int, timeout: float, _: Progress) -> Outcome:
    """Whether something listens there, on each address that the name has."""
    try:
        addresses = _resolved(host, port, timeout)[:ADDRESSES_TRIED]
    except (OSError, UnicodeError):
        return skip("needs its name to be resolved")
    return judge_attempts([_attempt(address, port, timeout) for address in addresses], timeout)


def judge_attempts(attempts: Sequence[Attempt], timeout: float) -> Outcome:
    """What attempts to connect to all addresses of one host mean."""
    reached = [each for each in attempts if each.error is None]
    missed = [each for each in attempts if each.error is not None]
    shown = ", ".join(f"{each.address} in {_ms(each.seconds)}" for each in reached)
    lost = ", ".join(f"{each.address}: {_reason(each.error, timeout)}" for each in missed)
    if not reached:
        return fail(lost, _tcp_remedy([each.error for each in missed]))
    if any(each.seconds > SLOW for each in missed):
        return warn(
            f"connected to {shown}, not to {lost}",
            "each connect may wait for the address that does not answer: open the firewall for it, or have DNS leave it out",
        )
    return ok(f"connected to {shown}" + (f"; not to {lost}, which does no harm" if lost else ""))


def shake_hands(url: str, setting: str, clock: Callable[[], Millis], timeout: float, _: Progress) -> Outcome:
    """Whether TLS comes about, and for how long the certificate is good. `setting` is where the URL stands."""
    host, port = address_of(url)
    if url.startswith(("http:", "ws:")):
        return skip("plain text, which is allowed on this machine only")
    try:
        connected = dial(url, timeout, setting)
    except (TransientSourceError, ConfigurationError) as error:
        return failed(error, "open the way, or correct the proxy in the environment: https_proxy, no_proxy")
    with connected:
        try:
            with tls_context().wrap_socket(connected, server_hostname=host) as secure:
                issued = Issued.read(secure.getpeercert() or {})
                cipher = (secure.cipher() or ("unknown",))[0]
                return judge_certificate(issued, f"{secure.version()}, {cipher}", host, clock())
        except ssl.SSLCertVerificationError as error:
            return judge_refusal(
                error.verify_code, error.verify_message, _looked_at(url, timeout, setting), host, setting
            )
        except (ssl.SSLError, OSError) as error:
            return judge_tls_failure(error, _outdated_version(url, timeout, setting), host, port, setting)


def _outdated_version(url: str, timeout: float, setting: str) -> str | None:
    """The version of TLS spoken there, if it is one that should not be spoken any more. Nothing is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it is asked for to be refused
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    try:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with dial(url, timeout, setting) as raw, context.wrap_socket(raw) as connected:
            return connected.version()
    except (ssl.SSLError, OSError, TransientSourceError):
        return None


def _looked_at(url: str, timeout: float, setting: str) -> Issued | None:
    """What stands in a certificate that was not accepted; None where it cannot be read.

    Python decodes verified certificates only. So the server's own is trusted for a second look, and for nothing else;
    nothing is sent over that connection.
    """
    host = address_of(url)[0]
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname = False
    blind.verify_mode = ssl.CERT_NONE
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        with dial(url, timeout, setting) as raw, blind.wrap_socket(raw, server_hostname=host) as first:
            der = first.getpeercert(binary_form=True)
        if der is None:
            return None
        trusting.load_verify_locations(cadata=der)
        with dial(url, timeout, setting) as raw, trusting.wrap_socket(raw, server_hostname=host) as second:
            return Issued.read(second.getpeercert() or {})
    except (ssl.SSLError, OSError, TransientSourceError, ConfigurationError):
        return None


def proxies(urls: Sequence[tuple[str, str]]) -> Outcome:
    """Which proxies the environment names for these URLs, each with its setting."""
    try:
        found = {setting: proxy_for(url) for setting, url in urls}
    except ConfigurationError as error:
        return failed(error, "correct it there")
    used = [f"{setting} through {proxy.where} ({proxy.variable})" for setting, proxy in found.items() if proxy]
    straight = [setting for setting, proxy in found.items() if not proxy]
    if not used:
        return ok("none in use")
    return ok(", ".join(used) + (f"; {' and '.join(straight)} without" if straight else ""))


def _resolved(host: str, port: int, timeout: float) -> list[str]:
    """The addresses of a name, best first. The system's resolver cannot be interrupted, so it is left behind where it
    takes too long. Raises TimeoutError, OSError and UnicodeError."""
    answer: concurrent.futures.Future[list[str]] = concurrent.futures.Future()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.set_result(list(dict.fromkeys(str(place[0]) for *_, place in found)))
        except (OSError, UnicodeError) as error:
            answer.set_exception(error)

    threading.Thread(target=ask, name="doctor-dns", daemon=True).start()
    try:
        return answer.result(timeout)
    except concurrent.futures.TimeoutError:
        raise TimeoutError from None


def _attempt(address: str, port: int, timeout: float) -> Attempt:
    began = time.monotonic()
    try:
        socket.create_connection((address, port), timeout).close()
    except OSError as error:
        return Attempt(address, time.monotonic() - began, error)
    return Attempt(address, time.monotonic() - began)


def _reason(error: OSError | None, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {timeout:g} s"
    return "nothing listens" if isinstance(error, ConnectionRefusedError) else str(error and error.strerror).lower()


def _ms(seconds: float) -> str:
    return f"{seconds * 1_000:.1f} ms" if seconds < 0.01 else f"{seconds * 1_000:.0f} ms"


def _dns_remedy(host: str) -> str:
    return (
        f"check the name for a mistake (REGION, or the URL that names {host}), and that this machine reaches its DNS server;"
        " where only a proxy resolves outside names, set https_proxy"
    )


def _tcp_remedy(errors: Sequence[OSError | None]) -> str:
    if all(isinstance(error, ConnectionRefusedError) for error in errors):
        return "check host and port in the URL; if they are right, the platform's side is down"
    if any(error is not None and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH) for error in errors):
        return "this machine has no route there: check its network, or set https_proxy where a proxy leads out"
    return "a firewall drops the packets or the host is down: have this host and port let through, or set https_proxy"
