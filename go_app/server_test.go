package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen soon.
const patience = 10 * time.Second

// upload is a POST of a note whose body is sent by and by.
type upload struct {
	conn   *net.TCPConn
	reader *bufio.Reader
}

// startUpload begins to create a note with a body of the given length. It
// returns when the server has begun to read the body, so that the request is
// in flight: the server says so by its 100 Continue.
func startUpload(t *testing.T, address string, length int) *upload {
	t.Helper()
	up := announceUpload(t, address, length)
	resp, err := http.ReadResponse(up.reader, nil)
	if err != nil || resp.StatusCode != http.StatusContinue {
		t.Fatalf("got %v, %v, want 100 Continue", resp, err)
	}
	return up
}

// announceUpload sends the header of startUpload's request and no more.
func announceUpload(t *testing.T, address string, length int) *upload {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	up := &upload{conn.(*net.TCPConn), bufio.NewReader(conn)}
	up.send(t, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n",
		notesPath, length))
	return up
}

func (up *upload) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(up.conn, text); err != nil {
		t.Fatal(err)
	}
}

func (up *upload) response(t *testing.T) (*http.Response, string) {
	t.Helper()
	resp, err := http.ReadResponse(up.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	checkResponse(t, resp, string(body))
	return resp, string(body)
}

// waitRefused waits until nothing listens at address any more.
func waitRefused(t *testing.T, address string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		conn.Close()
	}
	t.Fatalf("%s still accepts connections", address)
}

// startServe runs serve on a free port. The result of serve is sent on done;
// stop is the signal to stop.
func startServe(t *testing.T, a *api, timeout time.Duration) (address string, stop func(), done <-chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() { result <- serve(ctx, ln, a, timeout) }()
	return ln.Addr().String(), cancel, result
}

// wait returns the result of serve.
func wait(t *testing.T, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(patience):
		t.Fatal("serve does not return")
		return nil
	}
}

// A request in flight when the server is told to stop is finished and
// answered, while new connections are refused.
func TestServeFinishesRequestsInFlight(t *testing.T) {
	t.Parallel()
	log, records := recordLog()
	address, stop, done := startServe(t, newAPI(log), patience)

	const note = `{"title":"slow"}`
	up := startUpload(t, address, len(note))
	up.send(t, note[:5])
	stop()
	waitRefused(t, address)
	select {
	case err := <-done:
		t.Fatalf("serve returned %v with a request in flight", err)
	default:
	}
	up.send(t, note[5:])
	resp, body := up.response(t)
	if resp.StatusCode != http.StatusCreated || !strings.Contains(body, `"title":"slow"`) {
		t.Errorf("got %d %s, want 201 and the note", resp.StatusCode, body)
	}
	if !resp.Close {
		t.Error("the connection is kept alive")
	}
	if err := wait(t, done); err != nil {
		t.Errorf("serve returned %v", err)
	}

	var logged []any
	for _, record := range records(t) {
		logged = append(logged, record["msg"])
		if record["msg"] == "listening" && record["addr"] != address {
			t.Errorf("the address is logged as %v, want %s", record["addr"], address)
		}
	}
	if got, want := fmt.Sprint(logged), "[listening stopping request stopped]"; got != want {
		t.Errorf("logged %s, want %s", got, want)
	}
}

// A request that never ends is cut off, and serve says so.
func TestServeCutsOffAtTheTimeout(t *testing.T) {
	t.Parallel()
	address, stop, done := startServe(t, newAPI(discard()), 100*time.Millisecond)
	up := startUpload(t, address, 100)
	stop()
	if err := wait(t, done); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "cut off after 100ms") {
		t.Errorf("serve returned %v, want that requests were cut off", err)
	}
	if _, err := http.ReadResponse(up.reader, nil); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("reading the answer: %v, want that the connection is closed", err)
	}
}

// Connections without a request in flight do not hold up the end: one that
// has sent nothing or half a header, one that waits for its next request, and
// one whose request was answered before its body came.
func TestServeStopsDespiteIdleConnections(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":       "",
		"half a header": "GET /healthz HTTP/1.1\r\nHost: ",
		"keep-alive":    "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
		"next header":   "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /",
		"unread body":   "POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			address, stop, done := startServe(t, newAPI(discard()), patience)
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, text); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text, "\r\n\r\n") {
				if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
					t.Fatal(err)
				}
			} else {
				time.Sleep(50 * time.Millisecond) // until it is accepted
			}
			start := time.Now()
			stop()
			if err := wait(t, done); err != nil {
				t.Errorf("serve returned %v", err)
			}
			if took := time.Since(start); took > 2*time.Second {
				t.Errorf("serve returned after %v", took)
			}
		})
	}
}

// A response does not wait for a body that nobody reads.
func TestUnreadBodyIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	address, _, _ := startServe(t, newAPI(discard()), patience)
	for request, status := range map[string]int{
		"GET /healthz":               200,
		"POST /healthz":              405,
		"POST /nowhere":              404,
		"POST /api/v1/notes":         415,
		"DELETE /api/v1/notes/1":     404,
		"PUT /api/v1/notes/nonsense": 404,
	} {
		for _, length := range []string{"Content-Length: 100", "Transfer-Encoding: chunked"} {
			t.Run(request+" "+length, func(t *testing.T) {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(conn, request+" HTTP/1.1\r\nHost: a\r\n"+length+"\r\n\r\n"); err != nil {
					t.Fatal(err)
				}
				resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
				if err != nil || resp.StatusCode != status || !resp.Close {
					t.Errorf("got %v, %v, want %d and Connection: close", resp, err, status)
				}
			})
		}
	}
}

// A listener that fails is an error.
func TestServeFails(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if err := serve(t.Context(), ln, newAPI(discard()), patience); !errors.Is(err, net.ErrClosed) {
		t.Errorf("serve returned %v, want that the listener is closed", err)
	}
}

// Every limit of a connection is set, and an upload that was read in time can
// still be answered.
func TestServerLimits(t *testing.T) {
	srv := newServer(http.NotFoundHandler(), discard())
	for name, d := range map[string]time.Duration{
		"ReadHeaderTimeout": srv.ReadHeaderTimeout, "ReadTimeout": srv.ReadTimeout,
		"WriteTimeout": srv.WriteTimeout, "IdleTimeout": srv.IdleTimeout,
	} {
		if d <= 0 {
			t.Errorf("%s is not set", name)
		}
	}
	if srv.WriteTimeout <= srv.ReadTimeout {
		t.Errorf("WriteTimeout %v does not outlast ReadTimeout %v", srv.WriteTimeout, srv.ReadTimeout)
	}
}

// A request header beyond the limit is refused.
func TestServeHeaderLimit(t *testing.T) {
	t.Parallel()
	address, _, _ := startServe(t, newAPI(discard()), patience)
	req, err := http.NewRequest("GET", "http://"+address+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Long", strings.Repeat("a", 2*maxHeaderBytes))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status = %d, want 431", resp.StatusCode)
	}
}
