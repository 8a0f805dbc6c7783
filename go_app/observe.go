package main

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// requestIDHeader carries the request's id, on the way in and on the way out.
const requestIDHeader = "X-Request-Id"

// observe wraps next with what every request needs: a request id, the common
// response headers, recovery from panics, and one line of log.
//
// The log line holds no query, header or body: any of these may be secret.
func (a *api) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		id := requestID(r)
		h := w.Header()
		h.Set(requestIDHeader, id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")

		rec := &recorder{ResponseWriter: w, head: r.Method == http.MethodHead}
		defer func() {
			abort := a.handlePanic(recover(), rec, r, id)
			level := slog.LevelInfo
			switch {
			case rec.status >= http.StatusInternalServerError:
				level = slog.LevelWarn
			case rec.status == http.StatusOK && isProbe(r.URL.Path):
				level = slog.LevelDebug
			}
			a.log.LogAttrs(r.Context(), level, "request",
				slog.String("method", r.Method),
				slog.String("path", r.URL.Path),
				slog.Int("status", rec.status),
				slog.Int64("bytes", rec.bytes),
				slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
				slog.String("request_id", id))
			if abort {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(rec, r)
	})
}

// handlePanic deals with v, the value of a recovered panic, if there was one:
// it is logged, and the client gets a 500. It reports whether the connection
// must be aborted, because a response has begun that cannot be finished or
// because the handler asked for it.
func (a *api) handlePanic(v any, rec *recorder, r *http.Request, id string) (abort bool) {
	if v == nil {
		return false
	}
	if v == http.ErrAbortHandler {
		return true
	}
	a.log.LogAttrs(r.Context(), slog.LevelError, "panic",
		slog.String("request_id", id),
		slog.String("value", fmt.Sprint(v)),
		slog.String("stack", string(debug.Stack())))
	if rec.status != 0 {
		return true
	}
	newProblem(http.StatusInternalServerError, "").write(rec)
	return false
}

// isProbe reports whether path is one that orchestrators ask for every few
// seconds. Their successes would drown the log.
func isProbe(path string) bool {
	return path == "/healthz" || path == "/readyz"
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

// recorder notes the status and the size of a response for the log.
type recorder struct {
	http.ResponseWriter
	head   bool  // the request's method is HEAD: its body is not sent
	status int   // 0 until the response header is written
	bytes  int64 // of the body
}

func (rec *recorder) WriteHeader(status int) {
	// Informational responses precede the real one.
	if rec.status == 0 && status >= http.StatusOK {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

func (rec *recorder) Write(b []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(b)
	if !rec.head {
		rec.bytes += int64(n)
	}
	return n, err
}

// Unwrap lets [http.ResponseController] reach the server's own writer.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }
