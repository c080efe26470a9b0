// The tests of the wrapper, against two stand-in services, one that answers at once and one that
// answers after a minute, and against servers of their own that do what those never do.

package apivideo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/apivideo"
)

var background = context.Background()

// environment is what the services that the tests need are told by.
func environment(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("%s is not set: README.md tells how to run the tests", name)
	}
	return value
}

func quickURL(t *testing.T) string { return environment(t, "APIVIDEO_BASE_URL") }
func slowURL(t *testing.T) string  { return environment(t, "APIVIDEO_SLOW_BASE_URL") }

func newClient(t *testing.T, config apivideo.Config) *apivideo.Client {
	t.Helper()
	if config.APIKey == "" {
		config.APIKey = environment(t, "APIVIDEO_API_KEY")
	}
	config.NoProxy = config.ProxyURL == ""
	client, err := apivideo.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

func quickClient(t *testing.T) *apivideo.Client {
	return newClient(t, apivideo.Config{BaseURL: quickURL(t)})
}

func create(t *testing.T, client *apivideo.Client, ttl time.Duration) apivideo.Token {
	t.Helper()
	token, err := client.CreateToken(background, ttl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { quickClient(t).DeleteToken(background, token.ID) })
	return token
}

// ledger is what a stand-in tells of what it really did.
type ledger struct {
	Requests, Created int
	Tokens            []string
}

func readLedger(t *testing.T, url string) ledger {
	t.Helper()
	// A transport of its own, with no proxy and nothing left behind.
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport}).Get(url + "/local-api/ledger")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var result ledger
	if err := json.NewDecoder(answer.Body).Decode(&result); err != nil {
		t.Fatal(err)
	}
	return result
}

// until waits for what is about to be.
func until(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !isSo(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not so after 20 seconds: %s", what)
		}
	}
}

// failed is err as an *apivideo.Error with this status.
func failed(t *testing.T, err error, status apivideo.Status) *apivideo.Error {
	t.Helper()
	var failure *apivideo.Error
	if !errors.As(err, &failure) {
		t.Fatalf("want an *apivideo.Error with %v, got %v", status, err)
	}
	if failure.Status != status || !errors.Is(err, status) {
		t.Fatalf("want %v, got %v: %v", status, failure.Status, err)
	}
	if failure.Error() == "" {
		t.Fatal("the message is empty")
	}
	return failure
}

// peer answers each request in its own way.
func peer(t *testing.T, answer http.HandlerFunc) string {
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server.URL
}

// cutOff writes this much of an answer and closes the connection.
func cutOff(w http.ResponseWriter, part string) {
	connection, buffer, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	buffer.WriteString(part)
	buffer.Flush()
	connection.Close()
}

// --------------------------------------------------------------------------------- the operations

func TestCreateListIterateGetDelete(t *testing.T) {
	client := quickClient(t)
	made := map[string]apivideo.Token{}
	for i := 1; i <= 7; i++ {
		token := create(t, client, time.Duration(i)*time.Hour)
		made[token.ID] = token
	}

	page, err := client.ListTokens(background, apivideo.ListParams{PageSize: 3, SortBy: apivideo.SortByCreatedAt, SortOrder: apivideo.Descending})
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Tokens) != 3 || page.PageSize != 3 || page.CurrentPage != 1 || page.ItemsTotal < 7 || page.PagesTotal < 3 {
		t.Fatalf("a wrong page: %d tokens, %d a page, page %d of %d, %d in all", len(page.Tokens), page.PageSize, page.CurrentPage, page.PagesTotal, page.ItemsTotal)
	}
	if newest := page.Tokens[0]; newest != made[newest.ID] || newest.TTL != 7*time.Hour {
		t.Fatalf("the newest is %+v", newest)
	}

	found := 0
	tokens := client.Tokens(apivideo.ListParams{PageSize: 2})
	defer tokens.Close()
	for tokens.Next(background) {
		if tokens.Token() == made[tokens.Token().ID] {
			found++
		}
	}
	if tokens.Err() != nil || found != 7 {
		t.Fatalf("iterated over %d of the 7: %v", found, tokens.Err())
	}
	if tokens.Next(background) || tokens.Err() != nil {
		t.Fatal("the end is not the end")
	}

	for id, token := range made {
		got, err := client.GetToken(background, id)
		if err != nil || got != token {
			t.Fatalf("got %+v, %v; made %+v", got, err, token)
		}
		if err := client.DeleteToken(background, id); err != nil {
			t.Fatal(err)
		}
	}
	for id := range made {
		_, err := client.GetToken(background, id)
		failure := failed(t, err, apivideo.ErrNotFound)
		if failure.HTTPStatus != 404 || failure.Problem.Name != "uploadToken" || failure.Attempts != 1 {
			t.Fatalf("%+v", failure)
		}
		if failure.Retryable || failure.RetryAfter >= 0 || failure.Outcome != apivideo.OutcomeNotApplied {
			t.Fatalf("%+v", failure)
		}
		if !strings.Contains(string(failure.Body), failure.Problem.Title) {
			t.Fatalf("the body is %q", failure.Body)
		}
		failed(t, client.DeleteToken(background, id), apivideo.ErrNotFound)
	}
}

