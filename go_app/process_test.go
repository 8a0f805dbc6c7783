//go:build unix

package main

import (
	"bufio"
	"encoding/json/v2"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// process is the command, running on a free port of the loopback interface.
type process struct {
	*exec.Cmd
	address string
	log     *bufio.Reader
	stderr  *logBuffer
}

// startProcess runs the test binary as the command itself.
func startProcess(t *testing.T, variables ...string) *process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append([]string{runAsAPI + "=1", "GOCOVERDIR=" + t.TempDir(), "PORT=" + freePort(t)}, variables...)
	stderr := new(logBuffer)
	cmd.Stderr = stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: cmd, log: bufio.NewReader(stdout), stderr: stderr}
	_, port, err := net.SplitHostPort(p.next(t, "listening")["addr"].(string))
	if err != nil {
		t.Fatal(err)
	}
	p.address = net.JoinHostPort("127.0.0.1", port)
	return p
}

// freePort returns a port that nothing listens on.
func freePort(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return portOf(ln)
}

// next returns the next log record, which must be msg.
func (p *process) next(t *testing.T, msg string) map[string]any {
	t.Helper()
	line, err := p.log.ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var record map[string]any
	if err := json.Unmarshal(line, &record); err != nil {
		t.Fatalf("log line %q: %v", line, err)
	}
	if record["msg"] != msg {
		t.Fatalf("logged %s, want %q", line, msg)
	}
	return record
}

// Both stop signals let a slow upload finish, and the exit code is 0.
func TestSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			p := startProcess(t)
			const note = `{"title":"slow"}`
			up := startUpload(t, p.address, len(note))
			up.send(t, note[:5])
			if err := p.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			p.next(t, "stopping")
			waitRefused(t, p.address)
			up.send(t, note[5:])
			if resp, body := up.response(t); resp.StatusCode != http.StatusCreated {
				t.Errorf("got %d %s, want 201", resp.StatusCode, body)
			}
			p.next(t, "request")
			p.next(t, "stopped")
			if err := p.Wait(); err != nil {
				t.Errorf("the process ended with %v, want exit code 0", err)
			}
		})
	}
}

// The level in the environment is the level of the log.
func TestLogLevel(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "LOG_LEVEL=debug")
	resp, err := http.Get("http://" + p.address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := p.next(t, "request"); got["level"] != "DEBUG" || !strings.HasPrefix(got["path"].(string), "/healthz") {
		t.Errorf("logged %v", got)
	}
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, p.log); err != nil {
		t.Fatal(err)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}
