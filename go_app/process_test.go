//go:build unix

package main

import (
	"bufio"
	"encoding/json/v2"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
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
	cmd.Env = append([]string{runAsAPI + "=1", "GOCOVERDIR=" + t.TempDir(), "ADDR=127.0.0.1", "PORT=0"}, variables...)
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
	p.address = p.next(t, "listening")["addr"].(string)
	return p
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
			if got, want := p.next(t, "draining")["cause"], sig.String()+" signal received"; got != want {
				t.Errorf("the cause is %q, want %q", got, want)
			}
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

// A request that outlasts the timeout costs the exit code.
func TestSignalTimeout(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "SHUTDOWN_TIMEOUT=100ms")
	startUpload(t, p.address, 100)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, p.log); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	const want = "api: requests in flight were cut off after 100ms: context deadline exceeded\n"
	if code, got := p.ProcessState.ExitCode(), p.stderr.String(); code != exitError || got != want {
		t.Errorf("exit code %d and %q, want %d and %q", code, got, exitError, want)
	}
}

// A second signal ends the process at once, whatever is in flight.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "SHUTDOWN_TIMEOUT=5m")
	startUpload(t, p.address, 100)
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	p.next(t, "draining")
	// The default behaviour is back a moment after the first signal.
	ended := make(chan error, 1)
	go func() { ended <- p.Wait() }()
	var err error
	for waiting := true; waiting; {
		_ = p.Process.Signal(syscall.SIGTERM)
		select {
		case err = <-ended:
			waiting = false
		case <-time.After(20 * time.Millisecond):
		}
	}
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() || status.Signal() != syscall.SIGTERM {
		t.Errorf("the process ended with %v, want by SIGTERM", err)
	}
}

// The level in the environment is the level of the log.
func TestLogLevel(t *testing.T) {
	t.Parallel()
	p := startProcess(t, "LOG_LEVEL=debug")
	if err := probe(p.address, patience); err != nil {
		t.Fatal(err)
	}
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
