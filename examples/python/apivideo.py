"""Upload tokens of api.video, and uploads with them, by libapivideo and ctypes: one file to copy, and nothing
to install beside the library.

    with Client(api_key=key) as client:
        token = client.create(ttl=timedelta(hours=1))

    with Client(no_credential=True) as device:  # which has a token, and knows no key
        video = device.upload("film.mp4", token=token.id)

Calls block, with the GIL released. The library is the one that the environment variable APIVIDEO_LIBRARY
names, otherwise libapivideo.so.0.1 (libapivideo.0.1.dylib, apivideo.dll) where the loader looks for it.
"""

from __future__ import annotations

import math
import operator
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from ctypes import (
    CDLL, CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p,
    py_object, sizeof,
)
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum, IntEnum
from types import BuiltinMethodType, TracebackType
from typing import Any, NoReturn, Optional, Protocol, Union

__all__ = [
    "PRODUCTION_URL", "SANDBOX_URL", "LIBRARY_VERSION", "NEVER", "Lifetime", "Client", "Token", "TokenPage",
    "SortBy", "SortOrder", "Upload", "UploadedVideo", "UploadProgress", "UploadActivity", "Readable", "Cancel",
    "TraceLevel", "Outcome", "Problem", "ApiVideoError", "InvalidArgumentError", "ConnectError", "TlsError",
    "TransportError", "TimedOutError", "CancelledError", "UnauthorizedError", "NotFoundError", "RejectedError",
    "RateLimitedError", "ServerError", "DecodeError", "InternalError", "SourceError", "ClosedError",
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


@dataclass(frozen=True)
class UploadedVideo:
    """A video that was uploaded. What is not told is None. Of a private video the addresses hold a secret: the
    repr does not show them."""

    id: str
    title: Optional[str]
    #: The address of a page that plays it.
    player_url: Optional[str] = field(repr=False)
    #: HTML with that page in a frame.
    iframe_html: Optional[str] = field(repr=False)
    #: The address of its HLS manifest.
    hls_url: Optional[str] = field(repr=False)
    #: The address of an MP4 file.
    mp4_url: Optional[str] = field(repr=False)
    #: The address of a picture of it.
    thumbnail_url: Optional[str] = field(repr=False)
    #: The service's answer, one JSON object. None, and so all of the above but the id, if it was lost, and
    #: proved otherwise that the video is whole.
    json: Optional[str] = field(repr=False)
    #: When it was made, in UTC, by the service's clock.
    created_at: Optional[datetime]
    #: When it was published, in UTC.
    published_at: Optional[datetime]
    #: Whether anybody may see it.
    is_public: Optional[bool]
    #: How many bytes were uploaded in all.
    bytes: int
    #: How many unfinished videos this upload may have left behind, which the service drops after a week.
    videos_abandoned: int


class UploadActivity(Enum):
    """What an upload is doing."""

    OTHER = -1  #: what only a later library has a name for
    SENDING = 0  #: bytes are sent
    WAITING_FOR_ANSWER = 1  #: all of a part is sent; the answer to the last one may take minutes
    WAITING_TO_RETRY = 2  #: an attempt failed, and another follows
    WAITING_FOR_RATE_LIMIT = 3  #: the rate limit is used up

    @classmethod
    def _missing_(cls, value: object) -> UploadActivity:
        return cls.OTHER


@dataclass(frozen=True)
class UploadProgress:
    """How far an upload has come: bytes_confirmed and bytes_sent together."""

    #: Bytes in the parts that the service has confirmed, those of before a resume included. It never goes back.
    bytes_confirmed: int
    #: Bytes of the part under way that have arrived; 0 again once it is confirmed, or has failed.
    bytes_sent: int
    #: How many bytes there are; None if not known.
    bytes_total: Optional[int]
    #: Bytes that were sent in vain.
    bytes_repeated: int
    #: How many parts the service has confirmed.
    parts_confirmed: int
    #: How many parts there are; None if not known.
    parts_total: Optional[int]
    activity: UploadActivity
    #: How long it will wait, where it waits to go on; otherwise 0.
    wait: timedelta


class TraceLevel(IntEnum):
    """How much is traced."""

    ERROR = 1  #: failed attempts
    INFO = 2  #: every attempt
    DEBUG = 3  #: every attempt and its steps


class Readable(Protocol):
    """What can be uploaded while it is read, such as a file that is open in binary mode."""

    def read(self, size: int, /) -> Optional[bytes]:
        """Up to so many bytes, when there are some; b"" at the end."""


#: How much of a source is read at once.
_READ = 2**18


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
    #: Of an upload, what to go on from, as `resume`; no secret. None if there is nothing to go on from.
    upload_state: Optional[str] = None
    #: Of an upload, the id of the unfinished video; None if none is known.
    upload_video_id: Optional[str] = None


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
    """HTTP 401 or 403: the credential, or the token of an upload, is wrong, has ended, or is for the other
    environment."""


class NotFoundError(ApiVideoError):
    """HTTP 404: there is no such token; it may have expired or been deleted. Or no such video to upload to."""


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
    """The client, or the upload, is closed; nothing was sent."""


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


class _UploadProgress(Structure):
    _fields_ = [
        ("bytes_confirmed", c_uint64), ("bytes_sent", c_uint64), ("bytes_total", c_uint64),
        ("bytes_repeated", c_uint64), ("reserved", c_uint64 * 4), ("parts_confirmed", c_uint32),
        ("parts_total", c_uint32), ("state", c_int32), ("wait_ms", c_uint32),
    ]


# What is passed as userdata is called with what is told.
_ProgressFunction = CFUNCTYPE(None, py_object, POINTER(_UploadProgress))
_StateFunction = CFUNCTYPE(None, py_object, c_char_p)
_tell_progress = _ProgressFunction(BuiltinMethodType.__call__)
_tell_state = _StateFunction(BuiltinMethodType.__call__)


class _UploadParameters(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("token", c_char_p), ("video_id", c_char_p), ("file_name", c_char_p), ("resume", c_char_p),
        ("progress_fn", _ProgressFunction), ("state_fn", _StateFunction), ("userdata", py_object),
        ("part_bytes", c_uint64), ("max_bytes_per_second", c_uint64), ("parallel_parts", c_uint32),
        ("stall_timeout_ms", c_uint32), ("answer_timeout_ms", c_uint32), ("patience_ms", c_uint32),
        ("progress_interval_ms", c_uint32), ("flags", c_uint32),
    ]


class _UploadedVideo(Structure):
    _fields_ = [
        ("created_at", c_int64), ("published_at", c_int64), ("bytes", c_uint64), ("reserved", c_uint64 * 4),
        ("video_id", c_char_p), ("title", c_char_p), ("player_url", c_char_p), ("iframe_html", c_char_p),
        ("hls_url", c_char_p), ("mp4_url", c_char_p), ("thumbnail_url", c_char_p), ("json", c_char_p),
        ("reserved_pointers", c_void_p * 2), ("is_public", c_int32), ("videos_abandoned", c_uint32),
    ]


_TokenPointer = POINTER(_Token)
_TokenPagePointer = POINTER(_TokenPage)
_UploadedVideoPointer = POINTER(_UploadedVideo)


def _library_name(platform: str) -> str:
    """What the library is called there: by its ABI, so that no other is taken for it, but on Windows."""
    names = {"darwin": f"libapivideo.{_ABI}.dylib", "win32": "apivideo.dll"}
    return names.get(platform, f"libapivideo.so.{_ABI}")


def _load() -> CDLL:
    name = os.environ.get("APIVIDEO_LIBRARY") or _library_name(sys.platform)
    try:
        library = CDLL(name)  # which releases the GIL during each call
        library.av_library_version.restype = c_char_p
        version = library.av_library_version().decode()
    except (OSError, AttributeError) as error:
        ways = "set APIVIDEO_LIBRARY" if sys.platform in ("darwin", "win32") else "set LD_LIBRARY_PATH or APIVIDEO_LIBRARY, or run ldconfig"
        raise ImportError(f"{error}: {ways}") from error
    if not version.startswith(_ABI + "."):
        raise ImportError(f"{name} is version {version}, and this file was written for {_ABI}")

    handle, out, text = c_void_p, c_void_p, c_char_p
    config, options, parameters = POINTER(_ClientConfig), POINTER(_RequestOptions), POINTER(_ListParameters)
    upload_parameters = POINTER(_UploadParameters)
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
        "upload_file": (c_int32, [handle, text, upload_parameters, options, out, out]),
        "upload_begin": (c_int32, [handle, upload_parameters, out, out]),
        "upload_write": (c_int32, [handle, text, c_size_t, options, out]),
        "upload_finish": (c_int32, [handle, options, out, out]),
        "upload_offset": (c_uint64, [handle]),
        "upload_free": (None, [handle]),
        "uploaded_video_free": (None, [handle]),
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
        "error_upload_state": (text, [handle]),
        "error_upload_video_id": (text, [handle]),
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
        raise TypeError("a Client, Upload or Cancel cannot be copied or pickled")


# ------------------------------------------------- from Python to C, where ctypes cuts off what does not fit


def _text(name: str, value: Optional[str]) -> Optional[bytes]:
    if value is None:
        return None
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{name} holds a NUL character")
    return value.encode()


def _required(name: str, value: str) -> bytes:
    text = _text(name, value)
    if text is None:
        raise TypeError(f"{name} must be a str, not None")
    return text


def _bytes(name: str, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    try:
        return memoryview(value).tobytes()
    except TypeError:
        raise TypeError(f"{name} must be bytes, not {type(value).__name__}") from None


def _function(name: str, value: Optional[Callable[..., object]]) -> Optional[Callable[..., object]]:
    if value is not None and not callable(value):
        raise TypeError(f"{name} must be callable, not {type(value).__name__}")
    return value


def _number(name: str, value: Optional[int], highest: int = 2**32 - 1, lowest: int = 1) -> int:
    """0, the default of C, for None."""
    if value is None:
        return 0
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    number = operator.index(value)
    if not lowest <= number <= highest:
        raise ValueError(f"{name} is {number}, and must be from {lowest} to {highest}")
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


def _decode(text: Optional[bytes]) -> Optional[str]:
    return None if text is None else text.decode()


def _read_video(video: _UploadedVideo) -> UploadedVideo:
    return UploadedVideo(
        id=video.video_id.decode(),
        title=_decode(video.title),
        player_url=_decode(video.player_url),
        iframe_html=_decode(video.iframe_html),
        hls_url=_decode(video.hls_url),
        mp4_url=_decode(video.mp4_url),
        thumbnail_url=_decode(video.thumbnail_url),
        json=_decode(video.json),
        created_at=_time(video.created_at),
        published_at=_time(video.published_at),
        is_public=video.is_public != 0 if video.is_public >= 0 else None,
        bytes=video.bytes,
        videos_abandoned=video.videos_abandoned,
    )


def _read_progress(progress: _UploadProgress) -> UploadProgress:
    return UploadProgress(
        bytes_confirmed=progress.bytes_confirmed,
        bytes_sent=progress.bytes_sent,
        bytes_total=progress.bytes_total or None,
        bytes_repeated=progress.bytes_repeated,
        parts_confirmed=progress.parts_confirmed,
        parts_total=progress.parts_total or None,
        activity=UploadActivity(progress.state),
        wait=timedelta(milliseconds=progress.wait_ms),
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
    result.upload_state = _decode(_library.av_error_upload_state(error))
    result.upload_video_id = _decode(_library.av_error_upload_video_id(error))
    return result


def _read_problem(suffix: str, *arguments: Any) -> Problem:
    members = ("type", "title", "detail", "name")
    texts = [getattr(_library, f"av_error_problem_{member}{suffix}")(*arguments) for member in members]
    return Problem(*map(_decode, texts))


def _call(function: Callable[..., int], *arguments: Any) -> None:
    """Makes one call, and raises what it tells. An _Owned is passed as its pointer, and kept meanwhile."""
    error = _Owned(c_void_p(), _library.av_error_free)
    pointers = [argument.pointer if isinstance(argument, _Owned) else argument for argument in arguments]
    status = function(*pointers, byref(error.pointer))
    failure = _read_error(status, error.pointer) if status != 0 else None
    del error, arguments  # a traceback would keep them
    if failure is not None:
        raise failure


# -------------------------------------------------------------------------------------- what uploads tell


class _Listener:
    """Passes on what an upload tells. If that raises, it ends the call, which then raises the same."""

    def __init__(
        self, progress: Optional[Callable[[UploadProgress], object]], on_state: Optional[Callable[[str], object]]
    ) -> None:
        self._progress = _function("progress", progress)
        self._on_state = _function("on_state", on_state)
        self._cancel: Optional[Cancel] = None  # of the call under way
        self._raised: Optional[BaseException] = None
        self._busy = threading.Lock()

    def tell(self) -> Generator[None, Any, None]:
        """To be sent what is told. It is no function, at whose very beginning a Ctrl-C would be raised before
        any try, and be lost: a generator goes on within its own."""
        while True:
            try:
                while True:
                    told = yield
                    if isinstance(told, bytes):  # also after progress has raised: it is what to go on from
                        if self._on_state is not None:
                            self._on_state(told.decode())
                    elif self._progress is not None and self._raised is None:
                        self._progress(_read_progress(told.contents))
            except GeneratorExit:
                return
            except BaseException as error:
                if self._raised is None:
                    # Without this frame: who clears those of a traceback would end the generator.
                    self._raised = error.with_traceback(error.__traceback__.tb_next if error.__traceback__ else None)
                if self._cancel is not None:
                    self._cancel.trigger()

    def call(self, options: _RequestOptions, function: Callable[..., int], *arguments: Any) -> None:
        """As _call(), with a Cancel of its own in options, which follows the caller's."""
        if not self._busy.acquire(blocking=False):
            raise ValueError("another call with this upload is under way")
        of_caller, cancel = options._cancel, Cancel()
        try:
            self._cancel, options.cancel = cancel, cancel._owned.pointer
            if of_caller is not None:
                of_caller._follow(cancel)
            _call(function, *arguments)
        finally:
            if of_caller is not None:
                of_caller._followers.discard(cancel)
            raised, self._raised, self._cancel = self._raised, None, None
            self._busy.release()
            del arguments, cancel  # a traceback would keep them
            if raised is not None:
                try:
                    raise raised
                finally:
                    del raised


def _upload_parameters(
    token: str, video_id: Optional[str], file_name: Optional[str], resume: Optional[str], part_bytes: Optional[int],
    max_bytes_per_second: Optional[int], parallel_parts: Optional[int], stall_timeout: Optional[Duration],
    answer_timeout: Optional[Duration], patience: Optional[Duration], progress_interval: Optional[Duration],
    progress: Optional[Callable[[UploadProgress], object]], on_state: Optional[Callable[[str], object]],
) -> tuple[_Listener, _UploadParameters]:
    listener = _Listener(progress, on_state)
    teller = listener.tell()
    next(teller)
    return listener, _UploadParameters(
        struct_size=sizeof(_UploadParameters),
        token=_required("token", token),
        video_id=_text("video_id", video_id),
        file_name=_text("file_name", file_name),
        resume=_text("resume", resume),
        progress_fn=_tell_progress,  # in any case: it is there that Python raises a Ctrl-C
        state_fn=_tell_state,
        userdata=teller.send,
        part_bytes=_number("part_bytes", part_bytes, 2**64 - 1),
        max_bytes_per_second=_number("max_bytes_per_second", max_bytes_per_second, 2**64 - 1),
        parallel_parts=_number("parallel_parts", parallel_parts, 16, 0),
        stall_timeout_ms=_milliseconds("stall_timeout", stall_timeout),
        answer_timeout_ms=_milliseconds("answer_timeout", answer_timeout),
        patience_ms=_milliseconds("patience", patience),
        progress_interval_ms=_milliseconds("progress_interval", progress_interval),
    )


# -------------------------------------------------------------------------------------------- what is used


class Cancel:
    """Ends calls from another thread. It may serve any number of them, one after the other or at once."""

    def __init__(self) -> None:
        self._owned = _Owned(_library.av_cancel_new(), _library.av_cancel_free)
        self._triggered = False
        self._followers: set[Cancel] = set()  # those of uploads, which end by themselves as well

    def trigger(self) -> None:
        """Every call that uses this raises CancelledError, unless its answer has arrived already; so does
        every later one, before anything is sent. It never blocks, and may be called any number of times."""
        self._triggered = True
        _library.av_cancel_trigger(self._owned.pointer)
        for follower in tuple(self._followers):
            follower.trigger()

    def _follow(self, follower: Cancel) -> None:
        self._followers.add(follower)
        if self._triggered:
            follower.trigger()

    def __reduce__(self) -> NoReturn:
        self._owned.__reduce__()


class Client:
    """One credential, or none, one service, and the connections to it, which are kept open between calls. Any number
    of threads may call through one client at once; a program rarely needs two.

    Nothing is sent, so that a wrong key shows with the first call. Times are timedeltas or seconds,
    rounded up to milliseconds; math.inf is no limit. None is the library's default everywhere.

    api_key           the account's API key; exactly one of this, access_token and no_credential is given
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
    no_credential     it knows no key, on purpose: it can upload with tokens, and nothing else. Without this
                      a key that is missing stays an error.
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
        no_credential: bool = False,
    ) -> None:
        if not isinstance(trace_level, TraceLevel):
            raise TypeError(f"trace_level must be a TraceLevel, not {type(trace_level).__name__}")
        for name, flag in (("allow_plain_http", allow_plain_http), ("no_credential", no_credential)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name} must be a bool, not {type(flag).__name__}")
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
            flags=(1 if allow_plain_http else 0) | (2 if no_credential else 0),
        )
        _function("trace", trace)
        if trace is not None:
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
        raise TypeError("a Client, Upload or Cancel cannot be copied or pickled")

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
        _call(_library.av_tokens_get, self._open(), _required("id", id), byref(options), byref(token.pointer))
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
        _call(_library.av_tokens_delete, self._open(), _required("id", id), byref(options))

    def upload(
        self, source: Union[str, os.PathLike[str], Readable], *, token: str, video_id: Optional[str] = None,
        file_name: Optional[str] = None, resume: Optional[str] = None, part_bytes: Optional[int] = None,
        max_bytes_per_second: Optional[int] = None, parallel_parts: Optional[int] = None,
        stall_timeout: Optional[Duration] = None, answer_timeout: Optional[Duration] = None,
        patience: Optional[Duration] = None, progress_interval: Optional[Duration] = None,
        progress: Optional[Callable[[UploadProgress], object]] = None,
        on_state: Optional[Callable[[str], object]] = None, timeout: Optional[Duration] = None,
        cancel: Optional[Cancel] = None, max_attempts: Optional[int] = None,
    ) -> UploadedVideo:
        """Uploads a file, or what can be read, with an upload token; a credential is not needed, and not sent.
        One call makes at most one video that plays, whatever the network does. After a failure another goes on
        from the error's upload_state, and does not send again what was confirmed. If there is none, begin anew
        where the outcome is NOT_APPLIED; otherwise look for the video first.

        source is a path, or any object whose read(n) gives bytes: b"" at the end. It is uploaded from its very
        beginning, also where an upload goes on: it is sought there if it can seek; if not, what is confirmed
        already is read once more, and dropped. What reading it raises ends the upload and reaches the caller.

        token                 the upload token
        video_id              a video that somebody with a key has made before; a new one unless given
        file_name             becomes the title of a new video; the path's last component, or "video", unless given
        resume                a state to go on from: an error's upload_state, or what on_state took last
        part_bytes            the size of a part, 5 MiB to 200 MiB. Unless given it is 32 MiB of a file, or what it
                              takes for 10,000 parts, which is how many there can be; 8 MiB of what is read. A part
                              that fails is sent again from its beginning; each counts against the rate limit.
        max_bytes_per_second  how much is sent at most; no limit unless given
        parallel_parts        how many parts are sent at once, by threads of the library, 1 to 16; 0 is one by
                              one, by no thread but the caller's, and is what it is unless given
        stall_timeout         another connection is tried after so long without a byte that arrives; 30 s unless
                              given
        answer_timeout        what the answer to a part may take; 5 min unless given
        patience              how long an outage may last before the upload is given up; 5 min unless given
        progress_interval     how often progress is told at most; 0.25 s unless given
        progress              takes an UploadProgress
        on_state              takes what to go on from, whenever a part is confirmed: keep it in the place of the
                              one before, and a crash costs one part. Drop it when the call has succeeded. If it
                              has failed with an ApiVideoError after one attempt or more, the error's upload_state
                              takes its place; drop it if that is None.
        timeout               what the whole upload may take; no limit unless given: the client's is not for uploads
        max_attempts          how many attempts in a row at one part may fail without getting further; the
                              client's, or 3, unless given

        progress and on_state are called on the calling thread. What one of them raises ends the upload as a
        Cancel does, and reaches the caller, even if the video is whole by then."""
        options = _options(timeout, cancel, max_attempts)
        listener, parameters = _upload_parameters(
            token, video_id, file_name, resume, part_bytes, max_bytes_per_second, parallel_parts, stall_timeout,
            answer_timeout, patience, progress_interval, progress, on_state,
        )
        if not isinstance(source, (str, os.PathLike)):
            if not hasattr(source, "read"):
                raise TypeError(f"source must be a path or a binary file, not {type(source).__name__}")
            with Upload(self, listener, parameters) as upload:
                return upload._read(source, timeout, cancel, max_attempts)
        path = _required("source", os.fspath(source))
        video = _Owned(_UploadedVideoPointer(), _library.av_uploaded_video_free)
        listener.call(
            options, _library.av_upload_file, self._open(), path, byref(parameters), byref(options),
            byref(video.pointer),
        )
        return _read_video(video.pointer.contents)

    def open_upload(
        self, *, token: str, video_id: Optional[str] = None, file_name: Optional[str] = None,
        resume: Optional[str] = None, part_bytes: Optional[int] = None, max_bytes_per_second: Optional[int] = None,
        parallel_parts: Optional[int] = None, stall_timeout: Optional[Duration] = None,
        answer_timeout: Optional[Duration] = None, patience: Optional[Duration] = None,
        progress_interval: Optional[Duration] = None, progress: Optional[Callable[[UploadProgress], object]] = None,
        on_state: Optional[Callable[[str], object]] = None,
    ) -> Upload:
        """Begins to upload what is written to it, such as a recording while it is made; nothing is sent yet.
        Everything is as in upload(). A container must do whose beginning is never changed again: fragmented MP4,
        MPEG-TS, WebM; not plain MP4 or MOV."""
        listener, parameters = _upload_parameters(
            token, video_id, file_name, resume, part_bytes, max_bytes_per_second, parallel_parts, stall_timeout,
            answer_timeout, patience, progress_interval, progress, on_state,
        )
        return Upload(self, listener, parameters)

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


class Upload:
    """An upload of what is written to it: Client.open_upload() makes one. It is one thread's at a time: a call
    meanwhile raises ValueError. Leaving its `with` closes it, finished or not."""

    _owned: Optional[_Owned] = None  # unless it is open

    def __init__(self, client: Client, listener: _Listener, parameters: _UploadParameters) -> None:
        owned = _Owned(c_void_p(), _library.av_upload_free)
        _call(_library.av_upload_begin, client._open(), byref(parameters), byref(owned.pointer))
        self._owned, self._listener = owned, listener
        self._parameters = parameters  # whose userdata is called

    def __enter__(self) -> Upload:
        return self

    def __exit__(
        self, kind: Optional[type[BaseException]], value: Optional[BaseException], where: Optional[TracebackType]
    ) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client, Upload or Cancel cannot be copied or pickled")

    @property
    def offset(self) -> int:
        """How many bytes have been taken, from the very beginning of the upload: what is written next must be
        those from here on. 0 at first; after a resume, what was confirmed before."""
        offset: int = _library.av_upload_offset(self._open().pointer)
        return offset

    def write(
        self, data: Union[bytes, bytearray, memoryview], *, timeout: Optional[Duration] = None,
        cancel: Optional[Cancel] = None, max_attempts: Optional[int] = None,
    ) -> int:
        """Takes the next bytes, and returns how many they are. Once a part is full and another byte follows, it
        is sent, and the call blocks until it is confirmed. After an error offset tells how much was taken: go on
        from there when the network is back, or another day, from the error's upload_state."""
        taken = _bytes("data", data)
        options = _options(timeout, cancel, max_attempts)
        self._listener.call(options, _library.av_upload_write, self._open(), taken, len(taken), byref(options))
        return len(taken)

    def finish(
        self, *, timeout: Optional[Duration] = None, cancel: Optional[Cancel] = None, max_attempts: Optional[int] = None
    ) -> UploadedVideo:
        """Sends what is left as the last part, and completes the video. If it fails, it may be called again."""
        options = _options(timeout, cancel, max_attempts)
        video = _Owned(_UploadedVideoPointer(), _library.av_uploaded_video_free)
        self._listener.call(options, _library.av_upload_finish, self._open(), byref(options), byref(video.pointer))
        return _read_video(video.pointer.contents)

    def close(self) -> None:
        """Sends nothing: of what is unfinished the service keeps what it has for a week, for who goes on from
        its state. Later calls raise ClosedError. It may be called any number of times."""
        self._owned = None  # a call under way frees it

    def _read(
        self, source: Any, timeout: Optional[Duration], cancel: Optional[Cancel], max_attempts: Optional[int]
    ) -> UploadedVideo:
        """Uploads what source gives."""
        before = self.offset
        if hasattr(source, "seekable") and source.seekable():
            source.seek(before)
            before = 0
        limit = math.inf if timeout is None or timeout == math.inf else _milliseconds("timeout", timeout) / 1000
        ends = time.monotonic() + limit

        def options() -> dict[str, Any]:
            left = max(ends - time.monotonic(), 0.001)  # 0 is refused
            return {"timeout": left, "cancel": cancel, "max_attempts": max_attempts}

        while True:
            data = source.read(_READ)
            if data is None:
                raise BlockingIOError("source has nothing to read yet: it must block until it has")
            data = _bytes("what source.read() gives", data)
            if not data:
                return self.finish(**options())
            dropped = min(before, len(data))
            before -= dropped
            self.write(data[dropped:], **options())

    def _open(self) -> _Owned:
        owned = self._owned
        if owned is None:
            raise ClosedError("the upload is closed")
        return owned
