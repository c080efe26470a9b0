// What went wrong: Error, its Status and its Outcome.

package apivideo

// #include <apivideo.h>
import "C"

import (
	"context"
	"errors"
	"time"
	"unsafe"
)

// Status is what became of a call that failed, as an error to compare with, in the way of
// syscall.Errno: errors.Is(err, apivideo.ErrNotFound). A later version of the library may tell others
// than those below: treat them as a failure in general.
type Status int32

const (
	// ErrInvalidArgument: a parameter is malformed or out of range. Nothing was sent.
	ErrInvalidArgument Status = C.AV_STATUS_INVALID_ARGUMENT
	// ErrConnect: no connection could be made. Nothing was sent.
	ErrConnect Status = C.AV_STATUS_CONNECT
	// ErrTLS: the server's certificate was refused, or no TLS could be agreed on. Nothing was sent.
	ErrTLS Status = C.AV_STATUS_TLS
	// ErrTransport: the connection broke during the exchange.
	ErrTransport Status = C.AV_STATUS_TRANSPORT
	// ErrTimeout: the time ran out. If it was that of the context, errors.Is tells
	// context.DeadlineExceeded too.
	ErrTimeout Status = C.AV_STATUS_TIMEOUT
	// ErrCancelled: the context was cancelled; errors.Is tells context.Canceled too.
	ErrCancelled Status = C.AV_STATUS_CANCELLED
	// ErrUnauthorized: HTTP 401 or 403: the credential is wrong, or for the other environment.
	ErrUnauthorized Status = C.AV_STATUS_UNAUTHORIZED
	// ErrNotFound: HTTP 404: there is no such token; it may have expired or been deleted.
	ErrNotFound Status = C.AV_STATUS_NOT_FOUND
	// ErrRejected: any other HTTP 4xx: Error.Problems tell why.
	ErrRejected Status = C.AV_STATUS_REJECTED
	// ErrRateLimited: HTTP 429: Error.RetryAfter tells how long to wait.
	ErrRateLimited Status = C.AV_STATUS_RATE_LIMITED
	// ErrServer: HTTP 5xx: the service failed.
	ErrServer Status = C.AV_STATUS_SERVER
	// ErrDecode: an answer that the API does not promise.
	ErrDecode Status = C.AV_STATUS_DECODE
	// ErrInternal: a bug of the library, contained.
	ErrInternal Status = C.AV_STATUS_INTERNAL
	// ErrSource: the file of an upload cannot be read, has changed, or is another one.
	ErrSource Status = C.AV_STATUS_SOURCE
)

// Error is the name of the status, such as "AV_STATUS_NOT_FOUND".
func (s Status) Error() string {
	return C.GoString(C.av_status_name(C.av_status(s)))
}

// ErrClosed tells of a call with a client that was closed. Its status is ErrInvalidArgument.
var ErrClosed = errors.New("the client is closed")

// Outcome is what is known of the effect of a call that failed.
type Outcome int32

const (
	// OutcomeUnknown: nobody here can tell whether the service has done what was asked. Look before
	// you repeat a CreateToken.
	OutcomeUnknown Outcome = C.AV_OUTCOME_UNKNOWN
	// OutcomeNotApplied: the service has not done what was asked. Reads are always told as this.
	OutcomeNotApplied Outcome = C.AV_OUTCOME_NOT_APPLIED
	// OutcomeApplied: the service has done what was asked, but its answer was lost.
	OutcomeApplied Outcome = C.AV_OUTCOME_APPLIED
)

// String is the name of the outcome, such as "AV_OUTCOME_APPLIED".
func (o Outcome) String() string {
	return C.GoString(C.av_outcome_name(C.int32_t(o)))
}