func TestTimes(t *testing.T) {
	client := quickClient(t)
	token := create(t, client, 90*time.Minute)
	if token.TTL != 90*time.Minute || token.ExpiresAt.Sub(token.CreatedAt) != token.TTL {
		t.Errorf("%+v", token)
	}
	if age := time.Since(token.CreatedAt); age < -time.Minute || age > time.Minute || token.CreatedAt.Location() != time.UTC {
		t.Errorf("made at %v", token.CreatedAt)
	}
	token = create(t, client, apivideo.Never)
	if token.TTL != apivideo.Never || !token.ExpiresAt.IsZero() || token.CreatedAt.IsZero() {
		t.Errorf("%+v", token)
	}
}

func TestWhatIsNotTold(t *testing.T) {
	client := newClient(t, apivideo.Config{BaseURL: peer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/upload-tokens" {
			fmt.Fprint(w, `{"data":[],"pagination":{}}`)
		} else {
			fmt.Fprint(w, `{"token":"to1"}`)
		}
	})})
	token, err := client.GetToken(background, "to1")
	if err != nil || token.TTL != 0 || !token.CreatedAt.IsZero() || !token.ExpiresAt.IsZero() {
		t.Errorf("%+v, %v", token, err)
	}
	page, err := client.ListTokens(background, apivideo.ListParams{})
	if err != nil || len(page.Tokens) != 0 || page.ItemsTotal != 0 || page.PageSize != 0 {
		t.Errorf("%+v, %v", page, err)
	}
}

func TestListAsksForItsParams(t *testing.T) {
	asked := make(chan string, 2)
	client := newClient(t, apivideo.Config{BaseURL: peer(t, func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.Query().Encode()
		fmt.Fprint(w, `{"data":[],"pagination":{}}`)
	})})
	params := apivideo.ListParams{CurrentPage: 2, PageSize: 3, SortBy: apivideo.SortByTTL, SortOrder: apivideo.Ascending}
	if _, err := client.ListTokens(background, params); err != nil {
		t.Fatal(err)
	}
	tokens := client.Tokens(params)
	defer tokens.Close()
	tokens.Next(background)
	for i := 0; i < 2; i++ {
		if query := <-asked; query != "currentPage=2&pageSize=3&sortBy=ttl&sortOrder=asc" {
			t.Error(query)
		}
	}
}

func TestIteratorTriesAPageAgain(t *testing.T) {
	requests := 0
	client := newClient(t, apivideo.Config{MaxAttempts: 1, BaseURL: peer(t, func(w http.ResponseWriter, r *http.Request) {
		if requests++; requests == 1 {
			w.WriteHeader(http.StatusInternalServerError)
		} else {
			fmt.Fprint(w, `{"data":[{"token":"to1"}],"pagination":{}}`)
		}
	})})
	tokens := client.Tokens(apivideo.ListParams{})
	defer tokens.Close()
	if tokens.Next(background) {
		t.Fatal("a token came with an error")
	}
	failed(t, tokens.Err(), apivideo.ErrServer)
	if !tokens.Next(background) || tokens.Token().ID != "to1" {
		t.Fatal(tokens.Err())
	}
}

