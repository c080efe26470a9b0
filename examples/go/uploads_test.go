// The tests of uploads, against the stand-in service, whose ledger tells what arrived.

package apivideo_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/apivideo"
)

const (
	mebibyte     = 1 << 20
	smallestPart = 5 * mebibyte
)

// device is a client that knows no key, and a token for it.
func device(t *testing.T) (*apivideo.Client, string) {
	t.Helper()
	token := create(t, quickClient(t), time.Hour)
	client, err := apivideo.New(apivideo.Config{BaseURL: quickURL(t), NoProxy: true, NoCredential: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client, token.ID
}

// film is so many bytes that are never the same in another place, or of another film.
func film(length int) []byte {
	data := make([]byte, length)
	rand.New(rand.NewSource(time.Now().UnixNano())).Read(data)
	return data
}

func fileOf(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "film.mp4")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

type storedPart struct{ Part, Bytes, Received int }

type storedVideo struct {
	VideoID, Title, SHA256 string
	Whole                  bool
	Parts                  []storedPart
}

// stored is what the service has of a video.
func stored(t *testing.T, id string) storedVideo {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport}).Get(quickURL(t) + "/local-api/ledger")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var ledger struct {
		Uploads struct{ Videos []storedVideo }
	}
	if err := json.NewDecoder(answer.Body).Decode(&ledger); err != nil {
		t.Fatal(err)
	}
	for _, video := range ledger.Uploads.Videos {
		if video.VideoID == id {
			return video
		}
	}
	t.Fatalf("the service has no video %q", id)
	return storedVideo{}
}

// isWhole checks that the service has all of data, and each part of it once.
func isWhole(t *testing.T, video apivideo.Video, data []byte) storedVideo {
	t.Helper()
	has := stored(t, video.ID)
	digest := sha256.Sum256(data)
	if !has.Whole || has.SHA256 != hex.EncodeToString(digest[:]) || video.Bytes != uint64(len(data)) {
		t.Fatalf("%v is %+v", video, has)
	}
	for _, part := range has.Parts {
		if part.Received != 1 {
			t.Errorf("part %d was sent %d times", part.Part, part.Received)
		}
	}
	return has
}

