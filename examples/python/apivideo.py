"""Upload tokens of api.video, by libapivideo and ctypes: one file to copy, and nothing to install beside
the library.

    with Client(api_key=key) as client:
        token = client.create(ttl=timedelta(hours=1))

Calls block, with the GIL released. The library is the one that the environment variable APIVIDEO_LIBRARY
names, otherwise libapivideo.so.0.1 where the loader looks for it.
"""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Callable, Generator
from ctypes import (
    CDLL, CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p,
    sizeof,
)
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum, IntEnum
from types import TracebackType
from typing import Any, NoReturn, Optional, Union

__all__ = [
    "PRODUCTION_URL", "SANDBOX_URL", "LIBRARY_VERSION", "NEVER", "Lifetime", "Client", "Token", "TokenPage",
    "SortBy", "SortOrder", "Cancel", "TraceLevel", "Outcome", "Problem", "ApiVideoError", "InvalidArgumentError",
    "ConnectError", "TlsError", "TransportError", "TimedOutError", "CancelledError", "UnauthorizedError",
    "NotFoundError", "RejectedError", "RateLimitedError", "ServerError", "DecodeError", "InternalError",
    "SourceError", "ClosedError",
]

#: The production service, the default of Client's base_url.
PRODUCTION_URL = "https://ws.api.video"
#: The sandbox: free, with keys of its own; videos are watermarked and deleted after a day.
SANDBOX_URL = "https://sandbox.api.video"

#: A length of time: a timedelta, or a number of seconds.
Duration = Union[timedelta, float]


class Lifetime(Enum):
    """A time to live that is no length of time."""

    NEVER = "never"  #: it never ends


#: The time to live of a token that is valid for ever.
NEVER = Lifetime.NEVER


# ------------------------------------------------------------------------------------- what is handed out


@dataclass(frozen=True)
class Token:
    """An upload token, as it was when the service told of it."""

    #: The token: its id and the secret in one, so treat it as a password. The repr does not show it.
    id: str = field(repr=False)
    #: How long it is valid in all; None if for ever, or not told.
    ttl: Optional[timedelta]
    #: When it was made, in UTC, by the service's clock; None if not told.
    created_at: Optional[datetime]
    #: When it ends, in UTC; None if never, or not told.
    expires_at: Optional[datetime]
    #: Whether it is valid for ever.
    never_expires: bool


@dataclass(frozen=True)
class TokenPage:
    """One page of tokens. A number is None if the service did not tell it."""

    #: The tokens of this page.
    tokens: tuple[Token, ...]
    #: How many tokens there are on all pages.
    items_total: Optional[int]
    #: The number of this page, from 1.
    current_page: Optional[int]
    #: How many pages there are.
    pages_total: Optional[int]
    #: How many tokens a page holds at most.
    page_size: Optional[int]


class SortBy(Enum):
    """What to sort tokens by."""

    CREATED_AT = 1  #: when a token was made
    TTL = 2  #: how long a token is still valid


class SortOrder(Enum):
    """Which tokens come first."""

    ASCENDING = 1  #: the smallest
    DESCENDING = 2  #: the largest


class TraceLevel(IntEnum):
    """How much is traced."""

    ERROR = 1  #: failed attempts
    INFO = 2  #: every attempt
    DEBUG = 3  #: every attempt and its steps


# ------------------------------------------------------------------------------------------------- errors


class Outcome(Enum):
    """What a failed call may have done to the service."""

    UNKNOWN = 0  #: nobody here can tell: look before you repeat a create
    NOT_APPLIED = 1  #: the service has not done what was asked; reads are always told as this
    APPLIED = 2  #: the service has done it, but its answer was lost or cannot be used


@dataclass(frozen=True)
class Problem:
    """A problem in the service's own words; each is None if it has none."""

    type: Optional[str] = None  #: the kind of problem, a URI: compare classes of errors instead
    title: Optional[str] = None
    detail: Optional[str] = None
    name: Optional[str] = None  #: the parameter that it is about, such as "pageSize"


