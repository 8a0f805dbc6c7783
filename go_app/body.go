package main

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
)

// maxBodyBytes bounds a request's body. It leaves room for the longest valid
// note with every character escaped as a surrogate pair, which is twelve
// bytes of JSON each.
const maxBodyBytes = 128 << 10

// readBody returns the JSON text that r carries. The error is a [*problem]:
// 415 for another content type, 413 for too long a body, 408 for one that
// takes too long, 400 for one that ends early.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if !isJSON(r.Header.Values("Content-Type")) {
		return nil, newProblem(http.StatusUnsupportedMediaType, "the Content-Type must be application/json, in UTF-8")
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		w.Header().Set("Accept-Encoding", "identity")
		return nil, newProblem(http.StatusUnsupportedMediaType, "the body must not have a Content-Encoding")
	}
	tooLarge := newProblem(http.StatusRequestEntityTooLarge, fmt.Sprintf("the body must not be longer than %d bytes", maxBodyBytes))
	if r.ContentLength > maxBodyBytes {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err == nil {
		return body, nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, tooLarge
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, newProblem(http.StatusRequestTimeout, "the body took too long to arrive")
	}
	return nil, newProblem(http.StatusBadRequest, "the body could not be read to its end")
}

// isJSON reports whether values, a request's Content-Type, mean JSON in UTF-8.
func isJSON(values []string) bool {
	if len(values) != 1 {
		return false
	}
	mediaType, params, err := mime.ParseMediaType(values[0])
	if err != nil || mediaType != "application/json" {
		return false
	}
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8")
}

// decode reads body, one JSON object and nothing after it, into v, a pointer
// to a struct whose fields are strings. The error is a [*problem]: 400 if body
// is not JSON or names a member twice, 422 if it is JSON of another shape.
func decode(body []byte, v any) error {
	// The syntax comes first, over the whole text. Decoding into v stops at
	// the first member that does not fit, whatever follows it.
	var raw jsontext.Value
	if err := json.Unmarshal(body, &raw); err != nil {
		return malformed(err)
	}
	err := json.Unmarshal(body, v, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	mismatch, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return err
	}
	pointer := string(mismatch.JSONPointer)
	detail := "must be a string"
	switch {
	case errors.Is(err, json.ErrUnknownName):
		detail = "is not a member of this resource"
	case pointer == "":
		detail = "must be an object"
	}
	return invalid(invalidValue{pointer, detail})
}

func malformed(err error) *problem {
	detail := "the body is not one JSON value"
	if errors.Is(err, jsontext.ErrDuplicateName) {
		detail = "the body names a member of an object twice"
	}
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		detail += fmt.Sprintf(": see byte %d", syntax.ByteOffset)
	}
	return newProblem(http.StatusBadRequest, detail)
}

func invalid(faults ...invalidValue) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "the body is JSON, but not what this resource takes")
	p.Errors = faults
	return p
}
