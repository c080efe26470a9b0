// Package apivideo makes, looks up, lists and revokes api.video upload tokens, and uploads with them:
// libapivideo for Go.
//
// Every call takes a context: cancelling it, or its deadline, ends the call in whatever it is doing.
// Every error is an *Error, which tells what may have happened to the service:
//
//	token, err := client.CreateToken(ctx, time.Hour)
//	if errors.Is(err, apivideo.ErrUnauthorized) { … }
package apivideo

/*
#include <apivideo.h>
#include <stdlib.h>

extern void apivideoGoTrace(uintptr_t trace, int32_t level, char *line);

static void take_trace(void *userdata, int32_t level, const char *line) {
  apivideoGoTrace((uintptr_t)userdata, level, (char *)line);
}

// A cgo.Handle is a number: it may look like a pointer in C, but not in Go.
static av_status client_new(const av_client_config *config, uintptr_t trace, av_client **out, av_error **error) {
  av_client_config with_trace = *config;
  if (trace != 0) {
    with_trace.trace_fn = take_trace;
    with_trace.trace_userdata = (void *)trace;
  }
  return av_client_new(&with_trace, out, error);
}
*/
import "C"

import (
	"context"
	"fmt"
	"math"
	"runtime/cgo"
	"strings"
	"sync"
	"time"
	"unsafe"
)

const (
	// ProductionURL is the production service, the default of Config.BaseURL.
	ProductionURL = C.APIVIDEO_PRODUCTION_URL
	// SandboxURL is the sandbox: free, with keys of its own.
	SandboxURL = C.APIVIDEO_SANDBOX_URL
	// NoLimit, in a member of Config, takes a limit of time away.
	NoLimit time.Duration = -1
)

// Config is what a client is made from. One of APIKey, AccessToken and NoCredential is needed; every other member
// has a default, which its zero value stands for.
type Config struct {
	// APIKey is the account's API key.
	APIKey string
	// AccessToken is an access token got from the service by other means, in place of APIKey.
	AccessToken string
	// BaseURL is where the service is; "" is ProductionURL.
	BaseURL string
	// NoCredential makes a client that knows no key on purpose: it can only upload, with tokens that
	// somebody with a key has made. Without it a missing key is an error.
	NoCredential bool
	// AllowPlainHTTP allows a BaseURL of http:// to another machine, over which the credential
	// travels in the clear.
	AllowPlainHTTP bool

	// AppName and AppVersion tell the service of your application, SDKName and SDKVersion of a
	// library of yours over this one: names of 1 to 50 of A-Z a-z 0-9 - _, versions such as 1.20.3.
	AppName, AppVersion, SDKName, SDKVersion string

	// CAFile is a PEM file of certificate authorities that replaces the system's.
	CAFile string
	// ProxyURL is the proxy to go through: http://, socks5:// or socks5h://. "" is what the
	// environment says (HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY).
	ProxyURL string
	// NoProxy goes through none, whatever the environment says.
	NoProxy bool

	// Timeout is what a call may take whose context has no deadline: every attempt and every wait
	// between them included. 0 is 30 seconds. It is counted in milliseconds and at most 49 days, as
	// are the next two; each may be NoLimit.
	Timeout time.Duration
	// ConnectTimeout is what name lookup, TCP, proxy and TLS of one attempt may take. 0 is 10 seconds.
	ConnectTimeout time.Duration
	// AttemptTimeout is what one attempt of a get, list or delete may take while another is allowed.
	// 0 is 10 seconds.
	AttemptTimeout time.Duration
	// MaxAttempts is how many times a request may be tried in all. 0 is 3, 1 is never again.
	MaxAttempts uint32

	// Trace takes the lines of the trace up to TraceLevel, on the goroutine that made the call. It
	// may be called by many goroutines at once. A panic in it ends the program.
	Trace func(level TraceLevel, line string)
	// TraceLevel is how much is traced.
	TraceLevel TraceLevel
}

