"""TLS for the platform: a certificate, and which versions of the protocol are spoken."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import Final, NamedTuple

from journeymap.errors import ConfigurationError

VERSIONS: Final = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


class Tls(NamedTuple):
    """A certificate chain and its key as PEM files (the key may be in the same one), and the versions spoken."""

    cert: Path
    key: Path | None = None
    lowest: str = "1.2"
    highest: str = "1.3"

    def context(self) -> ssl.SSLContext:
        """What a server needs to speak TLS so. Raises ConfigurationError."""
        if self.lowest > self.highest:
            raise ConfigurationError(f"--tls-lowest is {self.lowest}, allowed are versions up to {self.highest}")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with warnings.catch_warnings():
            # Versions that nobody should speak any more are deprecated; here they are spoken to be refused.
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version, context.maximum_version = VERSIONS[self.lowest], VERSIONS[self.highest]
        if self.lowest < "1.2":
            context.set_ciphers("ALL:@SECLEVEL=0")
        try:
            context.load_cert_chain(self.cert, self.key)
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"--tls-cert is {self.cert}, which cannot be used: {error}") from error
        return context
