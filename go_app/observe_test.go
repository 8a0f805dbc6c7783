package main

import (
	"bytes"
	"encoding/json/v2"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
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
		status, bytes  float64
	}{
		{"GET", "/version?token=secret", "INFO", "/version", 200, -1},
		{"GET", "/healthz", "DEBUG", "/healthz", 200, 15},
		{"HEAD", "/healthz", "DEBUG", "/healthz", 200, 0},
		{"POST", "/healthz", "INFO", "/healthz", 405, -1},
		{"GET", "/readyz", "DEBUG", "/readyz", 200, 18},
		{"GET", "/a%0Ab", "INFO", "/a\nb", 404, -1},
		{"POST", "/api/v1/notes", "INFO", "/api/v1/notes", 415, -1},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			log, records := recordLog()
			resp, body := do(t, newAPI(log).handler(), tt.method, tt.target, "secret",
				"Authorization: Bearer secret", "Cookie: s=secret")
			got := records(t)
			if len(got) != 1 {
				t.Fatalf("%d log records, want one: %v", len(got), got)
			}
			wantBytes := tt.bytes
			if wantBytes < 0 {
				wantBytes = float64(len(body))
			}
			want := map[string]any{
				"msg": "request", "level": tt.level, "method": tt.method, "path": tt.path, "status": tt.status,
				"bytes": wantBytes, "request_id": resp.Header.Get(requestIDHeader),
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

func TestPanic(t *testing.T) {
	tests := []struct {
		name    string
		handler handlerFunc
		status  int // 0 means that the connection is cut
		logged  []string
	}{
		{"before the response",
			func(http.ResponseWriter, *http.Request) error { panic("boom") },
			500, []string{"panic", "request"}},
		{"with an error",
			func(http.ResponseWriter, *http.Request) error { panic(errors.New("boom")) },
			500, []string{"panic", "request"}},
		{"within the response",
			func(w http.ResponseWriter, _ *http.Request) error {
				_, _ = io.WriteString(w, "half")
				_ = http.NewResponseController(w).Flush()
				panic("boom")
			},
			0, []string{"panic", "request"}},
		{"abort",
			func(http.ResponseWriter, *http.Request) error { panic(http.ErrAbortHandler) },
			0, []string{"request"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			log, records := recordLog()
			a := newAPI(log)
			srv := httptest.NewServer(a.observe(a.router([]route{{"GET", "/panic", tt.handler}})))
			resp, err := http.Get(srv.URL + "/panic")
			var body []byte
			if err == nil {
				body, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			srv.Close()

			switch {
			case tt.status == 0 && err == nil:
				t.Errorf("the client got a whole response, %d %s", resp.StatusCode, body)
			case tt.status != 0 && err != nil:
				t.Error(err)
			case tt.status != 0:
				checkResponse(t, resp, string(body))
				if resp.StatusCode != tt.status || strings.Contains(string(body), "boom") {
					t.Errorf("got %d %s, want a bare %d", resp.StatusCode, body, tt.status)
				}
			}
			var logged []string
			for _, record := range records(t) {
				logged = append(logged, record["msg"].(string))
				if record["msg"] == "panic" && (record["value"] != "boom" || !strings.Contains(record["stack"].(string), "observe_test.go")) {
					t.Errorf("the panic is logged as %v", record)
				}
			}
			if !slices.Equal(logged, tt.logged) {
				t.Errorf("logged %q, want %q", logged, tt.logged)
			}
		})
	}
}

// Informational responses are passed on, and are not the response.
func TestRecorderInformational(t *testing.T) {
	log, records := recordLog()
	a := newAPI(log)
	srv := httptest.NewServer(a.observe(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "x")
	})))
	resp, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	srv.Close()
	if got := records(t); resp.StatusCode != 200 || len(got) != 1 || got[0]["status"] != 200.0 {
		t.Errorf("status = %d, log = %v, want 200 in both", resp.StatusCode, got)
	}
}