class ApiVideoError(Exception):
    """A call failed; there is a class for each status. One that this file does not know is this class itself."""

    #: The AV_STATUS_… of apivideo.h.
    status: int = 0
    #: Its name, such as "AV_STATUS_NOT_FOUND".
    status_name: str = ""
    #: After a create that is not NOT_APPLIED, a token may exist that nobody knows of.
    outcome: Outcome = Outcome.UNKNOWN
    #: Whether the cause is temporary and repeating the call cannot do anything twice.
    is_retryable: bool = False
    #: The HTTP status of the answer; None if there was none.
    http_status: Optional[int] = None
    #: How many times the request was tried, 0 if it was never begun.
    attempts: int = 0
    #: How long to wait before the next try; None if not known.
    retry_after: Optional[timedelta] = None
    #: What the service says.
    problem: Problem = Problem()
    #: The single problems that the service lists, as it does with HTTP 400.
    problems: tuple[Problem, ...] = ()


class InvalidArgumentError(ApiVideoError, ValueError):
    """The caller's mistake, found by the library; nothing was sent."""


class ConnectError(ApiVideoError):
    """No connection; nothing was sent."""


class TlsError(ApiVideoError):
    """No TLS, or the certificate was refused; nothing was sent."""


class TransportError(ApiVideoError):
    """The connection broke during the exchange."""


class TimedOutError(ApiVideoError, TimeoutError):
    """The time ran out."""


class CancelledError(ApiVideoError):
    """The call's Cancel ended it."""


class UnauthorizedError(ApiVideoError):
    """HTTP 401 or 403: the credential is wrong, or for the other environment."""


class NotFoundError(ApiVideoError):
    """HTTP 404: there is no such token; it may have expired or been deleted."""


class RejectedError(ApiVideoError):
    """Any other HTTP 4xx; problems tell why."""


class RateLimitedError(ApiVideoError):
    """Too many requests; retry_after tells how long to wait."""


class ServerError(ApiVideoError):
    """HTTP 5xx: the service failed."""


class DecodeError(ApiVideoError):
    """An answer that the API does not promise."""


class InternalError(ApiVideoError):
    """A bug of the library, contained."""


class SourceError(ApiVideoError):
    """The file of an upload cannot be read, has changed, or is another one."""


class ClosedError(RuntimeError):
    """The client is closed; nothing was sent."""


_ERRORS: dict[int, type[ApiVideoError]] = {
    1: InvalidArgumentError, 2: ConnectError, 3: TlsError, 4: TransportError, 5: TimedOutError, 6: CancelledError,
    7: UnauthorizedError, 8: NotFoundError, 9: RejectedError, 10: RateLimitedError, 11: ServerError, 12: DecodeError,
    13: InternalError, 14: SourceError,
}


# --------------------------------------------------------------------------------------------- apivideo.h

_ABI = "0.1"

_TraceFunction = CFUNCTYPE(None, c_void_p, c_int32, c_char_p)


class _ClientConfig(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("api_key", c_char_p), ("access_token", c_char_p), ("base_url", c_char_p),
        ("app_name", c_char_p), ("app_version", c_char_p), ("sdk_name", c_char_p), ("sdk_version", c_char_p),
        ("ca_file", c_char_p), ("proxy_url", c_char_p),
        ("trace_fn", _TraceFunction), ("trace_userdata", c_void_p),
        ("timeout_ms", c_uint32), ("connect_timeout_ms", c_uint32), ("attempt_timeout_ms", c_uint32),
        ("max_attempts", c_uint32), ("trace_level", c_int32), ("flags", c_uint32),
    ]


class _RequestOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("cancel", c_void_p), ("response", c_void_p),
        ("timeout_ms", c_uint32), ("max_attempts", c_uint32),
    ]


class _ListParameters(Structure):
    _fields_ = [
        ("struct_size", c_size_t), ("current_page", c_uint32), ("page_size", c_uint32),
        ("sort_by", c_int32), ("sort_order", c_int32),
    ]


class _Token(Structure):
    _fields_ = [
        ("created_at", c_int64), ("expires_at", c_int64), ("reserved", c_uint64 * 4), ("token", c_char_p),
        ("reserved_pointer", c_void_p), ("ttl_seconds", c_int32), ("reserved32", c_uint32),
    ]


class _TokenPage(Structure):
    _fields_ = [
        ("items_total", c_uint64), ("reserved", c_uint64 * 4), ("items", POINTER(POINTER(_Token))), ("count", c_size_t),
        ("current_page", c_uint32), ("pages_total", c_uint32), ("page_size", c_uint32), ("reserved32", c_uint32),
    ]


_TokenPointer = POINTER(_Token)
_TokenPagePointer = POINTER(_TokenPage)


