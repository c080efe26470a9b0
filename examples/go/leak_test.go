// That calls leave nothing behind. Not under the race detector, whose own memory grows with each
// goroutine.

//go:build !race

package apivideo_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"example.com/apivideo"
)

// residentBytes is the memory in use, Go's and C's.
func residentBytes(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var total, resident int
	if _, err := fmt.Sscan(string(text), &total, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * os.Getpagesize()
}

// leaksNothing calls round so many times, and a fifth more before: caches, pools and threads that are
// kept are no leaks.
func leaksNothing(t *testing.T, rounds int, round func()) {
	t.Helper()
	for i := 0; i < rounds/5; i++ {
		round()
	}
	bytes, goroutines, descriptors := residentBytes(t), runtime.NumGoroutine(), openDescriptors(t)
	for i := 0; i < rounds; i++ {
		round()
	}
	until(t, "the goroutines have ended", func() bool { return runtime.NumGoroutine() <= goroutines })
	until(t, "the descriptors are closed", func() bool { return openDescriptors(t) <= descriptors })
	grown := (residentBytes(t) - bytes) / 1024
	t.Logf("%d KiB more", grown)
	if grown > 3*1024 {
		t.Errorf("%d KiB more after %d rounds", grown, rounds)
	}
}

// everyCall makes six calls: each kind, a failure, and an iteration that is left early.
func everyCall(t *testing.T, ctx context.Context, client *apivideo.Client) {
	t.Helper()
	token, err := client.CreateToken(ctx, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetToken(ctx, token.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ListTokens(ctx, apivideo.ListParams{}); err != nil {
		t.Fatal(err)
	}
	tokens := client.Tokens(apivideo.ListParams{})
	if !tokens.Next(ctx) {
		t.Fatal(tokens.Err())
	}
	tokens.Close()
	if err := client.DeleteToken(ctx, token.ID); err != nil {
		t.Fatal(err)
	}
	_, err = client.GetToken(ctx, "never-made")
	failed(t, err, apivideo.ErrNotFound)
}

func TestTenThousandCallsLeakNothing(t *testing.T) {
	client := quickClient(t)
	ctx, cancel := context.WithTimeout(background, time.Hour)
	defer cancel()
	leaksNothing(t, 10000/6+1, func() { everyCall(t, ctx, client) })
}

// So large that a single thing that is not freed would show.
func TestLargeAnswersLeakNothing(t *testing.T) {
	token := fmt.Sprintf(`{"token":"%s"}`, strings.Repeat("t", 4000))
	client := newClient(t, apivideo.Config{BaseURL: peer(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/never-made"):
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, token)
		case r.Method == http.MethodDelete:
			w.WriteHeader(http.StatusNoContent)
		case r.Method == http.MethodGet && r.URL.Path == "/upload-tokens":
			fmt.Fprintf(w, `{"data":[%s],"pagination":{}}`, token)
		default:
			fmt.Fprint(w, token)
		}
	})})
	leaksNothing(t, 2000, func() { everyCall(t, background, client) })
}

// So many that the smallest thing that a call needs would show. They send nothing.
func TestRefusedCallsLeakNothing(t *testing.T) {
	client := quickClient(t)
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	leaksNothing(t, 200000, func() {
		if _, err := client.GetToken(ctx, ".."); err == nil {
			t.Fatal("it was not refused")
		}
	})
}

func TestClientsLeakNothing(t *testing.T) {
	config := apivideo.Config{APIKey: "key", BaseURL: quickURL(t), NoProxy: true, Trace: func(apivideo.TraceLevel, string) {}}
	leaksNothing(t, 50000, func() {
		client, err := apivideo.New(config)
		if err != nil {
			t.Fatal(err)
		}
		client.Close()
		if _, err := apivideo.New(apivideo.Config{Trace: config.Trace}); err == nil {
			t.Fatal("it was not refused")
		}
	})
}

// Each way in which an upload may end.
func TestUploadsLeakNothing(t *testing.T) {
	client, token := device(t)
	data := film(1000)
	path := fileOf(t, data)
	reason := errors.New("the camera fell")
	none := func(apivideo.UploadProgress) {}
	leaksNothing(t, 300, func() {
		ctx, cancel := context.WithCancel(background)
		defer cancel()
		if _, err := client.UploadFile(ctx, path, token, apivideo.UploadOptions{Progress: none, State: func(string) {}}); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Upload(ctx, bytes.NewReader(data), token, apivideo.UploadOptions{ParallelParts: 2}); err != nil {
			t.Fatal(err)
		}
		_, err := client.Upload(ctx, io.MultiReader(bytes.NewReader(data), iotest.ErrReader(reason)), token, apivideo.UploadOptions{})
		failed(t, err, apivideo.ErrSource)
		_, err = client.UploadFile(ctx, path, token, apivideo.UploadOptions{MaxBytesPerSecond: 1, Progress: func(apivideo.UploadProgress) { cancel() }})
		failed(t, err, apivideo.ErrCancelled)
		_, err = client.BeginUpload(token, apivideo.UploadOptions{PartBytes: 1})
		failed(t, err, apivideo.ErrInvalidArgument)
		left, err := client.BeginUpload(token, apivideo.UploadOptions{Progress: none})
		if err != nil {
			t.Fatal(err)
		}
		left.Write(data)
		left.Close()
		func() {
			defer func() { recover() }()
			client.UploadFile(background, path, token, apivideo.UploadOptions{Progress: func(progress apivideo.UploadProgress) {
				if progress.BytesConfirmed == progress.BytesTotal {
					panic("it is whole")
				}
			}})
			t.Fatal("it did not panic")
		}()
		// Whatever the others have closed, one connection is idle in the end.
		if _, err := client.UploadFile(background, path, token, apivideo.UploadOptions{}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAnUploadThatNobodyClosesIsClosedByTheCollector(t *testing.T) {
	url := quickURL(t)
	descriptors := openDescriptors(t)
	client, err := apivideo.New(apivideo.Config{BaseURL: url, NoProxy: true, NoCredential: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.UploadFile(background, fileOf(t, film(10)), "none-of-ours", apivideo.UploadOptions{}); err == nil {
		t.Fatal("it was not refused")
	}
	func() {
		if _, err := client.BeginUpload("none-of-ours", apivideo.UploadOptions{}); err != nil {
			t.Fatal(err)
		}
	}()
	client.Close() // whose connection an upload keeps
	until(t, "the connection is closed", func() bool { runtime.GC(); return openDescriptors(t) <= descriptors })
}