func TestIteratorRefusesWrongParams(t *testing.T) {
	tokens := quickClient(t).Tokens(apivideo.ListParams{SortBy: 99})
	if tokens.Next(background) {
		t.Fatal("a token came")
	}
	failed(t, tokens.Err(), apivideo.ErrInvalidArgument)
}

// -------------------------------------------------------------------------------------- arguments

func TestRefusesTTLThatIsMissingOrOutOfRange(t *testing.T) {
	client := quickClient(t)
	before := readLedger(t, quickURL(t))
	var missing time.Duration
	for _, ttl := range []time.Duration{
		missing, 3600, time.Millisecond, 400 * time.Millisecond, time.Second - 1, // 3600 has no unit
		-1, -time.Second, apivideo.NoLimit, -(1<<32 - 5) * time.Second, // the last would wrap around to 5 s
		math.MaxInt32*time.Second + 1, 1 << 31 * time.Second, (1<<32 + 5) * time.Second,
		// What differences of times come to that are too long.
		time.Until(time.Time{}), time.Time{}.Sub(time.Unix(math.MaxInt32, 0)), time.Unix(math.MaxInt32, 0).Sub(time.Time{}),
		math.MinInt64, math.MaxInt64,
	} {
		_, err := client.CreateToken(background, ttl)
		if failure := failed(t, err, apivideo.ErrInvalidArgument); !strings.Contains(failure.Message, "ttl") {
			t.Errorf("%v: %v", ttl, failure)
		}
	}
	if after := readLedger(t, quickURL(t)); after.Requests != before.Requests {
		t.Error("something was sent")
	}
}

func TestRoundsFractionsOfTTLUp(t *testing.T) {
	client := quickClient(t)
	for ttl, want := range map[time.Duration]time.Duration{
		time.Second:                   time.Second,
		time.Minute + 1:               time.Minute + time.Second,
		1500 * time.Millisecond:       2 * time.Second,
		math.MaxInt32*time.Second - 1: math.MaxInt32 * time.Second,
	} {
		token := create(t, client, ttl)
		if token.TTL != want {
			t.Errorf("%v became %v", ttl, token.TTL)
		}
		// Before it expires, while another test counts; if it has not.
		if err := client.DeleteToken(background, token.ID); err != nil && !errors.Is(err, apivideo.ErrNotFound) {
			t.Error(err)
		}
	}
}

func TestRefusesOddParams(t *testing.T) {
	client := quickClient(t)
	before := readLedger(t, quickURL(t))
	for _, params := range []apivideo.ListParams{{PageSize: 101}, {PageSize: 256 + 25}, {PageSize: math.MaxUint32}, {SortBy: -1}, {SortOrder: 3}} {
		_, err := client.ListTokens(background, params)
		failed(t, err, apivideo.ErrInvalidArgument)
		tokens := client.Tokens(params)
		if tokens.Next(background) {
			t.Errorf("%+v: a token came", params)
		}
		failed(t, tokens.Err(), apivideo.ErrInvalidArgument)
	}
	if after := readLedger(t, quickURL(t)); after.Requests != before.Requests {
		t.Error("something was sent")
	}
}