// TraceLevel is how much Config.Trace is told.
type TraceLevel int32

const (
	TraceOff   TraceLevel = C.AV_TRACE_OFF   // nothing
	TraceError TraceLevel = C.AV_TRACE_ERROR // failed attempts
	TraceInfo  TraceLevel = C.AV_TRACE_INFO  // every attempt
	TraceDebug TraceLevel = C.AV_TRACE_DEBUG // every attempt and its steps
)

// Client is one credential, one service, and the connections to it. Any number of goroutines may call
// through one client at once; a program rarely needs two. A call in progress keeps one thread of the
// system busy.
type Client struct {
	handle *C.av_client
	trace  cgo.Handle // 0 if there is none

	mutex  sync.Mutex
	isOpen bool
	users  int // what needs handle: the open client itself, calls under way, iterators, and uploads
}

// New makes a client. Nothing is sent, so that a wrong key shows with the first call.
func New(config Config) (*Client, error) {
	c := C.av_client_config{struct_size: C.sizeof_av_client_config}
	text := cStrings{}
	defer text.free()
	for _, member := range []struct {
		name  string
		value string
		to    **C.char
	}{
		{"APIKey", config.APIKey, &c.api_key},
		{"AccessToken", config.AccessToken, &c.access_token},
		{"BaseURL", config.BaseURL, &c.base_url},
		{"AppName", config.AppName, &c.app_name},
		{"AppVersion", config.AppVersion, &c.app_version},
		{"SDKName", config.SDKName, &c.sdk_name},
		{"SDKVersion", config.SDKVersion, &c.sdk_version},
		{"CAFile", config.CAFile, &c.ca_file},
		{"ProxyURL", config.ProxyURL, &c.proxy_url},
	} {
		if member.value == "" {
			continue // NULL, the default
		}
		value, err := text.add(member.name, member.value)
		if err != nil {
			return nil, err
		}
		*member.to = value
	}
	if config.NoProxy {
		if config.ProxyURL != "" {
			return nil, newInvalidArgument("ProxyURL and NoProxy exclude each other")
		}
		c.proxy_url, _ = text.add("ProxyURL", "")
	}
	for _, member := range []struct {
		name  string
		value time.Duration
		to    *C.uint32_t
	}{
		{"Timeout", config.Timeout, &c.timeout_ms},
		{"ConnectTimeout", config.ConnectTimeout, &c.connect_timeout_ms},
		{"AttemptTimeout", config.AttemptTimeout, &c.attempt_timeout_ms},
	} {
		var err error
		if *member.to, err = limitMilliseconds(member.name, member.value); err != nil {
			return nil, err
		}
	}
	c.max_attempts = C.uint32_t(config.MaxAttempts)
	c.trace_level = C.int32_t(config.TraceLevel)
	if config.AllowPlainHTTP {
		c.flags |= C.AV_CLIENT_ALLOW_PLAIN_HTTP
	}
	if config.NoCredential {
		c.flags |= C.AV_CLIENT_NO_CREDENTIAL
	}

	client := &Client{isOpen: true, users: 1}
	if config.Trace != nil {
		client.trace = cgo.NewHandle(config.Trace)
	}
	var failure *C.av_error
	if C.client_new(&c, C.uintptr_t(client.trace), &client.handle, &failure) != C.AV_STATUS_OK {
		client.free()
		return nil, newError(failure)
	}
	return client, nil
}

// Close ends the client: no call begins any more, with it or with its iterators, and ErrClosed is
// told instead. Calls and uploads under way go on; the last of them, or the last iterator, closes the
// connections.
// Closing twice does no harm. The error is always nil.
func (c *Client) Close() error {
	c.mutex.Lock()
	wasOpen := c.isOpen
	c.isOpen = false
	c.mutex.Unlock()
	if wasOpen {
		c.leave()
	}
	return nil
}

// enter keeps the handle from being freed until leave.
func (c *Client) enter() error {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.isOpen {
		return newClosedError()
	}
	c.users++
	return nil
}

