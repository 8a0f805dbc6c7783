package main

import (
	"encoding/json/v2"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestContentType(t *testing.T) {
	h := newAPI(discard()).handler()
	tests := []struct {
		name    string
		headers []string
		status  int
	}{
		{"JSON", []string{"Content-Type: application/json"}, 201},
		{"JSON in UTF-8", []string{"Content-Type: application/json; charset=utf-8"}, 201},
		{"any case", []string{"Content-Type: Application/JSON;Charset=UTF-8"}, 201},
		{"identity", []string{"Content-Type: application/json", "Content-Encoding: identity"}, 201},
		{"none", nil, 415},
		{"empty", []string{"Content-Type: "}, 415},
		{"malformed", []string{"Content-Type: application/json; ="}, 415},
		{"another charset", []string{"Content-Type: application/json; charset=latin1"}, 415},
		{"text", []string{"Content-Type: text/plain"}, 415},
		{"form", []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		{"a JSON dialect", []string{"Content-Type: application/problem+json"}, 415},
		{"two types", []string{"Content-Type: application/json", "Content-Type: text/plain"}, 415},
		{"compressed", []string{"Content-Type: application/json", "Content-Encoding: gzip"}, 415},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := do(t, h, "POST", notesPath, `{"title":"a"}`, tt.headers...)
			if resp.StatusCode != tt.status {
				t.Errorf("got %d %s, want %d", resp.StatusCode, body, tt.status)
			}
		})
	}
}

// onlyReader hides the length of what it reads, so that the body is chunked.
type onlyReader struct{ io.Reader }

func TestBodySize(t *testing.T) {
	srv := httptest.NewServer(newAPI(discard()).handler())
	t.Cleanup(srv.Close)
	pad := func(n int) string { return `{"title":"a"` + strings.Repeat(" ", n-len(`{"title":"a"}`)) + `}` }
	// The longest note in its longest spelling.
	longest := `{"title":"` + strings.Repeat(`\ud83d\ude00`, maxTitleLength) + `","body":"` + strings.Repeat(`\ud83d\ude00`, maxBodyLength) + `"}`
	tests := []struct {
		name   string
		body   io.Reader
		status int
	}{
		{"the longest note", strings.NewReader(longest), 201},
		{"at the limit", strings.NewReader(pad(maxBodyBytes)), 201},
		{"at the limit, chunked", onlyReader{strings.NewReader(pad(maxBodyBytes))}, 201},
		{"beyond the limit", strings.NewReader(pad(maxBodyBytes + 1)), 413},
		{"beyond the limit, chunked", onlyReader{strings.NewReader(pad(maxBodyBytes + 1))}, 413},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := http.Post(srv.URL+notesPath, "application/json", tt.body)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			checkResponse(t, resp, string(body))
			if resp.StatusCode != tt.status {
				t.Errorf("got %d %.200s, want %d", resp.StatusCode, body, tt.status)
			}
			if resp.Close != (tt.status == 413) {
				t.Errorf("Connection: close is %t", resp.Close)
			}
		})
	}
}

// A body that is announced as too long is refused before any of it is sent.
func TestAnnouncedBodySize(t *testing.T) {
	srv := httptest.NewServer(newAPI(discard()).handler())
	t.Cleanup(srv.Close)
	up := announceUpload(t, srv.Listener.Addr().String(), maxBodyBytes+1)
	resp, body := up.response(t)
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d %s, want 413", resp.StatusCode, body)
	}
}

// A body that does not arrive in time is a 408, which ends the connection.
func TestSlowBody(t *testing.T) {
	srv := httptest.NewUnstartedServer(newAPI(discard()).handler())
	srv.Config.ReadTimeout = 50 * time.Millisecond
	srv.Start()
	t.Cleanup(srv.Close)
	up := startUpload(t, srv.Listener.Addr().String(), 100)
	resp, body := up.response(t)
	if resp.StatusCode != http.StatusRequestTimeout || !resp.Close {
		t.Errorf("got %d %s, Connection: close is %t, want 408 and true", resp.StatusCode, body, resp.Close)
	}
}

// A body that is cut off is a 400, not a shorter note.
func TestTruncatedBody(t *testing.T) {
	a := newAPI(discard())
	srv := httptest.NewServer(a.handler())
	t.Cleanup(srv.Close)
	up := startUpload(t, srv.Listener.Addr().String(), 100)
	up.send(t, `{"title":"a"}`)
	if err := up.conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	resp, body := up.response(t)
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("got %d %s, want 400", resp.StatusCode, body)
	}
	if _, total := a.notes.list(0, 1); total != 0 {
		t.Error("the note was created")
	}
}

