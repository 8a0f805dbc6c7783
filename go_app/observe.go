package main

import (
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// requestIDHeader carries the request's id, on the way in and on the way out.
const requestIDHeader = "X-Request-Id"

// observe wraps next with what every request needs: a request id, the common
// response headers, and one line of log, which holds no query, header or
// body, since any of these may be secret. (Panics are recovered and logged by
// net/http, which then ends the connection.)
func (a *api) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := requestID(r)
		h := w.Header()
		h.Set(requestIDHeader, id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		if r.ContentLength != 0 {
			// To keep the connection, net/http would read what the handler
			// leaves of the body before it answers, and wait for it.
			// [readBody] takes this back once all has been read.
			h.Set("Connection", "close")
			// The rest may still come, but not for long.
			defer func() {
				if h.Get("Connection") == "close" {
					_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(lingerTimeout))
				}
			}()
		}

		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, r)

		level := slog.LevelInfo
		switch {
		case rec.status >= http.StatusInternalServerError:
			level = slog.LevelWarn
		case rec.status == http.StatusOK && r.URL.Path == "/healthz":
			level = slog.LevelDebug // asked for every few seconds, it would drown the log
		}
		a.log.Log(r.Context(), level, "request",
			"method", r.Method,
			"path", r.URL.Path,
			"status", rec.status,
			"duration_ms", float64(time.Since(start).Microseconds())/1000,
			"request_id", id)
	})
}

// requestID returns the id that the client sent, if it is fit for logs and
// headers, and a new one otherwise.
func requestID(r *http.Request) string {
	const allowed = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"
	id := r.Header.Get(requestIDHeader)
	if id == "" || len(id) > 64 || strings.Trim(id, allowed) != "" {
		return rand.Text()
	}
	return id
}

// recorder notes the status of a response for the log.
type recorder struct {
	http.ResponseWriter
	status int
}

func (rec *recorder) WriteHeader(status int) {
	rec.status = status
	rec.ResponseWriter.WriteHeader(status)
}
