package main

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// env returns a getenv for the given variables, in the form "NAME=value".
func env(variables ...string) func(string) string {
	values := map[string]string{}
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

func TestLoadConfig(t *testing.T) {
	// with returns the default configuration after a change.
	with := func(change func(*config)) config {
		c := config{port: 8080, logLevel: slog.LevelInfo, shutdownTimeout: 8 * time.Second}
		change(&c)
		return c
	}
	tests := []struct {
		name string
		env  []string
		want config
	}{
		{"unset", nil, with(func(*config) {})},
		{"empty", []string{"PORT=", "ADDR=", "LOG_LEVEL=", "DRAIN_DELAY=", "SHUTDOWN_TIMEOUT="}, with(func(*config) {})},
		{"any port", []string{"PORT=0"}, with(func(c *config) { c.port = 0 })},
		{"lowest port", []string{"PORT=1"}, with(func(c *config) { c.port = 1 })},
		{"highest port", []string{"PORT=65535"}, with(func(c *config) { c.port = 65535 })},
		{"address", []string{"ADDR=127.0.0.1"}, with(func(c *config) { c.addr = netip.MustParseAddr("127.0.0.1") })},
		{"IPv6 address", []string{"ADDR=::1"}, with(func(c *config) { c.addr = netip.MustParseAddr("::1") })},
		{"debug", []string{"LOG_LEVEL=debug"}, with(func(c *config) { c.logLevel = slog.LevelDebug })},
		{"info", []string{"LOG_LEVEL=info"}, with(func(*config) {})},
		{"warn", []string{"LOG_LEVEL=Warn"}, with(func(c *config) { c.logLevel = slog.LevelWarn })},
		{"error", []string{"LOG_LEVEL=ERROR"}, with(func(c *config) { c.logLevel = slog.LevelError })},
		{"drain delay", []string{"DRAIN_DELAY=1m"}, with(func(c *config) { c.drainDelay = time.Minute })},
		{"shutdown timeout", []string{"SHUTDOWN_TIMEOUT=100ms"}, with(func(c *config) { c.shutdownTimeout = 100 * time.Millisecond })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := loadConfig(env(tt.env...))
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestLoadConfigRefuses(t *testing.T) {
	values := map[string][]string{
		"PORT":             {"65536", "-1", "+1", " 8080", "8080 ", "80.0", "0x50", "http", ":8080", "tcp://10.0.0.1:80", "８０", "a\nb"},
		"ADDR":             {"localhost", "127.0.0.1:80", "[::1]", "256.0.0.1", "*", "a\nb"},
		"LOG_LEVEL":        {"trace", "INFO+1", "0", "information", "a\nb"},
		"DRAIN_DELAY":      {"1", "-1s", "61s", "soon", "a\nb"},
		"SHUTDOWN_TIMEOUT": {"0", "99ms", "5m1s", "-1s", "a\nb"},
	}
	for name, bad := range values {
		for _, value := range bad {
			t.Run(name+"="+value, func(t *testing.T) {
				_, err := loadConfig(env(name + "=" + value))
				if err == nil {
					t.Fatal("accepted")
				}
				if got := err.Error(); !strings.HasPrefix(got, name+": ") || strings.Contains(got, "\n") || !strings.Contains(got, "use ") {
					t.Errorf("got %q, want one line that names %s and says what to use", got, name)
				}
			})
		}
	}
}

func TestAddresses(t *testing.T) {
	tests := []struct {
		addr          string
		listen, probe string
	}{
		{"", ":8080", "127.0.0.1:8080"},
		{"0.0.0.0", "0.0.0.0:8080", "127.0.0.1:8080"},
		{"::", "[::]:8080", "[::1]:8080"},
		{"127.0.0.2", "127.0.0.2:8080", "127.0.0.2:8080"},
		{"::1", "[::1]:8080", "[::1]:8080"},
		{"192.0.2.7", "192.0.2.7:8080", "192.0.2.7:8080"},
		{"fe80::1%eth0", "[fe80::1%eth0]:8080", "[fe80::1%eth0]:8080"},
	}
	for _, tt := range tests {
		t.Run(tt.addr, func(t *testing.T) {
			cfg, err := loadConfig(env("ADDR=" + tt.addr))
			if err != nil {
				t.Fatal(err)
			}
			if got := cfg.listenAddress(); got != tt.listen {
				t.Errorf("listen address %q, want %q", got, tt.listen)
			}
			if got := cfg.probeAddress(); got != tt.probe {
				t.Errorf("probe address %q, want %q", got, tt.probe)
			}
		})
	}
}