// accepted and refused are also the seeds of the fuzz test.
var accepted = []struct {
	body string
	want noteInput
}{
	{`{"title":"a"}`, noteInput{"a", ""}},
	{" \t\r\n{ \"body\" : \"b\" , \"title\" : \"a\" } \n", noteInput{"a", "b"}},
	{`{"title":"買い物","body":"牛乳\n卵"}`, noteInput{"買い物", "牛乳\n卵"}},
	{`{"title":"\u0061\ud83d\ude00"}`, noteInput{"a😀", ""}},
	{`{"title":" a "}`, noteInput{" a ", ""}},
	{`{"title":"<a>&\"\\"}`, noteInput{`<a>&"\`, ""}},
	{`{"title":"` + strings.Repeat("界", maxTitleLength) + `"}`, noteInput{strings.Repeat("界", maxTitleLength), ""}},
	{`{"title":"a","body":"` + strings.Repeat("界", maxBodyLength) + `"}`, noteInput{"a", strings.Repeat("界", maxBodyLength)}},
}

var refused = []struct {
	name     string
	body     string
	status   int
	pointers []string
}{
	{"empty", ``, 400, nil},
	{"blank", " \n", 400, nil},
	{"cut off", `{"title":"a"`, 400, nil},
	{"cut off after a fault", `{"x":1`, 400, nil},
	{"text", `title`, 400, nil},
	{"single quotes", `{'title':'a'}`, 400, nil},
	{"comment", `{"title":"a"}//`, 400, nil},
	{"trailing comma", `{"title":"a",}`, 400, nil},
	{"trailing value", `{"title":"a"}{}`, 400, nil},
	{"trailing text", `{"title":"a"} x`, 400, nil},
	{"trailing NUL", "{\"title\":\"a\"}\x00", 400, nil},
	{"byte order mark", "\ufeff{\"title\":\"a\"}", 400, nil},
	{"not UTF-8", "{\"title\":\"\xff\"}", 400, nil},
	{"half a surrogate pair", `{"title":"\ud800"}`, 400, nil},
	{"raw newline", "{\"title\":\"a\nb\"}", 400, nil},
	{"duplicate member", `{"title":"a","title":"b"}`, 400, nil},
	{"duplicate unknown member", `{"x":1,"x":2}`, 400, nil},
	{"too deep", strings.Repeat("[", 20_000), 400, nil},

	{"array", `[]`, 422, []string{""}},
	{"string", `"title"`, 422, []string{""}},
	{"number", `1`, 422, []string{""}},
	{"null", `null`, 422, []string{"/title"}},
	{"no title", `{}`, 422, []string{"/title"}},
	{"null title", `{"title":null}`, 422, []string{"/title"}},
	{"empty title", `{"title":""}`, 422, []string{"/title"}},
	{"blank title", `{"title":" \u3000\t"}`, 422, []string{"/title"}},
	{"two-line title", `{"title":"a\nb"}`, 422, []string{"/title"}},
	{"NUL in the title", `{"title":"a\u0000"}`, 422, []string{"/title"}},
	{"long title", `{"title":"` + strings.Repeat("界", maxTitleLength+1) + `"}`, 422, []string{"/title"}},
	{"long body", `{"title":"a","body":"` + strings.Repeat("b", maxBodyLength+1) + `"}`, 422, []string{"/body"}},
	{"two faults", `{"title":"","body":"` + strings.Repeat("b", maxBodyLength+1) + `"}`, 422, []string{"/title", "/body"}},
	{"number for a title", `{"title":1}`, 422, []string{"/title"}},
	{"object for a body", `{"title":"a","body":{}}`, 422, []string{"/body"}},
	{"unknown member", `{"title":"a","x":1}`, 422, []string{"/x"}},
	{"read-only member", `{"id":7,"title":"a"}`, 422, []string{"/id"}},
	{"another case", `{"Title":"a"}`, 422, []string{"/Title"}},
	{"a name to escape", `{"a/b~c":1}`, 422, []string{"/a~1b~0c"}},
}

func TestParseNote(t *testing.T) {
	for _, tt := range accepted {
		t.Run("accepts "+tt.body[:min(len(tt.body), 30)], func(t *testing.T) {
			got, err := parseNote([]byte(tt.body))
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
	for _, tt := range refused {
		t.Run("refuses "+tt.name, func(t *testing.T) {
			got, err := parseNote([]byte(tt.body))
			p, ok := errors.AsType[*problem](err)
			if !ok || got != (noteInput{}) {
				t.Fatalf("got %+v, %v, want a problem", got, err)
			}
			var pointers []string
			for _, fault := range p.Errors {
				pointers = append(pointers, fault.Pointer)
			}
			if p.Status != tt.status || strings.Join(pointers, " ") != strings.Join(tt.pointers, " ") || len(pointers) != len(tt.pointers) {
				t.Errorf("got %d %q, want %d %q", p.Status, pointers, tt.status, tt.pointers)
			}
		})
	}
}

// FuzzParseNote checks that any text is either a valid note, which survives
// being written and read again, or a problem of status 400 or 422 that can be
// sent; and that only JSON is ever accepted.
func FuzzParseNote(f *testing.F) {
	for _, tt := range accepted {
		f.Add([]byte(tt.body))
	}
	for _, tt := range refused {
		f.Add([]byte(tt.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		in, err := parseNote(body)
		if err != nil {
			p, ok := errors.AsType[*problem](err)
			if !ok || p.Status != 400 && p.Status != 422 {
				t.Fatalf("%q is refused with %v", body, err)
			}
			if (p.Status == 422) != (len(p.Errors) > 0) {
				t.Errorf("%q is refused with %d and the faults %v", body, p.Status, p.Errors)
			}
			if _, err := json.Marshal(p); err != nil {
				t.Errorf("%q is refused with what cannot be sent: %v", body, err)
			}
			return
		}
		if err := in.validate(); err != nil {
			t.Errorf("%q is accepted as the invalid %+v: %v", body, in, err)
		}
		text, err := json.Marshal(in)
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", in, err)
		}
		again, err := parseNote(text)
		if err != nil || again != in {
			t.Errorf("%+v is written as %s and read as %+v, %v", in, text, again, err)
		}
	})
}
