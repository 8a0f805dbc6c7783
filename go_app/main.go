// Command api serves a small REST API of notes over HTTP.
//
// It is a single static binary that needs nothing from its surroundings: no
// files, no writable disk, no shell, no particular user. Notes live in memory
// and are gone when the process ends. README.md lists the routes, the
// environment variables and the subcommands.
package main

import (
	"bufio"
	"context"
	"encoding/json/v2"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// Exit codes of the command.
const (
	exitOK    = 0 // the work is done, or the server was stopped cleanly
	exitError = 1 // the work failed, or the server is not healthy
	exitUsage = 2 // a bad argument or a bad environment variable
)

const usage = `usage: api [command]

commands:
  (none)       serve the API until SIGTERM or SIGINT
  healthcheck  ask the server on this machine for /healthz; exit 0 when it answers 200, else 1
  version      print what this binary was built from, as one line of JSON
  help         print this text

environment (unset or empty means the default):
  PORT       TCP port, 1 to 65535 (default 8080)
  LOG_LEVEL  debug, info, warn or error (default info)
`

// The linker sets both:
//
//	go build -ldflags "-X main.version=1.2.3 -X main.revision=0123abc"
var (
	version  = "dev"
	revision = "unknown"
)

// buildInfo is what the binary knows of its own origin.
type buildInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func readBuildInfo() buildInfo {
	return buildInfo{version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH}
}

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run executes the command line args and returns the exit code. Results and
// logs go to stdout, complaints to stderr.
func run(args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) > 1 {
		fmt.Fprintf(stderr, "api: unexpected argument %q\n\n%s", args[1], usage)
		return exitUsage
	}
	command := ""
	if len(args) == 1 {
		command = args[0]
	}
	var err error
	switch command {
	case "":
		port, level, bad := loadConfig(getenv)
		if bad != nil {
			fmt.Fprintf(stderr, "api: %v\n", bad)
			return exitUsage
		}
		log := slog.New(slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: level}))
		err = listenAndServe(port, log)
	case "healthcheck":
		// Also a bad PORT is an exit code of 1: container engines reserve 2.
		err = healthcheck(getenv)
	case "version":
		err = printVersion(stdout)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
	default:
		fmt.Fprintf(stderr, "api: unknown command %q\n\n%s", command, usage)
		return exitUsage
	}
	if err != nil {
		fmt.Fprintf(stderr, "api: %v\n", err)
		return exitError
	}
	return exitOK
}

// loadConfig reads the configuration from the environment. The error is one
// line that names the variable, the value and what is accepted.
func loadConfig(getenv func(string) string) (port string, level slog.Level, err error) {
	port = "8080"
	if v := getenv("PORT"); v != "" {
		if n, err := strconv.ParseUint(v, 10, 16); err != nil || n == 0 {
			return "", 0, fmt.Errorf("PORT: %q is not a port: use a number from 1 to 65535", v)
		}
		port = v
	}
	if v := getenv("LOG_LEVEL"); v != "" {
		if err := level.UnmarshalText([]byte(v)); err != nil {
			return "", 0, fmt.Errorf("LOG_LEVEL: %q is not a level: use debug, info, warn or error", v)
		}
	}
	return port, level, nil
}

// listenAndServe serves the API until the process is told to stop.
func listenAndServe(port string, log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	ln, err := net.Listen("tcp", ":"+port)
	if err != nil {
		return err
	}
	return serve(ctx, ln, newAPI(log), shutdownTimeout)
}

const healthcheckTimeout = 2 * time.Second

// healthcheck asks the server that this environment configures for /healthz.
func healthcheck(getenv func(string) string) error {
	port, _, err := loadConfig(getenv)
	if err != nil {
		return err
	}
	// These few lines stand in for http.Get, which would bring proxies,
	// redirects and half a megabyte of code.
	deadline := time.Now().Add(healthcheckTimeout)
	conn, err := (&net.Dialer{Deadline: deadline}).Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return fmt.Errorf("healthcheck: %w", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(deadline)
	_, _ = io.WriteString(conn, "GET /healthz HTTP/1.0\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return fmt.Errorf("healthcheck: no HTTP response to GET /healthz: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("healthcheck: GET /healthz is answered with %d instead of 200", resp.StatusCode)
	}
	return nil
}

// printVersion prints the same object as the route /version.
func printVersion(w io.Writer) error {
	line, err := json.Marshal(readBuildInfo())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}
