package main

import (
	"encoding/json/v2"
	"net/http"
	"strconv"
)

// problem is an error response as RFC 9457 describes it.
type problem struct {
	Type   string         `json:"type"`
	Title  string         `json:"title"`
	Status int            `json:"status"`
	Detail string         `json:"detail,omitzero"`
	Errors []invalidValue `json:"errors,omitempty"`
}

// invalidValue is one fault in the request's body.
type invalidValue struct {
	Pointer string `json:"pointer"` // JSON Pointer (RFC 6901); "" is the whole body
	Detail  string `json:"detail"`
}

func newProblem(status int, detail string) *problem {
	return &problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail}
}

// Error makes a problem an error, so that handlers can return it.
func (p *problem) Error() string {
	if p.Detail == "" {
		return p.Title
	}
	return p.Title + ": " + p.Detail
}

// write sends p as the response.
func (p *problem) write(w http.ResponseWriter) {
	switch p.Status {
	case http.StatusRequestTimeout, http.StatusRequestEntityTooLarge:
		// The rest of the body is still to come, and nobody will read it.
		w.Header().Set("Connection", "close")
	}
	body, err := json.Marshal(p)
	if err != nil {
		// Only text that is not UTF-8 can get here; say the rest.
		body = []byte(`{"type":"about:blank","status":` + strconv.Itoa(p.Status) + `}`)
	}
	send(w, p.Status, "application/problem+json", body)
}

// writeJSON sends v as the response. An error means that nothing was sent.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	send(w, status, "application/json", body)
	return nil
}

// send writes a complete response. JSON types have no charset parameter
// (RFC 8259, section 11).
func send(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A failed write means that the client is gone: nobody is left to tell.
	_, _ = w.Write(body)
}