func TestRefusesNUL(t *testing.T) {
	client := quickClient(t)
	token := create(t, client, time.Hour)
	_, err := client.GetToken(background, token.ID+"\x00x")
	failed(t, err, apivideo.ErrInvalidArgument)
	failed(t, client.DeleteToken(background, token.ID+"\x00x"), apivideo.ErrInvalidArgument)
	if _, err := client.GetToken(background, token.ID); err != nil {
		t.Errorf("it was taken for the token before the NUL: %v", err)
	}

	set := map[string]func(*apivideo.Config){
		"APIKey":      func(c *apivideo.Config) { c.APIKey += "\x00" },
		"AccessToken": func(c *apivideo.Config) { c.APIKey, c.AccessToken = "", "a\x00" },
		"BaseURL":     func(c *apivideo.Config) { c.BaseURL += "\x00" },
		"AppName":     func(c *apivideo.Config) { c.AppName += "\x00" },
		"AppVersion":  func(c *apivideo.Config) { c.AppVersion += "\x00" },
		"SDKName":     func(c *apivideo.Config) { c.SDKName += "\x00" },
		"SDKVersion":  func(c *apivideo.Config) { c.SDKVersion += "\x00" },
		"CAFile":      func(c *apivideo.Config) { c.CAFile = "/dev/null\x00" },
		"ProxyURL":    func(c *apivideo.Config) { c.ProxyURL = "http://127.0.0.1\x00" },
	}
	good := apivideo.Config{APIKey: "key", BaseURL: "http://127.0.0.1", AppName: "app", AppVersion: "1", SDKName: "sdk", SDKVersion: "2"}
	for name, spoil := range set {
		config := good
		spoil(&config)
		_, err := apivideo.New(config)
		if failure := failed(t, err, apivideo.ErrInvalidArgument); !strings.Contains(failure.Message, name) {
			t.Errorf("%s: %v", name, failure)
		}
	}
	if _, err := client.GetToken(background, "\xff"); !errors.Is(err, apivideo.ErrInvalidArgument) {
		t.Errorf("not UTF-8: %v", err)
	}
}

func TestRefusesWrongConfig(t *testing.T) {
	for _, config := range []apivideo.Config{
		{},
		{APIKey: "a", AccessToken: "b"},
		{APIKey: "a", Timeout: -2},
		{APIKey: "a", Timeout: apivideo.Never},
		{APIKey: "a", Trace: func(apivideo.TraceLevel, string) {}, TraceLevel: 4},
		{APIKey: "a", ConnectTimeout: 50 * 24 * time.Hour},
		{APIKey: "a", AttemptTimeout: -time.Second},
		{APIKey: "a", ProxyURL: "http://127.0.0.1", NoProxy: true},
		{APIKey: "a", BaseURL: "http://example.com"},
	} {
		client, err := apivideo.New(config)
		failed(t, err, apivideo.ErrInvalidArgument)
		if client != nil {
			t.Error("there is a client all the same")
		}
	}
	client, err := apivideo.New(apivideo.Config{APIKey: "a", BaseURL: "http://example.com", AllowPlainHTTP: true, Timeout: apivideo.NoLimit})
	if err != nil {
		t.Fatal(err)
	}
	client.Close()
}

func TestNoProxy(t *testing.T) {
	t.Setenv("ALL_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTP_PROXY", "")
	t.Setenv("NO_PROXY", "")
	config := apivideo.Config{APIKey: environment(t, "APIVIDEO_API_KEY"), BaseURL: quickURL(t), MaxAttempts: 1}
	for _, config.NoProxy = range []bool{false, true} {
		client, err := apivideo.New(config)
		if err != nil {
			t.Fatal(err)
		}
		_, err = client.ListTokens(background, apivideo.ListParams{})
		if (err == nil) != config.NoProxy {
			t.Errorf("%v: %v", config.NoProxy, err)
		}
		client.Close()
	}
}

// The time that a call may take tells whether it waits as long as the service asks.
func TestNoLimit(t *testing.T) {
	url := peer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	ctx, cancel := context.WithCancel(background)
	defer cancel()
	waits := apivideo.Config{BaseURL: url, Timeout: apivideo.NoLimit, TraceLevel: apivideo.TraceInfo, Trace: func(apivideo.TraceLevel, string) { cancel() }}
	_, err := newClient(t, waits).CreateToken(ctx, time.Hour)
	failed(t, err, apivideo.ErrCancelled)

	_, err = newClient(t, apivideo.Config{BaseURL: url}).CreateToken(background, time.Hour)
	failed(t, err, apivideo.ErrRateLimited)
}

// ----------------------------------------------------------------------------------------- errors

