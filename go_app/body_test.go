package main

import (
	"encoding/json/v2"
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
		{"none", nil, 415},
		{"empty", []string{"Content-Type: "}, 415},
		{"malformed", []string{"Content-Type: application/json; ="}, 415},
		{"text", []string{"Content-Type: text/plain"}, 415},
		{"form", []string{"Content-Type: application/x-www-form-urlencoded"}, 415},
		{"a JSON dialect", []string{"Content-Type: application/problem+json"}, 415},
		{"compressed", []string{"Content-Type: application/json", "Content-Encoding: gzip"}, 415},
		{"compressed twice", []string{"Content-Type: application/json", "Content-Encoding: identity", "Content-Encoding: gzip"}, 415},
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
	name   string
	body   string
	status int
	detail string // part of it
}{
	{"empty", ``, 400, "is not one JSON value"},
	{"blank", " \n", 400, "is not one JSON value"},
	{"cut off", `{"title":"a"`, 400, "is not one JSON value"},
	{"text", `title`, 400, "is not one JSON value"},
	{"single quotes", `{'title':'a'}`, 400, "is not one JSON value"},
	{"comment", `{"title":"a"}//`, 400, "is not one JSON value"},
	{"trailing comma", `{"title":"a",}`, 400, "is not one JSON value"},
	{"trailing value", `{"title":"a"}{}`, 400, "is not one JSON value"},
	{"trailing text", `{"title":"a"} x`, 400, "is not one JSON value"},
	{"trailing NUL", "{\"title\":\"a\"}\x00", 400, "is not one JSON value"},
	{"byte order mark", "\ufeff{\"title\":\"a\"}", 400, "is not one JSON value"},
	{"not UTF-8", "{\"title\":\"\xff\"}", 400, "is not one JSON value"},
	{"half a surrogate pair", `{"title":"\ud800"}`, 400, "is not one JSON value"},
	{"raw newline", "{\"title\":\"a\nb\"}", 400, "is not one JSON value"},
	{"duplicate member", `{"title":"a","title":"b"}`, 400, "is not one JSON value"},

	{"array", `[]`, 422, `at ""`},
	{"string", `"title"`, 422, `at ""`},
	{"number", `1`, 422, `at ""`},
	{"null", `null`, 422, "title"},
	{"no title", `{}`, 422, "title"},
	{"null title", `{"title":null}`, 422, "title"},
	{"empty title", `{"title":""}`, 422, "title"},
	{"blank title", `{"title":" \u3000\t"}`, 422, "title"},
	{"two-line title", `{"title":"a\nb"}`, 422, "title"},
	{"line separator in the title", `{"title":"a\u2028b"}`, 422, "title"},
	{"invisible title", `{"title":"\u200b"}`, 422, "title"},
	{"title in another direction", `{"title":"a\u202eb"}`, 422, "title"},
	{"NUL in the title", `{"title":"a\u0000"}`, 422, "title"},
	{"long title", `{"title":"` + strings.Repeat("界", maxTitleLength+1) + `"}`, 422, "title"},
	{"long body", `{"title":"a","body":"` + strings.Repeat("b", maxBodyLength+1) + `"}`, 422, "body"},
	{"two faults", `{"title":"","body":"` + strings.Repeat("b", maxBodyLength+1) + `"}`, 422, "title"},
	{"number for a title", `{"title":1}`, 422, "title"},
	{"object for a body", `{"title":"a","body":{}}`, 422, "body"},
	{"unknown member", `{"title":"a","x":1}`, 422, `at "/x"`},
	{"read-only member", `{"id":7,"title":"a"}`, 422, `at "/id"`},
	{"another case", `{"Title":"a"}`, 422, `at "/Title"`},
	{"a name to escape", `{"a/b~c":1}`, 422, `at "/a~1b~0c"`},
}

// post sends a note to a new API.
func post(t *testing.T, body string) (*http.Response, string) {
	t.Helper()
	return do(t, newAPI(discard()).handler(), "POST", notesPath, body, jsonType)
}

func TestNoteJSON(t *testing.T) {
	for _, tt := range accepted {
		t.Run("accepts "+tt.body[:min(len(tt.body), 30)], func(t *testing.T) {
			resp, body := post(t, tt.body)
			got := decodeJSON[note](t, body)
			if resp.StatusCode != http.StatusCreated || (noteInput{got.Title, got.Body}) != tt.want {
				t.Errorf("got %d %s, want %+v", resp.StatusCode, body, tt.want)
			}
		})
	}
	for _, tt := range refused {
		t.Run("refuses "+tt.name, func(t *testing.T) {
			resp, body := post(t, tt.body)
			p := decodeJSON[problem](t, body)
			if resp.StatusCode != tt.status || !strings.Contains(p.Detail, tt.detail) {
				t.Errorf("got %d %s, want %d with %s", resp.StatusCode, body, tt.status, tt.detail)
			}
		})
	}
}

// FuzzNoteJSON checks that any text is either a note, which survives being
// written and read again, or a problem of status 400, 413 or 422.
func FuzzNoteJSON(f *testing.F) {
	for _, tt := range accepted {
		f.Add(tt.body)
	}
	for _, tt := range refused {
		f.Add(tt.body)
	}
	f.Fuzz(func(t *testing.T, text string) {
		resp, body := post(t, text)
		switch resp.StatusCode {
		case 400, 413, 422:
			return
		case 201:
		default:
			t.Fatalf("%q is answered with %d %s", text, resp.StatusCode, body)
		}
		first := decodeJSON[note](t, body)
		again, err := json.Marshal(noteInput{first.Title, first.Body})
		if err != nil {
			t.Fatal(err)
		}
		if _, body := post(t, string(again)); decodeJSON[note](t, body).Title != first.Title || decodeJSON[note](t, body).Body != first.Body {
			t.Errorf("%q is written as %s and read as %s", text, again, body)
		}
	})
}
