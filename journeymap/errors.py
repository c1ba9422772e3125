"""Every error that Journeymap raises on purpose. The type says whose fault it is and so who has to act.

JourneymapError
├── ConfigurationError      the operator's: a setting is wrong (exit code 2)
├── InputError              the user's: a file or a request cannot be used
├── SourceError             the platform's side of the line
│   ├── TransientSourceError    try again after a while
│   ├── RefusedError            credentials or rights are refused: trying again makes it worse
│   │   └── ForbiddenError          the client's roles lack a permission
│   └── RequestError            the platform does not take this request: another one is needed
├── StoreError              the store's
│   ├── StoreLockedError        another process writes to it
│   ├── StoreMismatchError      it belongs to another source, environment or schema version
│   ├── StoreCorruptError       it cannot be read
│   └── StoreFullError          no space left to write
└── JournalError            the journal of received events cannot be written or read
    └── JournalFullError        no space left to write
"""

from __future__ import annotations


class JourneymapError(Exception):
    """Base of all errors raised on purpose; `str()` of it is one line that says what is wrong and what to do."""

    exit_code = 1


class ConfigurationError(JourneymapError):
    """A setting is wrong. The message names the setting, the value (masked if secret) and what is allowed."""

    exit_code = 2


class InputError(JourneymapError):
    """A file or a request given by the user cannot be used."""


class SourceError(JourneymapError):
    """The event source failed."""


class TransientSourceError(SourceError):
    """The source failed for a passing reason. `retry_after` is the wait in seconds that the platform asked for, if any."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RefusedError(SourceError):
    """The platform refused the credentials or the rights: no reconnect until the configuration changes. `status` is the
    HTTP status of the refusal, `code` the registered name of the error, where there are such."""

    def __init__(self, message: str, status: int | None = None, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ForbiddenError(RefusedError):
    """The roles of the client do not allow this. `permissions` are those that are missing, as far as the platform names
    them."""

    def __init__(
        self, message: str, status: int | None = None, code: str = "", permissions: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, status, code)
        self.permissions = permissions


class RequestError(SourceError):
    """The platform answered that this request is wrong or that there is no such thing. `status` is the HTTP status, `code` the
    platform's name for the error, `context_id` what its support asks for."""

    def __init__(self, message: str, status: int, code: str = "", context_id: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.context_id = context_id


class StoreError(JourneymapError):
    """The journey store failed."""


class StoreLockedError(StoreError):
    """Another process holds the writer's lock of this store."""


class StoreMismatchError(StoreError):
    """The store was made by another schema version, for another source or for another environment."""


class StoreCorruptError(StoreError):
    """The store's files cannot be read as what they should be."""


class StoreFullError(StoreError):
    """There is no space left for the store. Nothing that was committed is lost."""


class JournalError(JourneymapError):
    """The journal of received events cannot be written or read."""


class JournalFullError(JournalError):
    """There is no space left for the journal. Nothing that was appended is lost."""
