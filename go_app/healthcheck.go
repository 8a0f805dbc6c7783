package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// healthcheckTimeout bounds the whole check: connecting, asking and reading.
const healthcheckTimeout = 2 * time.Second

// runHealthcheck asks the server that this environment configures whether it
// is alive. It returns 0 or 1 and nothing else: container engines reserve 2.
func runHealthcheck(getenv func(string) string, stderr io.Writer) int {
	if err := healthcheck(getenv); err != nil {
		fmt.Fprintf(stderr, "api: healthcheck: %v\n", err)
		return exitError
	}
	return exitOK
}

func healthcheck(getenv func(string) string) error {
	cfg, err := loadConfig(getenv)
	if err != nil {
		return err
	}
	if cfg.port == 0 {
		return errors.New("PORT: 0 does not tell where the server listens: use the port that it logged")
	}
	return probe(cfg.probeAddress(), healthcheckTimeout)
}

// probe returns nil if the server at address answers GET /healthz with 200
// before timeout. It speaks HTTP by itself, because [http.Client] would bring
// proxies, redirects and half a megabyte of code, all unwanted here.
func probe(address string, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	dialer := net.Dialer{Deadline: deadline}
	conn, err := dialer.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeaderBytes)), nil)
	if err != nil {
		return fmt.Errorf("%s: no HTTP response to GET /healthz: %w", address, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: GET /healthz is answered with %d instead of 200", address, resp.StatusCode)
	}
	return nil
}
