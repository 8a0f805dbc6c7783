package main

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strconv"
)

// problem is an error response as RFC 9457 describes it.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// newProblem makes an error of what was wrong with a request, so that handlers
// can return it.
func newProblem(status int, format string, args ...any) *problem {
	return &problem{"about:blank", http.StatusText(status), status, fmt.Sprintf(format, args...)}
}

func (p *problem) Error() string { return p.Detail }

// send writes v as the whole response. JSON types have no charset parameter
// (RFC 8259, section 11).
func send(w http.ResponseWriter, status int, contentType string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // it fails if the client is gone: nobody is left to tell
	return nil
}

// maxBodyBytes bounds a request's body. It leaves room for the longest valid
// note with every character escaped as a surrogate pair, which is twelve
// bytes of JSON each.
const maxBodyBytes = 64 << 10

// readBody reads the one JSON object that r carries into v. The error is a
// [*problem].
func readBody(w http.ResponseWriter, r *http.Request, v any) error {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/json" {
		return newProblem(http.StatusUnsupportedMediaType, "the Content-Type must be application/json")
	}
	if len(r.Header.Values("Content-Encoding")) > 0 {
		return newProblem(http.StatusUnsupportedMediaType, "the body must not have a Content-Encoding")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return newProblem(http.StatusRequestEntityTooLarge, "the body must not be longer than %d bytes", maxBodyBytes)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return newProblem(http.StatusRequestTimeout, "the body took too long to arrive")
	}
	if err != nil {
		return newProblem(http.StatusBadRequest, "the body could not be read to its end")
	}
	w.Header().Del("Connection") // see [api.observe]

	// This is version 2 of encoding/json since version 1 lets through text
	// that is not UTF-8, members named twice and names in another case.
	err = json.Unmarshal(body, v, json.RejectUnknownMembers(true))
	if mismatch, ok := errors.AsType[*json.SemanticError](err); ok {
		return newProblem(http.StatusUnprocessableEntity, "the body does not fit at %q: it takes an object with title and body, both strings", mismatch.JSONPointer)
	}
	if err != nil {
		return newProblem(http.StatusBadRequest, "the body is not one JSON value with unique names: %v", err)
	}
	return nil
}