def _load() -> CDLL:
    name = os.environ.get("APIVIDEO_LIBRARY") or "libapivideo.so." + _ABI
    try:
        library = CDLL(name)  # which releases the GIL during each call
        library.av_library_version.restype = c_char_p
        version = library.av_library_version().decode()
    except (OSError, AttributeError) as error:
        raise ImportError(f"{error}: set LD_LIBRARY_PATH or APIVIDEO_LIBRARY, or run ldconfig") from error
    if not version.startswith(_ABI + "."):
        raise ImportError(f"{name} is version {version}, and this file was written for {_ABI}")

    handle, out, text = c_void_p, c_void_p, c_char_p
    config, options, parameters = POINTER(_ClientConfig), POINTER(_RequestOptions), POINTER(_ListParameters)
    functions: dict[str, tuple[Any, list[Any]]] = {
        "status_name": (text, [c_int32]),
        "client_new": (c_int32, [config, out, out]),
        "client_free": (None, [handle]),
        "tokens_create": (c_int32, [handle, c_uint32, options, out, out]),
        "tokens_get": (c_int32, [handle, text, options, out, out]),
        "tokens_list": (c_int32, [handle, parameters, options, out, out]),
        "tokens_delete": (c_int32, [handle, text, options, out]),
        "tokens_iterate": (c_int32, [handle, parameters, out, out]),
        "token_iter_next": (c_int32, [handle, options, out, out]),
        "token_free": (None, [handle]),
        "token_page_free": (None, [handle]),
        "token_iter_free": (None, [handle]),
        "cancel_new": (handle, []),
        "cancel_trigger": (None, [handle]),
        "cancel_free": (None, [handle]),
        "error_message": (text, [handle]),
        "error_outcome": (c_int32, [handle]),
        "error_is_retryable": (c_int32, [handle]),
        "error_http_status": (c_int32, [handle]),
        "error_attempts": (c_uint32, [handle]),
        "error_retry_after_ms": (c_int64, [handle]),
        "error_problem_count": (c_size_t, [handle]),
        "error_free": (None, [handle]),
    }
    for member in ("type", "title", "detail", "name"):
        functions[f"error_problem_{member}"] = (text, [handle])
        functions[f"error_problem_{member}_at"] = (text, [handle, c_size_t])
    for name, (result, arguments) in functions.items():
        function = getattr(library, "av_" + name)
        function.restype, function.argtypes = result, arguments
    return library


_library = _load()

#: The version of the library that runs, such as "0.1.0".
LIBRARY_VERSION: str = _library.av_library_version().decode()


class _Owned:
    """What C has handed out. It is freed once nothing refers to this any more: so never during a call,
    whose frame does, and surely after it, even if Ctrl-C comes in between."""

    def __init__(self, pointer: Any, free: Callable[[Any], Any]) -> None:
        self.pointer = pointer
        self._free = free

    def __del__(self) -> None:
        self._free(self.pointer)

    def __reduce__(self) -> NoReturn:  # a copy would free it again
        raise TypeError("a Client or Cancel cannot be copied or pickled")


# ------------------------------------------------- from Python to C, where ctypes cuts off what does not fit


def _text(name: str, value: Optional[str]) -> Optional[bytes]:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{name} holds a NUL character")
    return value.encode()


def _id(value: str) -> bytes:
    text = _text("id", value)
    if text is None:
        raise TypeError("id must be a str, not None")
    return text


def _number(name: str, value: Optional[int], highest: int = 2**32 - 1) -> int:
    """0, the default of C, for None."""
    if value is None:
        return 0
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    number = operator.index(value)
    if not 1 <= number <= highest:
        raise ValueError(f"{name} is {number}, and must be from 1 to {highest}")
    return number


def _time_to_live(value: Union[timedelta, int, Lifetime]) -> int:
    """Seconds; 0, for ever in C, for nothing but NEVER."""
    if value is NEVER:
        return 0
    if value is None:
        raise TypeError("ttl must be a timedelta, whole seconds or NEVER, not None")
    if isinstance(value, timedelta):
        second = timedelta(seconds=1)
        if value < second:
            raise ValueError(f"ttl is {value}, and must be 1 second or more, or NEVER")
        value = value // second + bool(value % second)  # rounded up
    return _number("ttl", value, 2**31 - 1)


