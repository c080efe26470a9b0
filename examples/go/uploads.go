// Uploads: files, readers, and what is written piece by piece.

package apivideo

/*
#include <apivideo.h>
#include <stdint.h>

extern void apivideoGoProgress(uintptr_t calls, av_upload_progress *progress);
extern void apivideoGoState(uintptr_t calls, char *state);

static void take_progress(void *userdata, const av_upload_progress *progress) {
  apivideoGoProgress((uintptr_t)userdata, (av_upload_progress *)progress);
}

static void take_state(void *userdata, const char *state) {
  apivideoGoState((uintptr_t)userdata, (char *)state);
}

// A cgo.Handle is a number: it may look like a pointer in C, but not in Go.
static av_upload_params told_to(const av_upload_params *params, uintptr_t calls, int progress, int state) {
  av_upload_params with = *params;
  with.userdata = (void *)calls;
  if (progress) with.progress_fn = take_progress;
  if (state) with.state_fn = take_state;
  return with;
}

static av_status upload_file(const av_client *client, const char *path, const av_upload_params *params, uintptr_t calls,
                             int progress, int state, const av_request_options *options, av_uploaded_video **out,
                             av_error **error) {
  const av_upload_params with = told_to(params, calls, progress, state);
  return av_upload_file(client, path, &with, options, out, error);
}

static av_status upload_begin(const av_client *client, const av_upload_params *params, uintptr_t calls, int progress,
                              int state, av_upload **out, av_error **error) {
  const av_upload_params with = told_to(params, calls, progress, state);
  return av_upload_begin(client, &with, out, error);
}
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/cgo"
	"sync"
	"time"
	"unsafe"
)

// UploadOptions are how to upload; what is zero is the default.
type UploadOptions struct {
	// VideoID is a video without a file that somebody with a key has made before, as for a private one.
	// "" makes a new video.
	VideoID string
	// FileName becomes the title of a new video. "" is the last item of a file's path, or "video".
	FileName string
	// Resume is what to go on from: Error.UploadState, or the last that State was told.
	Resume string

	// PartBytes is the size of a part, 5 MiB to 200 MiB. 0 is 32 MiB for files, or what it takes, and 8 MiB
	// for what is written.
	PartBytes int64
	// MaxBytesPerSecond is how fast it may go. 0 is no limit.
	MaxBytesPerSecond int64
	// ParallelParts is how many parts are sent at once, by threads of the library, 1 to 16. 0 starts none.
	ParallelParts int

	// StallTimeout takes another connection after so long without a byte that arrives. 0 is 30 seconds.
	// It is counted in milliseconds, as are the next three; each of these but ProgressInterval may be NoLimit.
	StallTimeout time.Duration
	// AnswerTimeout is what the answer to a part may take. 0 is 5 minutes.
	AnswerTimeout time.Duration
	// Patience gives up after so long without a byte that arrives: an outage may last so long. 0 is 5 minutes.
	Patience time.Duration
	// ProgressInterval is how often Progress is told at most. 0 is 250 ms.
	ProgressInterval time.Duration
	// MaxAttempts is how many attempts in a row at one part may fail without getting further. 0 is the
	// client's, or 3.
	MaxAttempts uint32

	// Progress takes how far it has come, and State what to go on from, after each part but the last: keep
	// it, and a crash costs one part. Both are called on the goroutine that made the call, and must not
	// use the Upload they are called by. If one panics, the upload is ended, and the call panics with the
	// same, even if the video is whole by then; what was confirmed is in the last state. runtime.Goexit in one,
	// as by testing.T.Fatal, ends the program.
	Progress func(UploadProgress)
	State    func(state string)
}

// UploadProgress is how far an upload has come.
type UploadProgress struct {
	// BytesConfirmed are in parts that the service has confirmed; it never goes back.
	BytesConfirmed uint64
	// BytesSent have arrived besides, of the parts under way.
	BytesSent uint64
	// BytesTotal is how many there are; 0 is not known.
	BytesTotal uint64
	// BytesRepeated were sent in vain.
	BytesRepeated uint64
	// PartsConfirmed and PartsTotal count parts; a total of 0 is not known.
	PartsConfirmed, PartsTotal uint32
	// Activity is what it is doing.
	Activity UploadActivity
	// Wait is how long it will wait, if it waits to try again or for the rate limit.
	Wait time.Duration
}

// UploadActivity is what an upload is doing. A later version of the library may tell others.
type UploadActivity int32

const (
	UploadSending             UploadActivity = C.AV_UPLOAD_SENDING
	UploadWaitingForAnswer    UploadActivity = C.AV_UPLOAD_WAITING_FOR_ANSWER
	UploadWaitingToRetry      UploadActivity = C.AV_UPLOAD_WAITING_TO_RETRY
	UploadWaitingForRateLimit UploadActivity = C.AV_UPLOAD_WAITING_FOR_RATE_LIMIT
)

// Video is a video that was uploaded. What is "" or zero was not told. Of a private video the addresses
// hold a secret, and so does JSON: as text a Video is its ID and size alone.
type Video struct {
	ID, Title                                           string
	PlayerURL, IframeHTML, HLSURL, MP4URL, ThumbnailURL string
	JSON                                                string // the service's answer
	CreatedAt, PublishedAt                              time.Time
	Public                                              *bool // nil if that was not told
	Bytes                                               uint64
	VideosAbandoned                                     uint32 // unfinished ones that the service drops
}

// String tells which video it is, and no secret.
func (v Video) String() string { return fmt.Sprintf("Video{%s, %d bytes}", v.ID, v.Bytes) }

// GoString is the same.
func (v Video) GoString() string { return v.String() }

// UploadFile uploads the file at path with an upload token. One call makes at most one video that plays,
// whatever the network does; after a failure another goes on from Error.UploadState. Only ctx bounds how
// long it takes.
func (c *Client) UploadFile(ctx context.Context, path, token string, options UploadOptions) (Video, error) {
	text := cStrings{}
	defer text.free()
	params, err := options.toC(&text, token)
	if err != nil {
		return Video{}, err
	}
	cPath, err := text.add("path", path)
	if err != nil {
		return Video{}, err
	}
	calls := newUploadCalls(&options)
	defer calls.handle.Delete()
	var video *C.av_uploaded_video
	defer func() { C.av_uploaded_video_free(video) }()
	err = c.call(ctx, func(request *C.av_request_options, failure **C.av_error) {
		calls.during(request, func() {
			C.upload_file(c.handle, cPath, &params, C.uintptr_t(calls.handle), calls.tellsProgress(), calls.tellsState(),
				request, &video, failure)
		})
	})
	calls.panicAgain()
	if err != nil {
		var failure *Error
		if errors.As(err, &failure) && failure.Status != ErrInvalidArgument && failure.Attempts == 0 && failure.UploadState == "" {
			failure.UploadState = options.Resume // nothing was tried, and it is as it was
		}
		return Video{}, err
	}
	return newVideo(video), nil
}

// Upload uploads all that comes from a reader, while it comes: MPEG-TS, WebM and fragmented MP4 may be sent
// while they are written, plain MP4 may not. The reader stands at the beginning of the film. To go on from
// UploadOptions.Resume, what was confirmed is sought over, or read and dropped. What the reader fails with
// is told as ErrSource, and errors.Is finds it. A Read that blocks is not interrupted: ctx ends the upload
// after it.
func (c *Client) Upload(ctx context.Context, from io.Reader, token string, options UploadOptions) (Video, error) {
	upload, err := c.BeginUpload(token, options)
	if err != nil {
		return Video{}, err
	}
	defer upload.Close()
	confirmed := upload.Offset() // what is still to be passed over
	if seeker, ok := from.(io.Seeker); ok && confirmed > 0 {
		if _, err := seeker.Seek(int64(confirmed), io.SeekCurrent); err == nil {
			confirmed = 0 // what is not there shows as an end
		}
	}
	some := make([]byte, 256*1024)
	for {
		if err := ctx.Err(); err != nil {
			return Video{}, upload.tellWhatIsThere(newContextError(err))
		}
		count, err := from.Read(some)
		fresh := some[:count]
		if uint64(count) < confirmed {
			fresh = nil
			confirmed -= uint64(count)
		} else {
			fresh = fresh[confirmed:]
			confirmed = 0
		}
		if _, err := upload.WriteContext(ctx, fresh); err != nil {
			return Video{}, err
		}
		switch {
		case err == io.EOF && confirmed > 0:
			return Video{}, upload.sourceError(io.ErrUnexpectedEOF)
		case err == io.EOF:
			return upload.Finish(ctx)
		case err != nil:
			return Video{}, upload.sourceError(err)
		}
	}
}

// Upload is an upload of what is made meanwhile, such as a recording: an io.Writer that Finish completes.
// It is one goroutine's at a time: a call meanwhile is ErrInvalidArgument. It outlives Client.Close.
type Upload struct {
	client  *Client // which it has entered, until it is freed
	calls   *uploadCalls
	outcome Outcome // what is known of the video

	mutex            sync.Mutex
	handle           *C.av_upload
	isBusy, isClosed bool
}

// BeginUpload begins to upload what is passed to Upload.Write. Nothing is sent yet. To go on from
// UploadOptions.Resume, write from Upload.Offset on.
func (c *Client) BeginUpload(token string, options UploadOptions) (*Upload, error) {
	text := cStrings{}
	defer text.free()
	params, err := options.toC(&text, token)
	if err != nil {
		return nil, err
	}
	if err := c.enter(); err != nil {
		return nil, err
	}
	upload := &Upload{client: c, calls: newUploadCalls(&options), outcome: OutcomeNotApplied}
	if options.Resume != "" {
		upload.outcome = OutcomeUnknown // all but the answer may have been there before
	}
	var failure *C.av_error
	C.upload_begin(c.handle, &params, C.uintptr_t(upload.calls.handle), upload.calls.tellsProgress(),
		upload.calls.tellsState(), &upload.handle, &failure)
	if failure != nil {
		upload.free()
		return nil, newError(failure)
	}
	runtime.SetFinalizer(upload, (*Upload).Close)
	return upload, nil
}

// Write is WriteContext without an end.
func (u *Upload) Write(bytes []byte) (int, error) { return u.WriteContext(context.Background(), bytes) }

// WriteContext takes the next bytes. Once a part is full and another byte follows, it is sent; unless
// parts go at once, the call blocks until it is confirmed. It returns how many bytes were taken: after an
// error, write on behind those, or go on from Error.UploadState another day.
func (u *Upload) WriteContext(ctx context.Context, bytes []byte) (int, error) {
	var taken uint64
	err := u.call(ctx, func(request *C.av_request_options, failure **C.av_error) {
		before := C.av_upload_offset(u.handle)
		if len(bytes) == 0 {
			C.av_upload_write(u.handle, nil, 0, request, failure)
		} else {
			// The address is taken in the very argument: cgo then looks for pointers in these bytes alone, and
			// not in all that they may be a member of.
			C.av_upload_write(u.handle, unsafe.Pointer(&bytes[0]), C.size_t(len(bytes)), request, failure)
		}
		taken = uint64(C.av_upload_offset(u.handle) - before)
	})
	return int(taken), err
}

// Finish sends what is left as the last part, and tells the video. If it fails, it may be called again.
func (u *Upload) Finish(ctx context.Context) (Video, error) {
	var video *C.av_uploaded_video
	defer func() { C.av_uploaded_video_free(video) }()
	err := u.call(ctx, func(request *C.av_request_options, failure **C.av_error) {
		C.av_upload_finish(u.handle, request, &video, failure)
	})
	if err != nil {
		return Video{}, err
	}
	return newVideo(video), nil
}

// Offset is how many bytes have been taken, from the very beginning: where to write on. It is 0 after Close.
func (u *Upload) Offset() uint64 {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	return uint64(C.av_upload_offset(u.handle))
}

// State is what another upload can go on from; "" if there is nothing, during a call and after Close.
func (u *Upload) State() string {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	if u.isBusy {
		return "" // the call that begins takes back what the library has handed out
	}
	return C.GoString(C.av_upload_state(u.handle))
}

// Close frees the upload, finished or not, without waiting: of an unfinished one what is confirmed is kept by
// the service for a week. A call under way goes on. The error is always nil.
func (u *Upload) Close() error {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	wasClosed := u.isClosed
	u.isClosed = true
	if !wasClosed && !u.isBusy {
		u.free()
	}
	return nil
}

func (u *Upload) free() {
	runtime.SetFinalizer(u, nil)
	C.av_upload_free(u.handle)
	u.handle = nil
	u.calls.handle.Delete()
	u.client.leave()
}

// call makes a call with the handle, which no other one uses meanwhile, and which is not freed. It panics with
// what a callback has panicked with.
func (u *Upload) call(ctx context.Context, do func(*C.av_request_options, **C.av_error)) error {
	u.mutex.Lock()
	isBusy, isClosed := u.isBusy, u.isClosed
	u.isBusy = true
	u.mutex.Unlock()
	if isBusy {
		return newInvalidArgument("the upload is in use by another call")
	}
	defer u.endCall(isClosed)
	if isClosed {
		return notBegun(ErrInvalidArgument, "the upload is closed", ErrClosed)
	}
	begun := false
	err := callUntilDone(ctx, func(request *C.av_request_options, failure **C.av_error) {
		begun = true
		u.calls.during(request, func() { do(request, failure) })
	})
	var failure *Error
	if errors.As(err, &failure) {
		if begun {
			u.outcome = failure.Outcome
		} else {
			u.tellWhatIsThere(failure)
		}
	}
	u.calls.panicAgain()
	return err
}

func (u *Upload) endCall(wasClosed bool) {
	u.mutex.Lock()
	defer u.mutex.Unlock()
	u.isBusy = false
	if u.isClosed && !wasClosed {
		u.free()
	}
}

// tellWhatIsThere completes an error that the library was not asked for.
func (u *Upload) tellWhatIsThere(failure *Error) *Error {
	failure.Outcome = u.outcome
	failure.UploadState = C.GoString(C.av_upload_state(u.handle))
	return failure
}

// sourceError tells that the source of an upload has failed.
func (u *Upload) sourceError(cause error) *Error {
	return u.tellWhatIsThere(&Error{
		Status:     ErrSource,
		Message:    "what is uploaded cannot be read: " + cause.Error(),
		RetryAfter: -1,
		cause:      cause,
	})
}

// toC is how the library is told of them; the strings are freed with text.
func (o *UploadOptions) toC(text *cStrings, token string) (C.av_upload_params, error) {
	params := C.av_upload_params{struct_size: C.sizeof_av_upload_params}
	for _, member := range []struct {
		name, value string
		to          **C.char
	}{
		{"token", token, &params.token},
		{"VideoID", o.VideoID, &params.video_id},
		{"FileName", o.FileName, &params.file_name},
		{"Resume", o.Resume, &params.resume},
	} {
		if member.value == "" && member.name != "token" {
			continue // NULL, the default
		}
		value, err := text.add(member.name, member.value)
		if err != nil {
			return params, err
		}
		*member.to = value
	}
	for _, member := range []struct {
		name  string
		value int64
		to    *C.uint64_t
	}{
		{"PartBytes", o.PartBytes, &params.part_bytes},
		{"MaxBytesPerSecond", o.MaxBytesPerSecond, &params.max_bytes_per_second},
	} {
		if member.value < 0 {
			return params, newInvalidArgument(fmt.Sprintf("%s is %d, and must not be negative", member.name, member.value))
		}
		*member.to = C.uint64_t(member.value)
	}
	if o.ParallelParts < 0 || o.ParallelParts > 16 {
		return params, newInvalidArgument(fmt.Sprintf("ParallelParts is %d, and must be from 0 to 16", o.ParallelParts))
	}
	params.parallel_parts = C.uint32_t(o.ParallelParts)
	if o.ProgressInterval == NoLimit {
		return params, newInvalidArgument("ProgressInterval must not be NoLimit")
	}
	for _, member := range []struct {
		name  string
		value time.Duration
		to    *C.uint32_t
	}{
		{"StallTimeout", o.StallTimeout, &params.stall_timeout_ms},
		{"AnswerTimeout", o.AnswerTimeout, &params.answer_timeout_ms},
		{"Patience", o.Patience, &params.patience_ms},
		{"ProgressInterval", o.ProgressInterval, &params.progress_interval_ms},
	} {
		var err error
		if *member.to, err = limitMilliseconds(member.name, member.value); err != nil {
			return params, err
		}
	}
	return params, nil
}

func newVideo(video *C.av_uploaded_video) Video {
	result := Video{
		ID:              C.GoString(video.video_id),
		Title:           C.GoString(video.title),
		PlayerURL:       C.GoString(video.player_url),
		IframeHTML:      C.GoString(video.iframe_html),
		HLSURL:          C.GoString(video.hls_url),
		MP4URL:          C.GoString(video.mp4_url),
		ThumbnailURL:    C.GoString(video.thumbnail_url),
		JSON:            C.GoString(video.json),
		CreatedAt:       newTime(video.created_at),
		PublishedAt:     newTime(video.published_at),
		Bytes:           uint64(video.bytes),
		VideosAbandoned: uint32(video.videos_abandoned),
	}
	if video.is_public >= 0 {
		isPublic := video.is_public != 0
		result.Public = &isPublic
	}
	return result
}

// uploadCalls are an upload's callbacks, and what became of the one that panicked. C has its handle.
type uploadCalls struct {
	progress func(UploadProgress)
	state    func(string)
	attempts C.uint32_t
	handle   cgo.Handle

	// During a call: what ends it.
	cancel   *C.av_cancel
	panicked bool
	reason   any
}

func newUploadCalls(options *UploadOptions) *uploadCalls {
	calls := &uploadCalls{progress: options.Progress, state: options.State, attempts: C.uint32_t(options.MaxAttempts)}
	calls.handle = cgo.NewHandle(calls)
	return calls
}

func (c *uploadCalls) tellsProgress() C.int { return cBool(c.progress != nil) }
func (c *uploadCalls) tellsState() C.int    { return cBool(c.state != nil) }

func cBool(is bool) C.int {
	if is {
		return 1
	}
	return 0
}

// during has do make a call that a callback which panics can end.
func (c *uploadCalls) during(request *C.av_request_options, do func()) {
	request.max_attempts = c.attempts
	if request.cancel == nil {
		request.cancel = C.av_cancel_new()
		defer C.av_cancel_free(request.cancel)
	}
	c.cancel = request.cancel
	do()
	c.cancel = nil
}

// panicAgain is for after a call: what a callback has panicked with goes on from there.
func (c *uploadCalls) panicAgain() {
	if c.panicked {
		reason := c.reason
		c.panicked, c.reason = false, nil
		panic(reason)
	}
}

// run makes a callback of the caller's. What it panics with is kept: it must not pass through the library's
// frames. Nor must runtime.Goexit, which nothing can keep: raised on a goroutine of its own, it ends the program.
func (c *uploadCalls) run(callback func()) {
	if c.panicked {
		return
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		reason := recover()
		if reason == nil {
			go panic(errors.New("apivideo: a callback of an upload called runtime.Goexit"))
			select {}
		}
		c.panicked, c.reason = true, reason
		C.av_cancel_trigger(c.cancel)
	}()
	callback()
	returned = true
}