func (c *Client) leave() {
	c.mutex.Lock()
	c.users--
	isLast := c.users == 0
	c.mutex.Unlock()
	if isLast {
		c.free()
	}
}

func (c *Client) free() {
	C.av_client_free(c.handle)
	if c.trace != 0 {
		c.trace.Delete()
	}
}

// call makes one call of the library, which ends when ctx does.
func (c *Client) call(ctx context.Context, do func(*C.av_request_options, **C.av_error)) error {
	if err := c.enter(); err != nil {
		return err
	}
	defer c.leave()
	return callUntilDone(ctx, do)
}

// callUntilDone makes one call of the library, with what stays open meanwhile; it ends when ctx does.
func callUntilDone(ctx context.Context, do func(*C.av_request_options, **C.av_error)) error {
	if err := ctx.Err(); err != nil {
		return newContextError(err)
	}
	options := C.av_request_options{struct_size: C.sizeof_av_request_options}
	deadline, hasDeadline := ctx.Deadline()
	if hasDeadline {
		left := time.Until(deadline)
		if left <= 0 {
			return newContextError(context.DeadlineExceeded)
		}
		options.timeout_ms = milliseconds(left)
	}
	if ctx.Done() != nil {
		options.cancel = C.av_cancel_new()
		defer C.av_cancel_free(options.cancel)
		stop := watch(ctx, options.cancel)
		defer stop()
	}

	var failure *C.av_error
	do(&options, &failure)
	if failure == nil {
		return nil
	}
	err := newError(failure)
	switch {
	case err.Status == ErrCancelled:
		err.cause = ctx.Err()
	case err.Status == ErrTimeout && hasDeadline && time.Until(deadline) <= 0:
		err.cause = context.DeadlineExceeded
	}
	return err
}

// watch triggers cancel when ctx is done, unless that is by its deadline, which the library keeps by
// itself. After stop nothing triggers it any more, and it may be freed.
func watch(ctx context.Context, cancel *C.av_cancel) (stop func()) {
	_, hasDeadline := ctx.Deadline()
	callEnded, watchEnded := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watchEnded)
		select {
		case <-ctx.Done():
			if !hasDeadline || ctx.Err() != context.DeadlineExceeded {
				C.av_cancel_trigger(cancel)
			}
		case <-callEnded:
		}
	}()
	return func() {
		close(callEnded)
		<-watchEnded
	}
}

// limitMilliseconds is a limit of time as the library takes it; 0 is the default.
func limitMilliseconds(name string, value time.Duration) (C.uint32_t, error) {
	switch {
	case value == NoLimit:
		return math.MaxUint32, nil
	case value < 0 || value > longestLimit:
		return 0, newInvalidArgument(fmt.Sprintf("%s is %v, and must be NoLimit or from 0 to %v", name, value, longestLimit))
	}
	return milliseconds(value), nil
}

// longestLimit is the longest time that the library takes for one, about 49 days.
const longestLimit = (math.MaxUint32 - 1) * time.Millisecond

// milliseconds rounds up: when the library's time is over, so is that of a context.
func milliseconds(duration time.Duration) C.uint32_t {
	if duration > longestLimit {
		duration = longestLimit
	}
	milliseconds := duration / time.Millisecond
	if duration%time.Millisecond != 0 {
		milliseconds++
	}
	return C.uint32_t(milliseconds)
}

// cStrings are strings in C's memory, which are freed together.
type cStrings []unsafe.Pointer

// add copies value, which must not hold a NUL: in C that would end it.
func (s *cStrings) add(name, value string) (*C.char, error) {
	if strings.IndexByte(value, 0) >= 0 {
		return nil, newInvalidArgument(name + " holds a NUL character")
	}
	c := C.CString(value)
	*s = append(*s, unsafe.Pointer(c))
	return c, nil
}

func (s *cStrings) free() {
	for _, c := range *s {
		C.free(c)
	}
}