def _milliseconds(name: str, value: Optional[Duration]) -> int:
    """Rounded up; 0, the default of C, for None, and its highest, no limit, for infinity."""
    if value is None:
        return 0
    if isinstance(value, timedelta):
        value = value.total_seconds()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a timedelta or a number of seconds, not {type(value).__name__}")
    if value == math.inf:
        return 2**32 - 1
    longest = (2**32 - 2) // 1000
    if not 0 < value <= longest:  # which NaN is not either
        raise ValueError(f"{name} is {value}, and must be above 0 and at most {longest} seconds, or math.inf")
    return math.ceil(value * 1000)


def _member(name: str, value: Optional[Enum], kind: type[Enum]) -> int:
    if value is None:
        return 0
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
    number: int = value.value
    return number


def _list_parameters(
    page: Optional[int], page_size: Optional[int], sort_by: Optional[SortBy], sort_order: Optional[SortOrder]
) -> _ListParameters:
    return _ListParameters(
        sizeof(_ListParameters), _number("page", page), _number("page_size", page_size),
        _member("sort_by", sort_by, SortBy), _member("sort_order", sort_order, SortOrder),
    )


def _options(timeout: Optional[Duration], cancel: Optional[Cancel], max_attempts: Optional[int]) -> _RequestOptions:
    options = _RequestOptions(
        struct_size=sizeof(_RequestOptions), timeout_ms=_milliseconds("timeout", timeout),
        max_attempts=_number("max_attempts", max_attempts),
    )
    if cancel is not None:
        if not isinstance(cancel, Cancel):
            raise TypeError(f"cancel must be a Cancel, not {type(cancel).__name__}")
        options.cancel = cancel._owned.pointer
        options._cancel = cancel  # an iteration may be all that holds it
    return options


# ------------------------------------------------------------------------------- from C to Python: copies

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def _time(seconds: int) -> Optional[datetime]:
    try:
        return _EPOCH + timedelta(seconds=seconds) if seconds else None
    except OverflowError:  # outside the years 1 to 9999, which are all that Python can tell
        return None


def _read_token(token: _Token) -> Token:
    return Token(
        id=token.token.decode(),
        ttl=timedelta(seconds=token.ttl_seconds) if token.ttl_seconds > 0 else None,
        created_at=_time(token.created_at),
        expires_at=_time(token.expires_at),
        never_expires=token.ttl_seconds == 0 and token.expires_at == 0,
    )


def _read_page(page: _TokenPage) -> TokenPage:
    return TokenPage(
        tokens=tuple(_read_token(page.items[index].contents) for index in range(page.count)),
        items_total=page.items_total if page.items_total or not page.count else None,
        current_page=page.current_page or None,
        pages_total=page.pages_total or None,
        page_size=page.page_size or None,
    )


def _read_error(status: int, error: Any) -> ApiVideoError:
    # Members beside the message, so that it can be pickled.
    result = _ERRORS.get(status, ApiVideoError)(_library.av_error_message(error).decode())
    result.status = status
    result.status_name = _library.av_status_name(status).decode()
    outcome = _library.av_error_outcome(error)
    result.outcome = Outcome(outcome) if outcome in (1, 2) else Outcome.UNKNOWN
    result.is_retryable = _library.av_error_is_retryable(error) != 0
    result.http_status = _library.av_error_http_status(error) or None
    result.attempts = _library.av_error_attempts(error)
    retry_after = _library.av_error_retry_after_ms(error)
    result.retry_after = timedelta(milliseconds=retry_after) if retry_after >= 0 else None
    result.problem = _read_problem("", error)
    count = _library.av_error_problem_count(error)
    result.problems = tuple(_read_problem("_at", error, index) for index in range(count))
    return result


def _read_problem(suffix: str, *arguments: Any) -> Problem:
    members = ("type", "title", "detail", "name")
    texts = [getattr(_library, f"av_error_problem_{member}{suffix}")(*arguments) for member in members]
    return Problem(*(None if text is None else text.decode() for text in texts))


def _call(function: Callable[..., int], *arguments: Any) -> None:
    """Makes one call, and raises what it tells. An _Owned is passed as its pointer, and kept meanwhile."""
    error = _Owned(c_void_p(), _library.av_error_free)
    pointers = [argument.pointer if isinstance(argument, _Owned) else argument for argument in arguments]
    status = function(*pointers, byref(error.pointer))
    failure = _read_error(status, error.pointer) if status != 0 else None
    del error, arguments  # a traceback would keep them
    if failure is not None:
        raise failure


# -------------------------------------------------------------------------------------------- what is used


class Cancel:
    """Ends calls from another thread. It may serve any number of them, one after the other or at once."""

    def __init__(self) -> None:
        self._owned = _Owned(_library.av_cancel_new(), _library.av_cancel_free)

    def trigger(self) -> None:
        """Every call that uses this raises CancelledError, unless its answer has arrived already; so does
        every later one, before anything is sent. It never blocks, and may be called any number of times."""
        _library.av_cancel_trigger(self._owned.pointer)

    def __reduce__(self) -> NoReturn:
        self._owned.__reduce__()


class Client:
    """One credential, one service, and the connections to it, which are kept open between calls. Any number
    of threads may call through one client at once; a program rarely needs two.

    Nothing is sent, so that a wrong key shows with the first call. Times are timedeltas or seconds,
    rounded up to milliseconds; math.inf is no limit. None is the library's default everywhere.

    api_key           the account's API key; exactly one of this and access_token is given
    access_token      got from the service by other means; it is not renewed
    base_url          where the service is; PRODUCTION_URL unless given
    app_name          your application, for the service's statistics: 1 to 50 of A-Z a-z 0-9 - _
    app_version       its version, such as "1.20.3"
    sdk_name          a library of yours over this one, as app_name
    sdk_version       its version, as app_version
    ca_file           a PEM file that replaces the system's certificate authorities
    proxy_url         http://, socks5:// or socks5h://; "" is none; None is what the environment says
    timeout           what a whole call may take: every attempt and every wait; 30 s unless given
    connect_timeout   what connecting may take in each attempt; 10 s unless given
    attempt_timeout   what one attempt of a get, list or delete may take while another is allowed; 10 s
                      unless given
    max_attempts      how many times a request may be tried in all, from 1; 3 unless given
    trace             takes (level, line) on the thread that is inside the call; many threads may be at
                      once. What it raises goes to sys.unraisablehook, and the call goes on.
    trace_level       how much it is told
    allow_plain_http  allows a base_url of http:// to another machine, over which the credential travels
                      in the clear
    """

    _owned: Optional[_Owned] = None  # unless it is open

    def __init__(
        self,
        *,
        api_key: Optional[str] = None,
        access_token: Optional[str] = None,
        base_url: Optional[str] = None,
        app_name: Optional[str] = None,
        app_version: Optional[str] = None,
        sdk_name: Optional[str] = None,
        sdk_version: Optional[str] = None,
        ca_file: Union[str, os.PathLike[str], None] = None,
        proxy_url: Optional[str] = None,
        timeout: Optional[Duration] = None,
        connect_timeout: Optional[Duration] = None,
        attempt_timeout: Optional[Duration] = None,
        max_attempts: Optional[int] = None,
        trace: Optional[Callable[[int, str], object]] = None,
        trace_level: TraceLevel = TraceLevel.INFO,
        allow_plain_http: bool = False,
    ) -> None:
        if not isinstance(trace_level, TraceLevel):
            raise TypeError(f"trace_level must be a TraceLevel, not {type(trace_level).__name__}")
        if not isinstance(allow_plain_http, bool):
            raise TypeError(f"allow_plain_http must be a bool, not {type(allow_plain_http).__name__}")
        config = _ClientConfig(
            struct_size=sizeof(_ClientConfig),
            api_key=_text("api_key", api_key),
            access_token=_text("access_token", access_token),
            base_url=_text("base_url", base_url),
            app_name=_text("app_name", app_name),
            app_version=_text("app_version", app_version),
            sdk_name=_text("sdk_name", sdk_name),
            sdk_version=_text("sdk_version", sdk_version),
            ca_file=_text("ca_file", None if ca_file is None else os.fspath(ca_file)),
            proxy_url=_text("proxy_url", proxy_url),
            timeout_ms=_milliseconds("timeout", timeout),
            connect_timeout_ms=_milliseconds("connect_timeout", connect_timeout),
            attempt_timeout_ms=_milliseconds("attempt_timeout", attempt_timeout),
            max_attempts=_number("max_attempts", max_attempts),
            flags=1 if allow_plain_http else 0,
        )
        if trace is not None:
            if not callable(trace):
                raise TypeError(f"trace must be callable, not {type(trace).__name__}")
            config.trace_level = trace_level
            # Whoever is inside a call or an iteration holds this client, and so the function.
            self._trace = config.trace_fn = _TraceFunction(lambda _, level, line: trace(level, line.decode()))
        owned = _Owned(c_void_p(), _library.av_client_free)
        _call(_library.av_client_new, byref(config), byref(owned.pointer))
        self._owned = owned

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], value: Optional[BaseException], where: Optional[TracebackType]
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client or Cancel cannot be copied or pickled")

    def close(self) -> None:
        """Calls and iterations under way end as if nothing had happened; later ones raise ClosedError. It
        may be called from any thread, any number of times."""
        self._owned = None  # the last of the calls frees it

    def create(
        self, *, ttl: Union[timedelta, int, Lifetime], timeout: Optional[Duration] = None,
        cancel: Optional[Cancel] = None, max_attempts: Optional[int] = None,
    ) -> Token:
        """Makes an upload token. Whoever has it can upload videos to the account, until it ends or is
        deleted. ttl is how long it is valid: 1 to 2147483647 seconds, of a timedelta rounded up to whole
        ones, or NEVER for ever. It is tried again only if it cannot have been applied."""
        options = _options(timeout, cancel, max_attempts)
        token = _Owned(_TokenPointer(), _library.av_token_free)
        _call(_library.av_tokens_create, self._open(), _time_to_live(ttl), byref(options), byref(token.pointer))
        return _read_token(token.pointer.contents)

    def get(
        self, id: str, *, timeout: Optional[Duration] = None, cancel: Optional[Cancel] = None,
        max_attempts: Optional[int] = None,
    ) -> Token:
        """Looks up one active token; NotFoundError if it was never made, has expired or was deleted."""
        options = _options(timeout, cancel, max_attempts)
        token = _Owned(_TokenPointer(), _library.av_token_free)
        _call(_library.av_tokens_get, self._open(), _id(id), byref(options), byref(token.pointer))
        return _read_token(token.pointer.contents)

    def list(
        self, *, page: Optional[int] = None, page_size: Optional[int] = None, sort_by: Optional[SortBy] = None,
        sort_order: Optional[SortOrder] = None, timeout: Optional[Duration] = None, cancel: Optional[Cancel] = None,
        max_attempts: Optional[int] = None,
    ) -> TokenPage:
        """Lists one page of the active tokens: page from 1, page_size 1 to 100, 25 unless given."""
        parameters = _list_parameters(page, page_size, sort_by, sort_order)
        options = _options(timeout, cancel, max_attempts)
        tokens = _Owned(_TokenPagePointer(), _library.av_token_page_free)
        _call(_library.av_tokens_list, self._open(), byref(parameters), byref(options), byref(tokens.pointer))
        return _read_page(tokens.pointer.contents)

    def tokens(
        self, *, page: Optional[int] = None, page_size: Optional[int] = None, sort_by: Optional[SortBy] = None,
        sort_order: Optional[SortOrder] = None, timeout: Optional[Duration] = None, cancel: Optional[Cancel] = None,
        max_attempts: Optional[int] = None,
    ) -> Generator[Token, None, None]:
        """All active tokens of all pages from page on, the oldest first unless sorted; one request a page,
        each of which may take timeout, when it is needed. An error ends it. Where tokens are deleted or
        expire meanwhile, others may be skipped: to delete, collect first."""
        parameters = _list_parameters(page, page_size, sort_by, sort_order)
        options = _options(timeout, cancel, max_attempts)
        iterator = _Owned(c_void_p(), _library.av_token_iter_free)
        _call(_library.av_tokens_iterate, self._open(), byref(parameters), byref(iterator.pointer))
        return self._iterate(iterator, options)

    def delete(
        self, id: str, *, timeout: Optional[Duration] = None, cancel: Optional[Cancel] = None,
        max_attempts: Optional[int] = None,
    ) -> None:
        """Revokes a token; NotFoundError if it was never made, has expired or was deleted already."""
        options = _options(timeout, cancel, max_attempts)
        _call(_library.av_tokens_delete, self._open(), _id(id), byref(options))

    def _iterate(self, iterator: _Owned, options: _RequestOptions) -> Generator[Token, None, None]:
        while True:
            token = _TokenPointer()  # the iterator's own
            _call(_library.av_token_iter_next, iterator, byref(options), byref(token))
            if not token:
                return
            yield _read_token(token.contents)

    def _open(self) -> _Owned:
        owned = self._owned
        if owned is None:
            raise ClosedError("the client is closed")
        return owned
