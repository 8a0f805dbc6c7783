package main

import (
	"bytes"
	"encoding/json/v2"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// logBuffer is a buffer that a server may write to while a test reads it.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// recordLog returns a logger, and a function that returns its records.
func recordLog() (*slog.Logger, func(*testing.T) []map[string]any) {
	buf := new(logBuffer)
	log := slog.New(slog.NewJSONHandler(buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
	return log, func(t *testing.T) []map[string]any {
		t.Helper()
		var records []map[string]any
		for line := range strings.Lines(buf.String()) {
			var record map[string]any
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatalf("log line %q: %v", line, err)
			}
			records = append(records, record)
		}
		return records
	}
}

func TestRequestLog(t *testing.T) {
	tests := []struct {
		method, target string
		level          string
		path           string
		status         float64
	}{
		{"GET", "/version?token=secret", "INFO", "/version", 200},
		{"GET", "/healthz", "DEBUG", "/healthz", 200},
		{"HEAD", "/healthz", "DEBUG", "/healthz", 200},
		{"POST", "/healthz", "INFO", "/healthz", 405},
		{"GET", "/a%0Ab", "INFO", "/a\nb", 404},
		{"POST", "/api/v1/notes", "INFO", "/api/v1/notes", 415},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			log, records := recordLog()
			resp, _ := do(t, newAPI(log).handler(), tt.method, tt.target, "secret",
				"Authorization: Bearer secret", "Cookie: s=secret")
			got := records(t)
			if len(got) != 1 {
				t.Fatalf("%d log records, want one: %v", len(got), got)
			}
			want := map[string]any{
				"msg": "request", "level": tt.level, "method": tt.method, "path": tt.path, "status": tt.status,
				"request_id": resp.Header.Get(requestIDHeader),
			}
			for key, value := range want {
				if got[0][key] != value {
					t.Errorf("%s = %v, want %v", key, got[0][key], value)
				}
			}
			if d, ok := got[0]["duration_ms"].(float64); !ok || d < 0 {
				t.Errorf("duration_ms = %v", got[0]["duration_ms"])
			}
			for key, value := range got[0] {
				if s, ok := value.(string); ok && strings.Contains(s, "secret") {
					t.Errorf("the log tells a secret: %s = %q", key, s)
				}
			}
		})
	}
}

func TestRequestID(t *testing.T) {
	h := newAPI(discard()).handler()
	tests := []struct {
		name, sent string
		kept       bool
	}{
		{"fit", "abc-1.2_Z", true},
		{"longest", strings.Repeat("a", 64), true},
		{"too long", strings.Repeat("a", 65), false},
		{"empty", "", false},
		{"blank", "a b", false},
		{"markup", "<script>", false},
		{"not ASCII", "é", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, _ := do(t, h, "GET", "/healthz", "", requestIDHeader+": "+tt.sent)
			if got := resp.Header.Get(requestIDHeader); (got == tt.sent) != tt.kept {
				t.Errorf("sent %q, got %q", tt.sent, got)
			}
		})
	}

	first, _ := do(t, h, "GET", "/healthz", "")
	second, _ := do(t, h, "GET", "/healthz", "")
	if first.Header.Get(requestIDHeader) == second.Header.Get(requestIDHeader) {
		t.Error("two requests have the same id")
	}
}

// A handler that panics costs its client the connection, and nobody else.
func TestPanic(t *testing.T) {
	log, records := recordLog()
	a := newAPI(log)
	srv := httptest.NewUnstartedServer(a.observe(a.router([]route{
		{"GET", "/panic", func(http.ResponseWriter, *http.Request) error { panic("boom") }},
		{"GET", "/healthz", healthz},
	})))
	srv.Config = newServer(srv.Config.Handler, log)
	srv.Start()
	defer srv.Close()
	if resp, err := http.Get(srv.URL + "/panic"); err == nil {
		t.Errorf("the client got the status %d", resp.StatusCode)
	}
	if resp, err := http.Get(srv.URL + "/healthz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("afterwards: got %v, %v", resp, err)
	}
	if msg := records(t)[0]["msg"].(string); !strings.Contains(msg, "boom") || !strings.Contains(msg, "observe_test.go") {
		t.Errorf("the panic is logged as %q", msg)
	}
}
