package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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
	maxHeaderBytes    = 16 << 10
)

func newHTTPServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// serve answers requests on ln until ctx is done, and then stops in order:
// /readyz turns to 503, new connections are still accepted for
// cfg.drainDelay, then ln is closed and requests in flight get
// cfg.shutdownTimeout to finish. It takes ownership of ln.
//
// The result is nil after a clean stop. It is an error if the server failed
// on its own or if requests were cut off.
func serve(ctx context.Context, ln net.Listener, a *api, cfg config) error {
	srv := newHTTPServer(a.handler(), a.log)
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(ln) }()
	a.log.Info("listening", slog.String("addr", ln.Addr().String()))

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}

	a.draining.Store(true)
	a.log.Info("draining",
		slog.String("cause", context.Cause(ctx).Error()),
		slog.String("delay", cfg.drainDelay.String()),
		slog.String("timeout", cfg.shutdownTimeout.String()))
	select {
	case err := <-failed:
		return err
	case <-time.After(cfg.drainDelay):
	}

	// ctx is already done, so the deadline needs a context of its own.
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.shutdownTimeout)
	defer cancel()
	if err := srv.Shutdown(deadline); err != nil {
		err = errors.Join(err, srv.Close())
		return fmt.Errorf("requests in flight were cut off after %v: %w", cfg.shutdownTimeout, err)
	}
	a.log.Info("stopped")
	return nil
}
