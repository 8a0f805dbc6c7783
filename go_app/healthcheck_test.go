package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// checkPort runs the subcommand against a port and returns its exit code and
// what it complains of.
func checkPort(port string) (int, string) {
	var stdout, stderr bytes.Buffer
	code := run([]string{"healthcheck"}, env("PORT="+port), &stdout, &stderr)
	return code, stdout.String() + stderr.String()
}

func portOf(ln net.Listener) string { return fmt.Sprint(ln.Addr().(*net.TCPAddr).Port) }

func TestHealthcheck(t *testing.T) {
	t.Run("healthy", func(t *testing.T) {
		address, _, _ := startServe(t, newAPI(discard()), patience)
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		if code, out := checkPort(port); code != exitOK || out != "" {
			t.Errorf("exit code %d and %q, want 0 and silence", code, out)
		}
	})

	t.Run("another status", func(t *testing.T) {
		for _, status := range []int{204, 302, 404, 503} {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
			code, out := checkPort(portOf(srv.Listener))
			srv.Close()
			if code != exitError || !oneLine(out) || !strings.Contains(out, fmt.Sprint(status)) {
				t.Errorf("status %d: exit code %d and %q", status, code, out)
			}
		}
	})

	t.Run("nothing listens", func(t *testing.T) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := portOf(ln)
		ln.Close()
		if code, out := checkPort(port); code != exitError || !oneLine(out) || !strings.Contains(out, "refused") {
			t.Errorf("exit code %d and %q", code, out)
		}
	})

	t.Run("not HTTP", func(t *testing.T) {
		ln := answer(t, "SSH-2.0-x\r\n")
		if code, out := checkPort(portOf(ln)); code != exitError || !oneLine(out) {
			t.Errorf("exit code %d and %q", code, out)
		}
	})

	// Even a bad configuration is 1: container engines reserve exit code 2.
	t.Run("bad port", func(t *testing.T) {
		for _, port := range []string{"0", "x"} {
			if code, out := checkPort(port); code != exitError || !strings.HasPrefix(out, "api: PORT: ") {
				t.Errorf("PORT=%s: exit code %d and %q", port, code, out)
			}
		}
	})
}

// The timeout holds for a server that accepts and says nothing.
func TestHealthcheckTimeout(t *testing.T) {
	t.Parallel()
	ln := answer(t, "")
	start := time.Now()
	if code, out := checkPort(portOf(ln)); code != exitError || !oneLine(out) || !strings.Contains(out, "timeout") {
		t.Errorf("exit code %d and %q, want a timeout", code, out)
	}
	if took := time.Since(start); took > 2*healthcheckTimeout {
		t.Errorf("the healthcheck took %v", took)
	}
}

// oneLine reports whether out is one line of complaint by the subcommand.
func oneLine(out string) bool {
	return strings.HasPrefix(out, "api: healthcheck: ") && strings.Index(out, "\n") == len(out)-1
}

// answer starts a server that answers connections with text. If text is
// empty it keeps them open in silence.
func answer(t *testing.T, text string) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			if text != "" {
				_, _ = io.WriteString(conn, text)
				conn.Close()
				continue
			}
			t.Cleanup(func() { conn.Close() })
		}
	}()
	return ln
}