// Error is what went wrong with one call: every error of this package is one.
type Error struct {
	// Status tells what kind of failure it is; errors.Is compares with it.
	Status Status
	// Outcome tells what may have happened to the service.
	Outcome Outcome
	// Message is one line for a person. It holds no credential and no whole token.
	Message string
	// Retryable: the cause is temporary, and repeating the call cannot do anything twice.
	Retryable bool
	// RetryAfter is how long to wait before the next try; negative if that is not known.
	RetryAfter time.Duration
	// Attempts is how many times the request was tried.
	Attempts uint32
	// HTTPStatus is the status of the answer, 0 if there was none.
	HTTPStatus int
	// Problem is what the service says of the whole, Problems of each parameter.
	Problem  Problem
	Problems []Problem
	// Body is the body of the answer, at most its first 65536 bytes. After an ErrDecode of a
	// CreateToken it may hold the new token, which is a secret; and of an upload the addresses of a private
	// video, which hold one.
	Body []byte
	// UploadState is what an upload that failed can go on from, for UploadOptions.Resume; "" if there is
	// nothing. UploadVideoID is the unfinished video, if one is known.
	UploadState, UploadVideoID string

	cause error
}

// Problem is what the service says is wrong; "" is what it does not say.
type Problem struct {
	// Type is a URI whose form has changed over the years: compare Error.Status instead.
	Type string
	// Title and Detail are the service's own words, in English.
	Title, Detail string
	// Name is the service's name of the parameter that it is about.
	Name string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// Is tells whether target is the status of e.
func (e *Error) Is(target error) bool { return target == error(e.Status) }

// Unwrap is context.Canceled, context.DeadlineExceeded, ErrClosed, the error of a reader that was uploaded,
// or nil.
func (e *Error) Unwrap() error { return e.cause }

// newError copies an error of the library and frees it.
func newError(failure *C.av_error) *Error {
	defer C.av_error_free(failure)
	err := &Error{
		Status:     Status(C.av_error_status(failure)),
		Outcome:    Outcome(C.av_error_outcome(failure)),
		Message:    C.GoString(C.av_error_message(failure)),
		Retryable:  C.av_error_is_retryable(failure) != 0,
		RetryAfter: -1,
		Attempts:   uint32(C.av_error_attempts(failure)),
		HTTPStatus: int(C.av_error_http_status(failure)),
		Problem: Problem{
			Type:   C.GoString(C.av_error_problem_type(failure)),
			Title:  C.GoString(C.av_error_problem_title(failure)),
			Detail: C.GoString(C.av_error_problem_detail(failure)),
			Name:   C.GoString(C.av_error_problem_name(failure)),
		},
	}
	err.UploadState = C.GoString(C.av_error_upload_state(failure))
	err.UploadVideoID = C.GoString(C.av_error_upload_video_id(failure))
	if wait := C.av_error_retry_after_ms(failure); wait >= 0 {
		err.RetryAfter = time.Duration(wait) * time.Millisecond
	}
	for i := C.size_t(0); i < C.av_error_problem_count(failure); i++ {
		err.Problems = append(err.Problems, Problem{
			Type:   C.GoString(C.av_error_problem_type_at(failure, i)),
			Title:  C.GoString(C.av_error_problem_title_at(failure, i)),
			Detail: C.GoString(C.av_error_problem_detail_at(failure, i)),
			Name:   C.GoString(C.av_error_problem_name_at(failure, i)),
		})
	}
	var length C.size_t
	if body := C.av_error_body(failure, &length); body != nil {
		err.Body = C.GoBytes(unsafe.Pointer(body), C.int(length))
	}
	return err
}

// notBegun is the error of a call that the library was not asked for.
func notBegun(status Status, message string, cause error) *Error {
	return &Error{
		Status:     status,
		Outcome:    OutcomeNotApplied,
		Message:    message + "; nothing was sent",
		RetryAfter: -1,
		cause:      cause,
	}
}

func newInvalidArgument(message string) *Error {
	return notBegun(ErrInvalidArgument, "invalid argument: "+message, nil)
}

func newClosedError() *Error {
	return notBegun(ErrInvalidArgument, ErrClosed.Error(), ErrClosed)
}

// newContextError tells of a context that was done before the call began.
func newContextError(cause error) *Error {
	status := ErrCancelled
	if errors.Is(cause, context.DeadlineExceeded) {
		status = ErrTimeout
	}
	return notBegun(status, cause.Error(), cause)
}