func TestAFileIsUploadedByADeviceThatKnowsNoKey(t *testing.T) {
	client, token := device(t)
	data := film(1000)
	video, err := client.UploadFile(background, fileOf(t, data), token, apivideo.UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
	if video.Title != "film.mp4" || video.PlayerURL == "" || video.JSON == "" || video.CreatedAt.IsZero() || video.Public == nil || !*video.Public {
		t.Errorf("%#v", video)
	}
	_, err = client.ListTokens(background, apivideo.ListParams{})
	failed(t, err, apivideo.ErrInvalidArgument)
}

func TestAMissingKeyIsAnErrorUnlessItIsMissingOnPurpose(t *testing.T) {
	_, err := apivideo.New(apivideo.Config{BaseURL: quickURL(t)})
	failed(t, err, apivideo.ErrInvalidArgument)
}

func TestPartsGoSideBySideAndWhatIsToldOfThemEndsWithAll(t *testing.T) {
	client, token := device(t)
	data := film(4*smallestPart + 1000)
	var told []apivideo.UploadProgress
	var states []string
	video, err := client.UploadFile(background, fileOf(t, data), token, apivideo.UploadOptions{
		FileName:      "A film",
		PartBytes:     smallestPart,
		ParallelParts: 3,
		Progress:      func(progress apivideo.UploadProgress) { told = append(told, progress) },
		State:         func(state string) { states = append(states, state) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if has := isWhole(t, video, data); has.Title != "A film" || len(has.Parts) != 5 {
		t.Errorf("%+v", has)
	}
	for i := 1; i < len(told); i++ {
		if told[i].BytesConfirmed < told[i-1].BytesConfirmed {
			t.Fatalf("went back from %+v to %+v", told[i-1], told[i])
		}
	}
	last := told[len(told)-1]
	want := apivideo.UploadProgress{BytesConfirmed: uint64(len(data)), BytesTotal: uint64(len(data)), PartsConfirmed: 5, PartsTotal: 5}
	if last != want {
		t.Errorf("%+v", last)
	}
	if len(states) != 4 {
		t.Errorf("%d states", len(states))
	}
}

func TestAReaderIsUploadedWhileItIsRead(t *testing.T) {
	client, token := device(t)
	for _, parallel := range []int{0, 2} {
		data := film(3*smallestPart + 1)
		options := apivideo.UploadOptions{PartBytes: smallestPart, ParallelParts: parallel, FileName: "live.ts"}
		// Read in pieces that fit nowhere, and with an end that comes with the last of them.
		from := iotest.DataErrReader(io.LimitReader(bytes.NewReader(data), int64(len(data))))
		video, err := client.Upload(background, from, token, options)
		if err != nil {
			t.Fatal(err)
		}
		if has := isWhole(t, video, data); has.Title != "live.ts" || len(has.Parts) != 4 {
			t.Errorf("%+v", has)
		}
	}
}

func TestAnEmptyReaderIsAnError(t *testing.T) {
	client, token := device(t)
	_, err := client.Upload(background, strings.NewReader(""), token, apivideo.UploadOptions{})
	failed(t, err, apivideo.ErrInvalidArgument)
}

// interrupted uploads data until its second part is under way, and returns how that ended.
func interrupted(t *testing.T, upload func(context.Context, apivideo.UploadOptions) error, options apivideo.UploadOptions) *apivideo.Error {
	t.Helper()
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	options.PartBytes = smallestPart
	options.MaxBytesPerSecond = 20 * mebibyte
	options.ProgressInterval = time.Millisecond
	options.Progress = func(progress apivideo.UploadProgress) {
		if progress.BytesConfirmed >= smallestPart && progress.BytesSent > 0 {
			cancel()
		}
	}
	failure := failed(t, upload(ctx, options), apivideo.ErrCancelled)
	if !errors.Is(failure, context.Canceled) || failure.Outcome != apivideo.OutcomeNotApplied {
		t.Errorf("%+v", failure)
	}
	if failure.UploadState == "" || failure.UploadVideoID == "" {
		t.Fatalf("nothing to go on from: %+v", failure)
	}
	return failure
}

func TestAFileThatWasCancelledGoesOnWhereItWas(t *testing.T) {
	client, token := device(t)
	data := film(3 * smallestPart)
	path := fileOf(t, data)
	failure := interrupted(t, func(ctx context.Context, options apivideo.UploadOptions) error {
		_, err := client.UploadFile(ctx, path, token, options)
		return err
	}, apivideo.UploadOptions{})
	video, err := client.UploadFile(background, path, token, apivideo.UploadOptions{Resume: failure.UploadState})
	if err != nil {
		t.Fatal(err)
	}
	if video.ID != failure.UploadVideoID {
		t.Errorf("another video: %v", video)
	}
	isWhole(t, video, data)
}

func TestAReaderThatWasCancelledGoesOnWhereItWas(t *testing.T) {
	client, token := device(t)
	data := film(3 * smallestPart)
	// One that can seek, and one that is read over.
	for _, reader := range []func() io.Reader{
		func() io.Reader { return bytes.NewReader(data) },
		func() io.Reader { return io.MultiReader(bytes.NewReader(data)) },
	} {
		failure := interrupted(t, func(ctx context.Context, options apivideo.UploadOptions) error {
			_, err := client.Upload(ctx, reader(), token, options)
			return err
		}, apivideo.UploadOptions{})
		video, err := client.Upload(background, reader(), token, apivideo.UploadOptions{Resume: failure.UploadState})
		if err != nil {
			t.Fatal(err)
		}
		isWhole(t, video, data)
		_, err = client.Upload(background, io.LimitReader(reader(), 1000), token, apivideo.UploadOptions{Resume: failure.UploadState})
		if failure := failed(t, err, apivideo.ErrSource); !errors.Is(failure, io.ErrUnexpectedEOF) || failure.Outcome != apivideo.OutcomeUnknown {
			t.Errorf("%+v", failure)
		}
	}
}

func TestAReadersOwnErrorReachesTheCallerWithTheState(t *testing.T) {
	client, token := device(t)
	data := film(smallestPart + 1000)
	reason := errors.New("the camera fell")
	from := io.MultiReader(bytes.NewReader(data), iotest.ErrReader(reason))
	_, err := client.Upload(background, from, token, apivideo.UploadOptions{PartBytes: smallestPart})
	failure := failed(t, err, apivideo.ErrSource)
	if !errors.Is(err, reason) || failure.UploadState == "" || failure.Outcome != apivideo.OutcomeNotApplied {
		t.Fatalf("%+v", failure)
	}
	video, err := client.Upload(background, bytes.NewReader(data), token, apivideo.UploadOptions{Resume: failure.UploadState})
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
}

// waitsFor is what a reader does between two pieces of what is read.
type waitsFor struct {
	io.Reader
	first []byte
	wait  func()
}

func (w *waitsFor) Read(some []byte) (int, error) {
	if len(w.first) > 0 {
		count := copy(some, w.first)
		w.first = w.first[count:]
		return count, nil
	}
	w.wait()
	return w.Reader.Read(some)
}

func TestAContextThatEndsWhileTheReaderIsReadTellsTheState(t *testing.T) {
	client, token := device(t)
	data := film(2*smallestPart + 1000)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	from := &waitsFor{bytes.NewReader(data[smallestPart+1:]), data[:smallestPart+1], cancel}
	_, err := client.Upload(ctx, from, token, apivideo.UploadOptions{PartBytes: smallestPart})
	failure := failed(t, err, apivideo.ErrCancelled)
	if !errors.Is(err, context.Canceled) || failure.UploadState == "" || failure.Outcome != apivideo.OutcomeNotApplied {
		t.Fatalf("%+v", failure)
	}
	video, err := client.Upload(background, bytes.NewReader(data), token, apivideo.UploadOptions{Resume: failure.UploadState})
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
}

func TestAContextThatIsDoneEndsAnUploadBeforeAnythingIsReadOrSent(t *testing.T) {
	client, token := device(t)
	path := fileOf(t, film(1000))
	upload, err := client.BeginUpload(token, apivideo.UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer upload.Close()
	before := readLedger(t, quickURL(t)).Requests
	ctx, cancel := context.WithCancel(background)
	cancel()
	_, ofFile := client.UploadFile(ctx, path, token, apivideo.UploadOptions{})
	_, ofReader := client.Upload(ctx, iotest.ErrReader(errors.New("it was read")), token, apivideo.UploadOptions{})
	_, ofWrite := upload.WriteContext(ctx, []byte("x"))
	_, ofFinish := upload.Finish(ctx)
	for _, err := range []error{ofFile, ofReader, ofWrite, ofFinish} {
		if failure := failed(t, err, apivideo.ErrCancelled); !errors.Is(err, context.Canceled) || failure.Attempts != 0 {
			t.Errorf("%+v", failure)
		}
	}
	if after := readLedger(t, quickURL(t)).Requests; after != before {
		t.Errorf("%d requests", after-before)
	}
}

func TestAClientThatIsClosedLetsUploadsUnderWayGoOnAndBeginsNone(t *testing.T) {
	client, token := device(t)
	data := film(smallestPart + 1000)
	path := fileOf(t, data)
	upload, err := client.BeginUpload(token, apivideo.UploadOptions{PartBytes: smallestPart})
	if err != nil {
		t.Fatal(err)
	}
	defer upload.Close()
	from := &waitsFor{bytes.NewReader(data[1000:]), data[:1000], func() { client.Close() }}
	video, err := client.Upload(background, from, token, apivideo.UploadOptions{PartBytes: smallestPart})
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
	if _, err := upload.Write(data); err != nil {
		t.Fatal(err)
	}
	if video, err = upload.Finish(background); err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
	_, ofFile := client.UploadFile(background, path, token, apivideo.UploadOptions{})
	_, ofReader := client.Upload(background, bytes.NewReader(data), token, apivideo.UploadOptions{})
	_, ofBegin := client.BeginUpload(token, apivideo.UploadOptions{})
	for _, err := range []error{ofFile, ofReader, ofBegin} {
		if failed(t, err, apivideo.ErrInvalidArgument); !errors.Is(err, apivideo.ErrClosed) {
			t.Error(err)
		}
	}
}

// A recorder keeps its bytes beside pointers, which cgo lets nobody pass.
func TestWhatIsWrittenMayBeAMemberOfWhatHoldsPointers(t *testing.T) {
	client, token := device(t)
	recorder := &struct {
		upload *apivideo.Upload
		name   *string
		bytes  [1000]byte
	}{name: new(string)}
	copy(recorder.bytes[:], film(1000))
	var err error
	if recorder.upload, err = client.BeginUpload(token, apivideo.UploadOptions{}); err != nil {
		t.Fatal(err)
	}
	defer recorder.upload.Close()
	if _, err := recorder.upload.Write(recorder.bytes[:]); err != nil {
		t.Fatal(err)
	}
	video, err := recorder.upload.Finish(background)
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, recorder.bytes[:])
}

func TestWhatIsWrittenIsUploaded(t *testing.T) {
	client, token := device(t)
	data := film(2*smallestPart + 1000)
	upload, err := client.BeginUpload(token, apivideo.UploadOptions{PartBytes: smallestPart})
	if err != nil {
		t.Fatal(err)
	}
	defer upload.Close()
	if upload.State() != "" || upload.Offset() != 0 {
		t.Errorf("%q %d", upload.State(), upload.Offset())
	}
	if count, err := io.Copy(upload, bytes.NewReader(data)); err != nil || count != int64(len(data)) {
		t.Fatal(count, err)
	}
	if upload.Offset() != uint64(len(data)) || upload.State() == "" {
		t.Errorf("%q %d", upload.State(), upload.Offset())
	}
	video, err := upload.Finish(background)
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
	_, err = upload.Write([]byte("more"))
	failed(t, err, apivideo.ErrInvalidArgument)
}

func TestWhatWasWrittenBeforeAnErrorIsKept(t *testing.T) {
	client, token := device(t)
	data := film(2*smallestPart + 1000)
	upload, err := client.BeginUpload(token, apivideo.UploadOptions{PartBytes: smallestPart, MaxBytesPerSecond: 20 * mebibyte})
	if err != nil {
		t.Fatal(err)
	}
	defer upload.Close()
	ctx, cancel := context.WithTimeout(background, 50*time.Millisecond)
	defer cancel()
	count, err := upload.WriteContext(ctx, data)
	failure := failed(t, err, apivideo.ErrTimeout)
	if !errors.Is(failure, context.DeadlineExceeded) || count == 0 || uint64(count) != upload.Offset() {
		t.Fatalf("%d %+v", count, failure)
	}
	for count < len(data) {
		more, err := upload.Write(data[count:])
		if err != nil {
			t.Fatal(err)
		}
		count += more
	}
	video, err := upload.Finish(background)
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
}

func TestAnUploadIsForOneCallAtATimeAndMayBeClosedInIt(t *testing.T) {
	client, token := device(t)
	var upload *apivideo.Upload
	var inside error
	calls := 0
	upload, err := client.BeginUpload(token, apivideo.UploadOptions{PartBytes: smallestPart, Progress: func(apivideo.UploadProgress) {
		if calls++; calls == 1 {
			_, inside = upload.Write([]byte("x"))
			upload.Close()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := upload.Write(film(smallestPart + 1)); err != nil {
		t.Fatal(err)
	}
	failed(t, inside, apivideo.ErrInvalidArgument)
	_, err = upload.Write([]byte("x"))
	if failed(t, err, apivideo.ErrInvalidArgument); !errors.Is(err, apivideo.ErrClosed) {
		t.Error(err)
	}
	upload.Close()
}

func TestWhatACallbackPanicsWithEndsTheUploadAndReachesTheCaller(t *testing.T) {
	client, token := device(t)
	data := film(3 * smallestPart)
	path := fileOf(t, data)
	panicked := func(options apivideo.UploadOptions) (reason any) {
		defer func() { reason = recover() }()
		options.PartBytes = smallestPart
		options.MaxBytesPerSecond = mebibyte
		client.UploadFile(background, path, token, options)
		return nil
	}
	if reason := panicked(apivideo.UploadOptions{Progress: func(apivideo.UploadProgress) { panic("enough") }}); reason != "enough" {
		t.Errorf("%v", reason)
	}
	var state string
	options := apivideo.UploadOptions{
		PartBytes: smallestPart,
		Progress: func(progress apivideo.UploadProgress) {
			if progress.PartsConfirmed == 1 {
				panic("enough")
			}
		},
		State: func(told string) { state = told },
	}
	func() {
		defer func() { recover() }()
		client.UploadFile(background, path, token, options)
	}()
	video, err := client.UploadFile(background, path, token, apivideo.UploadOptions{Resume: state})
	if err != nil || state == "" {
		t.Fatal(state, err)
	}
	isWhole(t, video, data)
}

func TestAnUploadGoesOnAfterACallbackHasPanickedInIt(t *testing.T) {
	client, token := device(t)
	data := film(2*smallestPart + 1000)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	states := 0
	upload, err := client.BeginUpload(token, apivideo.UploadOptions{PartBytes: smallestPart, State: func(string) {
		if states++; states == 1 {
			panic("enough")
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer upload.Close()
	func() {
		defer func() {
			if reason := recover(); reason != "enough" {
				t.Errorf("%v", reason)
			}
		}()
		upload.WriteContext(ctx, data)
	}()
	if ctx.Err() != nil || upload.State() == "" {
		t.Fatal(ctx.Err(), upload.State())
	}
	if _, err := upload.WriteContext(ctx, data[upload.Offset():]); err != nil {
		t.Fatal(err)
	}
	video, err := upload.Finish(ctx)
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
}

func TestNoLimitIsTakenWhereThereMayBeNone(t *testing.T) {
	client, token := device(t)
	data := film(1000)
	never := apivideo.UploadOptions{StallTimeout: apivideo.NoLimit, AnswerTimeout: apivideo.NoLimit, Patience: apivideo.NoLimit}
	video, err := client.UploadFile(background, fileOf(t, data), token, never)
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
}

func TestAKeyIsNotSentWithAToken(t *testing.T) {
	token := create(t, quickClient(t), time.Hour)
	authorization := make(chan []string, 10) // more than there are attempts
	client := newClient(t, apivideo.Config{BaseURL: peer(t, func(w http.ResponseWriter, r *http.Request) {
		authorization <- r.Header.Values("Authorization")
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"videoId":"vi1","assets":{}}`)
	})})
	video, err := client.UploadFile(background, fileOf(t, film(1000)), token.ID, apivideo.UploadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if sent := <-authorization; len(sent) != 0 {
		t.Error("the key was sent")
	}
	// What this service does not tell.
	if video.Title != "" || video.PlayerURL != "" || video.Public != nil || !video.CreatedAt.IsZero() || !video.PublishedAt.IsZero() {
		t.Errorf("%#v", video)
	}
}

func TestAttemptsAreAsManyAsAskedAndTheWaitBetweenThemIsTold(t *testing.T) {
	url := peer(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	client := newClient(t, apivideo.Config{BaseURL: url})
	var longest time.Duration // one of them may be shorter than a millisecond by chance
	_, err := client.UploadFile(background, fileOf(t, film(smallestPart+1)), "to1", apivideo.UploadOptions{
		PartBytes:   smallestPart,
		MaxAttempts: 4,
		Progress: func(progress apivideo.UploadProgress) {
			if progress.Activity == apivideo.UploadWaitingToRetry && progress.Wait > longest {
				longest = progress.Wait
			}
		},
	})
	if failure := failed(t, err, apivideo.ErrServer); failure.Attempts != 4 {
		t.Errorf("%+v", failure)
	}
	if longest == 0 {
		t.Error("no wait was told")
	}
}

func TestNoTimeoutOfTheClientEndsAnUpload(t *testing.T) {
	token := create(t, quickClient(t), time.Hour)
	client := newClient(t, apivideo.Config{BaseURL: quickURL(t), Timeout: 100 * time.Millisecond})
	data := film(mebibyte)
	video, err := client.UploadFile(background, fileOf(t, data), token.ID, apivideo.UploadOptions{MaxBytesPerSecond: 2 * mebibyte})
	if err != nil {
		t.Fatal(err)
	}
	isWhole(t, video, data)
}

func TestWhatTheServiceOrTheDiskRefusesIsTold(t *testing.T) {
	client, token := device(t)
	path := fileOf(t, film(10))
	_, err := client.UploadFile(background, path, "none-of-ours", apivideo.UploadOptions{})
	failed(t, err, apivideo.ErrUnauthorized)
	_, err = client.UploadFile(background, path, token, apivideo.UploadOptions{VideoID: "viNone"})
	failed(t, err, apivideo.ErrNotFound)
	_, err = client.UploadFile(background, path+".none", token, apivideo.UploadOptions{})
	failed(t, err, apivideo.ErrSource)
}

func TestArgumentsOfUploadsOutOfRangeAreRefusedAndNothingIsSent(t *testing.T) {
	client, token := device(t)
	path := fileOf(t, film(10))
	before := readLedger(t, quickURL(t)).Requests
	for _, options := range []apivideo.UploadOptions{
		{PartBytes: -1}, {PartBytes: 1}, {MaxBytesPerSecond: -1}, {ParallelParts: -1}, {ParallelParts: 17},
		{StallTimeout: -2}, {AnswerTimeout: -2}, {Patience: -2}, {ProgressInterval: apivideo.NoLimit},
		{Patience: 50 * 24 * time.Hour}, {Resume: "nonsense"}, {FileName: "a\x00b"}, {VideoID: "a\x00b"},
	} {
		_, err := client.UploadFile(background, path, token, options)
		failed(t, err, apivideo.ErrInvalidArgument)
		_, err = client.BeginUpload(token, options)
		failed(t, err, apivideo.ErrInvalidArgument)
	}
	_, err := client.UploadFile(background, path, "", apivideo.UploadOptions{})
	failed(t, err, apivideo.ErrInvalidArgument)
	if after := readLedger(t, quickURL(t)).Requests; after != before {
		t.Errorf("%d requests", after-before)
	}
}

func TestNoTextOfAVideoShowsItsAddresses(t *testing.T) {
	video := apivideo.Video{ID: "vi1", PlayerURL: "https://secret", JSON: "secret"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
		if shown := fmt.Sprintf(format, video); strings.Contains(shown, "secret") || !strings.Contains(shown, "vi1") {
			t.Error(shown)
		}
	}
}

func TestAContextThatIsDoneLeavesWhatIsToBeGoneOnFrom(t *testing.T) {
	client, token := device(t)
	data := film(2 * smallestPart)
	path := fileOf(t, data)
	interruption := interrupted(t, func(ctx context.Context, options apivideo.UploadOptions) error {
		_, err := client.UploadFile(ctx, path, token, options)
		return err
	}, apivideo.UploadOptions{})
	ctx, cancel := context.WithCancel(background)
	cancel()
	_, err := client.UploadFile(ctx, path, token, apivideo.UploadOptions{Resume: interruption.UploadState})
	if failure := failed(t, err, apivideo.ErrCancelled); failure.UploadState != interruption.UploadState {
		t.Errorf("%+v", failure)
	}
}
