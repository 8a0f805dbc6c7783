package main

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"
)

// runAsAPI is set in the environment of a test binary that has to behave as
// the command itself.
const runAsAPI = "API_TEST_RUN_AS_API"

func TestMain(m *testing.M) {
	if os.Getenv(runAsAPI) != "" {
		main()
	}
	os.Exit(m.Run())
}

func TestRun(t *testing.T) {
	tests := []struct {
		args   string
		env    string
		code   int
		stdout string // contained in it; "" means that it is empty
		stderr string
	}{
		{"help", "", 0, "usage: api", ""},
		{"-h", "", 0, "usage: api", ""},
		{"--help", "", 0, "usage: api", ""},
		{"version", "", 0, `"version":"dev"`, ""},
		{"serve-it", "", 2, "", `unknown command "serve-it"`},
		{"--port", "", 2, "", `unknown command "--port"`},
		{"version now", "", 2, "", `unexpected argument "now"`},
		{"healthcheck 8080", "", 2, "", `unexpected argument "8080"`},
		{"", "PORT=99999", 2, "", `PORT: "99999" is not a port`},
		{"", "LOG_LEVEL=loud", 2, "", `LOG_LEVEL: "loud" is not a level`},
	}
	for _, tt := range tests {
		t.Run(tt.args+" "+tt.env, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			if code := run(strings.Fields(tt.args), env(tt.env), &stdout, &stderr); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, out := range []struct{ name, got, want string }{
				{"stdout", stdout.String(), tt.stdout}, {"stderr", stderr.String(), tt.stderr},
			} {
				if !strings.Contains(out.got, out.want) || (out.want == "") != (out.got == "") {
					t.Errorf("%s is %q, want %q in it", out.name, out.got, out.want)
				}
			}
			if tt.args == "" && strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("stderr is %q, want one line", stderr.String())
			}
		})
	}
}

// A port that is taken is an error in one line.
func TestPortTaken(t *testing.T) {
	ln, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var stdout, stderr bytes.Buffer
	code := run(nil, env("PORT="+portOf(ln)), &stdout, &stderr)
	if got := stderr.String(); code != exitError || !strings.Contains(got, "address already in use") || strings.Count(got, "\n") != 1 {
		t.Errorf("exit code %d and %q, want 1 and one line", code, got)
	}
}

// The subcommand and the route report the same.
func TestVersionSubcommand(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run([]string{"version"}, env(), &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr.String())
	}
	_, body := do(t, newAPI(discard()).handler(), "GET", "/version", "")
	if got := stdout.String(); got != body+"\n" {
		t.Errorf("the subcommand prints %q, the route %q", got, body)
	}
}

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
	tests := []struct {
		env   []string
		port  string
		level slog.Level
	}{
		{nil, "8080", slog.LevelInfo},
		{[]string{"PORT=", "LOG_LEVEL="}, "8080", slog.LevelInfo},
		{[]string{"PORT=1"}, "1", slog.LevelInfo},
		{[]string{"PORT=65535"}, "65535", slog.LevelInfo},
		{[]string{"LOG_LEVEL=debug"}, "8080", slog.LevelDebug},
		{[]string{"LOG_LEVEL=Warn"}, "8080", slog.LevelWarn},
		{[]string{"LOG_LEVEL=ERROR"}, "8080", slog.LevelError},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.env, " "), func(t *testing.T) {
			port, level, err := loadConfig(env(tt.env...))
			if err != nil || port != tt.port || level != tt.level {
				t.Errorf("got %s, %v, %v, want %s, %v", port, level, err, tt.port, tt.level)
			}
		})
	}
}

func TestLoadConfigRefuses(t *testing.T) {
	values := map[string][]string{
		"PORT":      {"0", "65536", "-1", "+1", " 8080", "8080 ", "80.0", "0x50", "http", ":8080", "tcp://10.0.0.1:80", "８０", "a\nb"},
		"LOG_LEVEL": {"trace", "0", "information", "a\nb"},
	}
	for name, bad := range values {
		for _, value := range bad {
			t.Run(name+"="+value, func(t *testing.T) {
				_, _, err := loadConfig(env(name + "=" + value))
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
