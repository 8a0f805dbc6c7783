package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// config is what the environment can change.
type config struct {
	addr            netip.Addr // the zero Addr means every address
	port            uint16     // 0 means a port of the system's choice
	logLevel        slog.Level
	drainDelay      time.Duration
	shutdownTimeout time.Duration
}

// loadConfig reads the configuration from the environment. An unset or empty
// variable means its default. The error is one line that names the variable,
// the value and the values that are accepted.
func loadConfig(getenv func(string) string) (config, error) {
	cfg := config{
		port:            8080,
		logLevel:        slog.LevelInfo,
		shutdownTimeout: 8 * time.Second, // below the 10 s that container engines wait before SIGKILL
	}
	var err error
	if v := getenv("PORT"); v != "" {
		if cfg.port, err = parsePort(v); err != nil {
			return config{}, err
		}
	}
	if v := getenv("ADDR"); v != "" {
		if cfg.addr, err = netip.ParseAddr(v); err != nil {
			return config{}, fmt.Errorf("ADDR: %q is not an IP address: use one such as 0.0.0.0, 127.0.0.1 or ::1", v)
		}
	}
	if v := getenv("LOG_LEVEL"); v != "" {
		if cfg.logLevel, err = parseLogLevel(v); err != nil {
			return config{}, err
		}
	}
	if v := getenv("DRAIN_DELAY"); v != "" {
		if cfg.drainDelay, err = parseDuration("DRAIN_DELAY", v, 0, time.Minute); err != nil {
			return config{}, err
		}
	}
	if v := getenv("SHUTDOWN_TIMEOUT"); v != "" {
		if cfg.shutdownTimeout, err = parseDuration("SHUTDOWN_TIMEOUT", v, 100*time.Millisecond, 5*time.Minute); err != nil {
			return config{}, err
		}
	}
	return cfg, nil
}

func parsePort(v string) (uint16, error) {
	port, err := strconv.ParseUint(v, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("PORT: %q is not a port: use a number from 1 to 65535, or 0 for any free port", v)
	}
	return uint16(port), nil
}

func parseLogLevel(v string) (slog.Level, error) {
	switch strings.ToLower(v) {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	default:
		return 0, fmt.Errorf("LOG_LEVEL: %q is not a level: use debug, info, warn or error", v)
	}
}

func parseDuration(name, v string, low, high time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(v)
	if err != nil || d < low || d > high {
		return 0, fmt.Errorf("%s: %q is not a duration from %v to %v: use one such as 500ms or 5s", name, v, low, high)
	}
	return d, nil
}

// listenAddress returns the address to listen on, as [net.Listen] takes it.
func (c config) listenAddress() string {
	host := ""
	if c.addr.IsValid() {
		host = c.addr.String()
	}
	return net.JoinHostPort(host, c.portString())
}

// probeAddress returns the address at which a process in the same network
// namespace reaches the server: the loopback address, unless the server
// listens on one address only.
func (c config) probeAddress() string {
	host := "127.0.0.1"
	switch {
	case c.addr == netip.IPv6Unspecified():
		host = "::1"
	case c.addr.IsValid() && !c.addr.IsUnspecified():
		host = c.addr.String()
	}
	return net.JoinHostPort(host, c.portString())
}

func (c config) portString() string {
	return strconv.FormatUint(uint64(c.port), 10)
}
