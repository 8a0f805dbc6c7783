package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A response is never lost to a text that JSON cannot hold.
func TestProblemNotUTF8(t *testing.T) {
	rec := httptest.NewRecorder()
	newProblem(http.StatusBadRequest, "\xff").write(rec)
	if got, want := rec.Body.String(), `{"type":"about:blank","status":400}`; rec.Code != 400 || got != want {
		t.Errorf("got %d %s, want 400 %s", rec.Code, got, want)
	}
}

// A value that cannot be encoded is an error before anything is sent.
func TestWriteJSONError(t *testing.T) {
	rec := httptest.NewRecorder()
	if err := writeJSON(rec, http.StatusOK, func() {}); err == nil {
		t.Error("a function was encoded")
	}
	if rec.Body.Len() > 0 || len(rec.Header()) > 0 {
		t.Errorf("header %v and body %q were sent", rec.Header(), rec.Body)
	}
}

func TestProblemError(t *testing.T) {
	for detail, want := range map[string]string{"": "Not Found", "no such note": "Not Found: no such note"} {
		if got := newProblem(http.StatusNotFound, detail).Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
