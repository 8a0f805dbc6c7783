package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of one connection. The write timeout runs from the end of the
// request header, so it has to outlast the read timeout: a slow upload that
// was read in time must still be answered.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 30 * time.Second
	writeTimeout      = 35 * time.Second
	idleTimeout       = 60 * time.Second
	lingerTimeout     = 500 * time.Millisecond // for the rest of a body that nobody reads
	maxHeaderBytes    = 16 << 10
)

// shutdownTimeout is how long requests in flight may take after the signal to
// stop. Container engines wait for 10 s before they kill.
const shutdownTimeout = 8 * time.Second

func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	// Shutdown closes connections that are idle between two requests, but
	// waits 5 s for those that have not sent their first, and would not answer
	// it. Load balancers and browsers open such connections in advance.
	var fresh sync.Map
	srv.ConnState = func(conn net.Conn, state http.ConnState) {
		if state == http.StateNew {
			fresh.Store(conn, nil)
		} else {
			fresh.Delete(conn)
		}
	}
	srv.RegisterOnShutdown(func() {
		for conn := range fresh.Range {
			_ = conn.(net.Conn).Close()
		}
	})
	return srv
}

// serve answers requests on ln, which it closes, until ctx is done. Then no
// connection is accepted any more, and requests in flight get timeout to
// finish. The error is nil after a clean stop.
func serve(ctx context.Context, ln net.Listener, a *api, timeout time.Duration) error {
	srv := newServer(a.handler(), a.log)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	a.log.Info("listening", "addr", ln.Addr().String())

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}

	a.log.Info("stopping", "timeout", timeout.String())
	// ctx is done already, so the deadline needs a context of its own.
	deadline, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := srv.Shutdown(deadline); err != nil {
		return fmt.Errorf("requests in flight were cut off after %v: %w",
			timeout, errors.Join(err, srv.Close()))
	}
	a.log.Info("stopped")
	return nil
}
