package main

import (
	"encoding/json/v2"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// discard is a logger for tests that do not look at the log.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// do sends a request to h and returns the response and its body, after
// checking what must hold for every response of the API. Headers are given
// as "Name: value".
func do(t *testing.T, h http.Handler, method, target, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	req := httptest.NewRequest(method, target, strings.NewReader(body))
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		req.Header.Add(name, value)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	resp := rec.Result()
	checkResponse(t, resp, rec.Body.String())
	return resp, rec.Body.String()
}

// checkResponse reports what is wrong with a response whatever the route.
func checkResponse(t *testing.T, resp *http.Response, body string) {
	t.Helper()
	want := map[string]string{"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
	for name, value := range want {
		if got := resp.Header.Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	if resp.Header.Get(requestIDHeader) == "" {
		t.Errorf("no %s", requestIDHeader)
	}
	contentType := resp.Header.Get("Content-Type")
	if resp.StatusCode == http.StatusNoContent {
		if body != "" || contentType != "" {
			t.Errorf("204 with Content-Type %q and body %q", contentType, body)
		}
		return
	}
	if got, want := resp.Header.Get("Content-Length"), strconv.Itoa(len(body)); got != want {
		t.Errorf("Content-Length = %q, want %q", got, want)
	}
	if resp.StatusCode < 400 {
		if contentType != "application/json" {
			t.Errorf("Content-Type = %q, want application/json", contentType)
		}
		return
	}
	if contentType != "application/problem+json" {
		t.Errorf("Content-Type = %q, want application/problem+json", contentType)
	}
	p := decodeJSON[problem](t, body)
	if p.Status != resp.StatusCode || p.Title != http.StatusText(resp.StatusCode) || p.Type != "about:blank" {
		t.Errorf("the problem is %s in a response of status %d", body, resp.StatusCode)
	}
}

// decodeJSON decodes body, which must have no members that T lacks.
func decodeJSON[T any](t *testing.T, body string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(body), &v, json.RejectUnknownMembers(true)); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	return v
}

func TestVersionRoute(t *testing.T) {
	resp, body := do(t, newAPI(discard()).handler(), "GET", "/version", "")
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status = %d", resp.StatusCode)
	}
	got := decodeJSON[buildInfo](t, body)
	if got != readBuildInfo() {
		t.Errorf("got %+v, want %+v", got, readBuildInfo())
	}
	if got.Go != runtime.Version() || got.OS != runtime.GOOS || got.Arch != runtime.GOARCH {
		t.Errorf("got %+v, want the toolchain and the platform of this test", got)
	}
	if got.Version != "dev" || got.Revision != "unknown" {
		t.Errorf("got %+v, want what holds without the linker's flags", got)
	}
}

// Whatever has no route is a 404 in JSON: no redirect, no HTML.
func TestUnknownRoutes(t *testing.T) {
	h := newAPI(discard()).handler()
	targets := []string{
		"/", "/x", "/healthz/", "//healthz", "/./healthz", "/x/../healthz", "/HEALTHZ", "/api", "/api/v1",
		"/api/v1/", "/api/v1/notes/", "/api/v1/notes/1/", "/api/v1/notes/1/2", "/api/v2/notes", "/%ff", "/%2e%2e",
	}
	for _, target := range targets {
		for _, method := range []string{"GET", "POST", "DELETE", "CONNECT"} {
			t.Run(method+" "+target, func(t *testing.T) {
				resp, _ := do(t, h, method, target, "")
				if resp.StatusCode != http.StatusNotFound {
					t.Errorf("status = %d, want 404", resp.StatusCode)
				}
			})
		}
	}
}

func TestMethodNotAllowed(t *testing.T) {
	h := newAPI(discard()).handler()
	allowed := map[string]string{
		"/healthz":        "GET, HEAD",
		"/version":        "GET, HEAD",
		"/api/v1/notes":   "GET, HEAD, POST",
		"/api/v1/notes/1": "GET, HEAD, PUT, DELETE",
	}
	for path, allow := range allowed {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW"} {
			if slices.Contains(strings.Split(allow, ", "), method) {
				continue
			}
			t.Run(method+" "+path, func(t *testing.T) {
				resp, _ := do(t, h, method, path, "")
				if resp.StatusCode != http.StatusMethodNotAllowed {
					t.Errorf("status = %d, want 405", resp.StatusCode)
				}
				if got := resp.Header.Get("Allow"); got != allow {
					t.Errorf("Allow = %q, want %q", got, allow)
				}
			})
		}
	}
}

// HEAD answers with the header of GET and nothing else, over a real connection.
func TestHead(t *testing.T) {
	srv := httptest.NewServer(newAPI(discard()).handler())
	defer srv.Close()
	if resp, err := http.Post(srv.URL+notesPath, "application/json", strings.NewReader(`{"title":"a"}`)); err != nil {
		t.Fatal(err)
	} else {
		resp.Body.Close()
	}
	for _, path := range []string{"/healthz", "/version", notesPath, notesPath + "/1", notesPath + "/2", "/x"} {
		t.Run(path, func(t *testing.T) {
			var got [2]*http.Response
			var body [2][]byte
			for i, method := range []string{"GET", "HEAD"} {
				req, err := http.NewRequest(method, srv.URL+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set(requestIDHeader, "same")
				if got[i], err = http.DefaultClient.Do(req); err != nil {
					t.Fatal(err)
				}
				defer got[i].Body.Close()
				if body[i], err = io.ReadAll(got[i].Body); err != nil {
					t.Fatal(err)
				}
				got[i].Header.Del("Date")
			}
			checkResponse(t, got[0], string(body[0]))
			if len(body[1]) != 0 {
				t.Errorf("HEAD has the body %q", body[1])
			}
			if got[0].StatusCode != got[1].StatusCode {
				t.Errorf("status = %d for GET, %d for HEAD", got[0].StatusCode, got[1].StatusCode)
			}
			for name, want := range got[0].Header {
				if !slices.Equal(got[1].Header[name], want) {
					t.Errorf("%s = %q for HEAD, %q for GET", name, got[1].Header[name], want)
				}
			}
		})
	}
}

// An error that is no problem is logged, and its text is not sent.
func TestHandlerError(t *testing.T) {
	log, records := recordLog()
	a := newAPI(log)
	h := a.observe(a.router([]route{{"GET", "/fail", func(http.ResponseWriter, *http.Request) error {
		return errors.New("secret")
	}}}))
	resp, body := do(t, h, "GET", "/fail", "", requestIDHeader+": r-1")
	if resp.StatusCode != http.StatusInternalServerError || strings.Contains(body, "secret") {
		t.Errorf("got %d %s, want a bare 500", resp.StatusCode, body)
	}
	got := records(t)
	if len(got) != 2 || got[0]["msg"] != "handler failed" || got[0]["error"] != "secret" || got[0]["request_id"] != "r-1" {
		t.Errorf("the log is %v", got)
	}
}
