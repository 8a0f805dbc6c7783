// Command api serves a small REST API of notes over HTTP.
//
// It is a single static binary that needs nothing from its surroundings: no
// files, no writable disk, no shell, no particular user. Notes live in memory
// and are gone when the process ends. README.md lists the routes, the
// environment variables and the subcommands.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
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
  PORT              TCP port, 0 to 65535; 0 lets the system choose (default 8080)
  ADDR              IP address to listen on (default: every address)
  LOG_LEVEL         debug, info, warn or error (default info)
  DRAIN_DELAY       how long to keep accepting, with /readyz at 503, after a stop signal; 0s to 60s (default 0s)
  SHUTDOWN_TIMEOUT  how long requests in flight may then take; 100ms to 5m (default 8s)
`

func main() {
	os.Exit(run(os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}

// run executes the command line args and returns the exit code. Results and
// logs go to stdout, complaints to stderr.
func run(args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		return runServe(getenv, stdout, stderr)
	}
	if len(args) > 1 {
		fmt.Fprintf(stderr, "api: unexpected argument %q\n\n%s", args[1], usage)
		return exitUsage
	}
	switch args[0] {
	case "healthcheck":
		return runHealthcheck(getenv, stderr)
	case "version":
		return runVersion(stdout, stderr)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(stdout, usage)
		return exitOK
	default:
		fmt.Fprintf(stderr, "api: unknown command %q\n\n%s", args[0], usage)
		return exitUsage
	}
}

// runServe serves the API until the process is told to stop.
func runServe(getenv func(string) string, stdout, stderr io.Writer) int {
	cfg, err := loadConfig(getenv)
	if err != nil {
		fmt.Fprintf(stderr, "api: %v\n", err)
		return exitUsage
	}
	log := slog.New(slog.NewJSONHandler(stdout, &slog.HandlerOptions{Level: cfg.logLevel}))

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	// The first signal starts a clean stop; from then on the default
	// behaviour is back, so that a second one ends the process at once.
	context.AfterFunc(ctx, stop)

	ln, err := net.Listen("tcp", cfg.listenAddress())
	if err != nil {
		fmt.Fprintf(stderr, "api: %v\n", err)
		return exitError
	}
	if err := serve(ctx, ln, newAPI(log), cfg); err != nil {
		fmt.Fprintf(stderr, "api: %v\n", err)
		return exitError
	}
	return exitOK
}