func TestUnauthorized(t *testing.T) {
	client := newClient(t, apivideo.Config{APIKey: "wrong", BaseURL: quickURL(t)})
	_, err := client.ListTokens(background, apivideo.ListParams{})
	if failure := failed(t, err, apivideo.ErrUnauthorized); failure.HTTPStatus != 401 {
		t.Errorf("%+v", failure)
	}
	if errors.Is(err, apivideo.ErrNotFound) || errors.Is(err, context.Canceled) {
		t.Error("it is taken for another error too")
	}
}

func TestConnect(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	client := newClient(t, apivideo.Config{MaxAttempts: 1, BaseURL: "http://" + listener.Addr().String()})
	_, err = client.CreateToken(background, time.Hour)
	if failure := failed(t, err, apivideo.ErrConnect); failure.Outcome != apivideo.OutcomeNotApplied || !failure.Retryable {
		t.Errorf("%+v", failure)
	}
}

func TestRejectedTellsProblems(t *testing.T) {
	_, err := quickClient(t).ListTokens(background, apivideo.ListParams{PageSize: 101})
	failed(t, err, apivideo.ErrInvalidArgument)

	client := newClient(t, apivideo.Config{BaseURL: peer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"type":"t","title":"Two are wrong.","name":"a","problems":[{"title":"A","name":"a"},{"title":"B","name":"b","detail":"Too much."}]}`)
	})})
	_, err = client.CreateToken(background, time.Hour)
	failure := failed(t, err, apivideo.ErrRejected)
	if failure.Problem != (apivideo.Problem{Type: "t", Title: "Two are wrong.", Name: "a"}) {
		t.Errorf("%+v", failure.Problem)
	}
	if len(failure.Problems) != 2 || failure.Problems[1] != (apivideo.Problem{Title: "B", Detail: "Too much.", Name: "b"}) {
		t.Errorf("%+v", failure.Problems)
	}
}

func TestRateLimitedTellsHowLong(t *testing.T) {
	client := newClient(t, apivideo.Config{MaxAttempts: 1, BaseURL: peer(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(http.StatusTooManyRequests)
	})})
	_, err := client.CreateToken(background, time.Hour)
	if failure := failed(t, err, apivideo.ErrRateLimited); failure.RetryAfter != 7*time.Second || !failure.Retryable {
		t.Errorf("%+v", failure)
	}
}

func TestOutcomeAfterALostAnswer(t *testing.T) {
	rows := []struct {
		answer  string
		status  apivideo.Status
		outcome apivideo.Outcome
	}{
		{"", apivideo.ErrTransport, apivideo.OutcomeUnknown},
		{"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{", apivideo.ErrTransport, apivideo.OutcomeApplied},
		{"HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n{", apivideo.ErrDecode, apivideo.OutcomeApplied},
		{"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", apivideo.ErrNotFound, apivideo.OutcomeNotApplied},
	}
	for _, row := range rows {
		answer := row.answer
		client := newClient(t, apivideo.Config{BaseURL: peer(t, func(w http.ResponseWriter, r *http.Request) { cutOff(w, answer) })})
		_, err := client.CreateToken(background, time.Hour)
		if failure := failed(t, err, row.status); failure.Outcome != row.outcome || (failure.Retryable && row.outcome != apivideo.OutcomeNotApplied) {
			t.Errorf("%q: %v, %+v", answer, failure.Outcome, failure)
		}
	}
}

func TestNamesOfWhatALaterVersionMayTell(t *testing.T) {
	if name := apivideo.Status(99).Error(); !strings.Contains(name, "unknown") {
		t.Error(name)
	}
	if name := apivideo.Outcome(99).String(); !strings.Contains(name, "unknown") {
		t.Error(name)
	}
	if name := apivideo.ErrNotFound.Error(); name != "AV_STATUS_NOT_FOUND" {
		t.Error(name)
	}
	if name := apivideo.ErrSource.Error(); name != "AV_STATUS_SOURCE" {
		t.Error(name)
	}
}

// --------------------------------------------------------------------------------------- contexts

func TestContextThatIsDoneSendsNothing(t *testing.T) {
	client := quickClient(t)
	token := create(t, client, time.Hour)
	before := readLedger(t, quickURL(t))

	cancelled, cancel := context.WithCancel(background)
	cancel()
	expired, cancel := context.WithDeadline(background, time.Now().Add(-time.Second))
	defer cancel()
	for _, row := range []struct {
		ctx    context.Context
		status apivideo.Status
		cause  error
	}{
		{cancelled, apivideo.ErrCancelled, context.Canceled},
		{expired, apivideo.ErrTimeout, context.DeadlineExceeded},
	} {
		_, created := client.CreateToken(row.ctx, time.Hour)
		_, got := client.GetToken(row.ctx, token.ID)
		_, listed := client.ListTokens(row.ctx, apivideo.ListParams{})
		deleted := client.DeleteToken(row.ctx, token.ID)
		tokens := client.Tokens(apivideo.ListParams{})
		tokens.Next(row.ctx)
		for _, err := range []error{created, got, listed, deleted, tokens.Err()} {
			failure := failed(t, err, row.status)
			if !errors.Is(err, row.cause) || failure.Outcome != apivideo.OutcomeNotApplied {
				t.Errorf("%+v", failure)
			}
		}
		tokens.Close()
	}
	if after := readLedger(t, quickURL(t)); after.Requests != before.Requests {
		t.Error("something was sent")
	}
}

func TestCancelDuringACall(t *testing.T) {
	client := newClient(t, apivideo.Config{BaseURL: slowURL(t), Timeout: apivideo.NoLimit, AttemptTimeout: apivideo.NoLimit})
	calls := map[string]func(context.Context) error{
		"create": func(ctx context.Context) error { _, err := client.CreateToken(ctx, time.Hour); return err },
		"get":    func(ctx context.Context) error { _, err := client.GetToken(ctx, "to1"); return err },
		"list":   func(ctx context.Context) error { _, err := client.ListTokens(ctx, apivideo.ListParams{}); return err },
		"delete": func(ctx context.Context) error { return client.DeleteToken(ctx, "to1") },
		"iterate": func(ctx context.Context) error {
			tokens := client.Tokens(apivideo.ListParams{})
			defer tokens.Close()
			tokens.Next(ctx)
			return tokens.Err()
		},
	}
	for name, call := range calls {
		before := readLedger(t, slowURL(t))
		ctx, cancel := context.WithCancel(background)
		ended := make(chan error, 1)
		go func() { ended <- call(ctx) }()
		until(t, name+" has arrived", func() bool { return readLedger(t, slowURL(t)).Requests > before.Requests })
		cancel()
		err := <-ended
		failure := failed(t, err, apivideo.ErrCancelled)
		if !errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
		want := apivideo.OutcomeNotApplied
		if name == "create" || name == "delete" {
			want = apivideo.OutcomeUnknown
		}
		if failure.Outcome != want {
			t.Errorf("%s: %v", name, failure.Outcome)
		}
	}
}

func TestCancelRacingCompletion(t *testing.T) {
	client := quickClient(t)
	began := time.Now()
	for i := 0; i < 20; i++ {
		create(t, client, time.Hour)
	}
	one := time.Since(began) / 20

	const tries = 1000
	before := readLedger(t, quickURL(t))
	completed, applied, unknown, cancelled := 0, 0, 0, 0
	for i := 0; i < tries; i++ {
		ctx, cancel := context.WithCancel(background)
		timer := time.AfterFunc(2*one*time.Duration(i)/tries, cancel)
		_, err := client.CreateToken(ctx, time.Hour)
		timer.Stop()
		cancel()
		if err == nil {
			completed++
			continue
		}
		failure := failed(t, err, apivideo.ErrCancelled)
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancelled++
		switch failure.Outcome {
		case apivideo.OutcomeApplied:
			applied++
		case apivideo.OutcomeUnknown:
			unknown++
		}
	}
	t.Logf("%d completed; %d cancelled, of which %d applied and %d unknown", completed, cancelled, applied, unknown)
	if completed == 0 || cancelled == 0 {
		t.Error("there was no race")
	}
	after := readLedger(t, quickURL(t))
	if made := after.Created - before.Created; made < completed+applied || made > completed+applied+unknown {
		t.Errorf("%d tokens were made", made)
	}
	for _, id := range after.Tokens[len(before.Tokens):] {
		if err := client.DeleteToken(background, id); err != nil {
			t.Error(err)
		}
	}
}

func TestDeadlineOfAContext(t *testing.T) {
	// Nothing else ends these calls.
	client := newClient(t, apivideo.Config{BaseURL: slowURL(t), Timeout: apivideo.NoLimit, AttemptTimeout: apivideo.NoLimit})
	for i := 0; i < 50; i++ {
		ctx, cancel := context.WithTimeout(background, time.Duration(i)*333*time.Microsecond)
		_, err := client.GetToken(ctx, "to1")
		cancel()
		failed(t, err, apivideo.ErrTimeout)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}

	// A context may also be cancelled before its deadline.
	before := readLedger(t, slowURL(t))
	ctx, cancel := context.WithTimeout(background, time.Hour)
	ended := make(chan error, 1)
	go func() { _, err := client.GetToken(ctx, "to1"); ended <- err }()
	until(t, "the call has arrived", func() bool { return readLedger(t, slowURL(t)).Requests > before.Requests })
	cancel()
	err := <-ended
	failed(t, err, apivideo.ErrCancelled)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// hidden does not tell its deadline beforehand.
type hidden struct{ context.Context }

func (hidden) Deadline() (time.Time, bool) { return time.Time{}, false }

func TestDeadlineThatAContextDoesNotTell(t *testing.T) {
	client := newClient(t, apivideo.Config{BaseURL: slowURL(t), Timeout: apivideo.NoLimit, AttemptTimeout: apivideo.NoLimit})
	ctx, cancel := context.WithTimeout(background, 20*time.Millisecond)
	defer cancel()
	_, err := client.GetToken(hidden{ctx}, "to1")
	failed(t, err, apivideo.ErrCancelled)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestTimeoutOfTheClient(t *testing.T) {
	client := newClient(t, apivideo.Config{BaseURL: slowURL(t), Timeout: 50 * time.Millisecond})
	_, err := client.GetToken(background, "to1")
	failed(t, err, apivideo.ErrTimeout)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("it is taken for the deadline of the context, which has none")
	}
}

// ---------------------------------------------------------------------------- threads and closing

func TestManyGoroutines(t *testing.T) {
	client := quickClient(t)
	var all sync.WaitGroup
	for i := 1; i <= 16; i++ {
		all.Add(1)
		go func(ttl time.Duration) {
			defer all.Done()
			for round := 0; round < 25; round++ {
				token, err := client.CreateToken(background, ttl)
				if err != nil || token.TTL != ttl {
					t.Errorf("%+v, %v", token, err)
					return
				}
				if got, err := client.GetToken(background, token.ID); err != nil || got != token {
					t.Errorf("%+v, %v", got, err)
				}
				if err := client.DeleteToken(background, token.ID); err != nil {
					t.Error(err)
				}
			}
		}(time.Duration(i) * time.Hour)
	}
	all.Wait()
}

func TestClosedClient(t *testing.T) {
	client := quickClient(t)
	begun := client.Tokens(apivideo.ListParams{})
	defer begun.Close()
	create(t, client, time.Hour)
	if !begun.Next(background) {
		t.Fatal(begun.Err())
	}
	for i := 0; i < 2; i++ {
		if err := client.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, closed := range []*apivideo.Client{client, {}} {
		_, created := closed.CreateToken(background, time.Hour)
		_, got := closed.GetToken(background, "to1")
		_, listed := closed.ListTokens(background, apivideo.ListParams{})
		deleted := closed.DeleteToken(background, "to1")
		tokens := closed.Tokens(apivideo.ListParams{})
		tokens.Next(background)
		for _, err := range []error{created, got, listed, deleted, tokens.Err()} {
			failed(t, err, apivideo.ErrInvalidArgument)
			if !errors.Is(err, apivideo.ErrClosed) {
				t.Error(err)
			}
		}
		closed.Close()
	}
	if begun.Next(background) || !errors.Is(begun.Err(), apivideo.ErrClosed) {
		t.Error(begun.Err())
	}
	begun.Close()
	begun.Close()
	if begun.Next(background) || begun.Err() != nil {
		t.Error(begun.Err())
	}
}

func TestIteratorsThatEndedDoNotKeepAClientOpen(t *testing.T) {
	descriptors := openDescriptors(t)
	client := quickClient(t)
	create(t, client, time.Hour)
	begun := client.Tokens(apivideo.ListParams{})
	begun.Next(background)
	begun.Close()
	ended := client.Tokens(apivideo.ListParams{})
	for ended.Next(background) {
	}
	refused := client.Tokens(apivideo.ListParams{SortBy: 99})
	refused.Next(background)
	client.Close()
	until(t, "the connection is closed", func() bool { return openDescriptors(t) <= descriptors })
}

func TestCloseWhileACallIsUnderWay(t *testing.T) {
	arrived, answer := make(chan struct{}), make(chan struct{})
	url := peer(t, func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-answer
		fmt.Fprint(w, `{"token":"to1"}`)
	})
	client := newClient(t, apivideo.Config{BaseURL: url})
	ended := make(chan error, 1)
	go func() { _, err := client.GetToken(background, "to1"); ended <- err }()
	<-arrived
	client.Close()
	close(answer)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func openDescriptors(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestCloseRacingCalls(t *testing.T) {
	descriptors := openDescriptors(t)
	for round := 0; round < 100; round++ {
		client, err := apivideo.New(apivideo.Config{APIKey: "wrong", BaseURL: quickURL(t), NoProxy: true})
		if err != nil {
			t.Fatal(err)
		}
		var begun, ended sync.WaitGroup
		for i := 0; i < 4; i++ {
			begun.Add(1)
			ended.Add(1)
			go func() {
				defer ended.Done()
				for calls := 0; ; calls++ {
					_, err := client.GetToken(background, "to1")
					if calls == 0 {
						begun.Done()
					}
					if errors.Is(err, apivideo.ErrClosed) {
						return
					}
					if !errors.Is(err, apivideo.ErrUnauthorized) {
						t.Error(err)
						return
					}
				}
			}()
		}
		begun.Wait()
		client.Close()
		ended.Wait()
	}
	until(t, "the connections are closed", func() bool { return openDescriptors(t) <= descriptors })
}

// ------------------------------------------------------------------------------------------ trace

func TestTrace(t *testing.T) {
	var mutex sync.Mutex
	var lines []string
	client := newClient(t, apivideo.Config{BaseURL: quickURL(t), TraceLevel: apivideo.TraceInfo, Trace: func(level apivideo.TraceLevel, line string) {
		mutex.Lock()
		defer mutex.Unlock()
		lines = append(lines, fmt.Sprint(level, " ", line))
	}})
	runtime.GC() // what the library keeps is not the collector's to take
	tokens := client.Tokens(apivideo.ListParams{})
	for tokens.Next(background) {
	}
	if len(lines) == 0 || !strings.Contains(lines[0], "GET") || !strings.HasPrefix(lines[0], "2 ") {
		t.Errorf("%q", lines)
	}
}

func TestPanicInTraceEndsTheProgram(t *testing.T) {
	if os.Getenv("APIVIDEO_TEST_PANIC") == "" {
		program := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
		program.Env = append(os.Environ(), "APIVIDEO_TEST_PANIC=1")
		output, err := program.CombinedOutput()
		if err == nil || !strings.Contains(string(output), "Config.Trace did not return: too much") {
			t.Errorf("%v: %s", err, output)
		}
		return
	}
	client := newClient(t, apivideo.Config{BaseURL: quickURL(t), TraceLevel: apivideo.TraceInfo, Trace: func(apivideo.TraceLevel, string) { panic("too much") }})
	defer func() { recover() }()
	client.GetToken(background, "to1")
}
