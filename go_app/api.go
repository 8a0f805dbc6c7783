package main

import (
	"errors"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"sync/atomic"
)

// api holds what the handlers share.
type api struct {
	log      *slog.Logger
	notes    *noteStore
	build    buildInfo
	draining atomic.Bool // set once the server has been told to stop
}

func newAPI(log *slog.Logger) *api {
	return &api{log: log, notes: newNoteStore(maxNotes), build: readBuildInfo()}
}

// handlerFunc answers a request or returns the reason why not. A [*problem]
// is sent as it is; any other error is logged and sent as a bare 500.
type handlerFunc func(http.ResponseWriter, *http.Request) error

type route struct {
	method  string
	path    string
	handler handlerFunc
}

// routes is the whole surface of the API.
func (a *api) routes() []route {
	return []route{
		{http.MethodGet, "/healthz", a.healthz},
		{http.MethodGet, "/readyz", a.readyz},
		{http.MethodGet, "/version", a.version},
		{http.MethodGet, notesPath, a.listNotes},
		{http.MethodPost, notesPath, a.createNote},
		{http.MethodGet, notePath, a.getNote},
		{http.MethodPut, notePath, a.replaceNote},
		{http.MethodDelete, notePath, a.deleteNote},
	}
}

// handler returns the API as one [http.Handler]. Every response that it
// gives, errors included, is JSON or has no body.
func (a *api) handler() http.Handler {
	return a.observe(a.router(a.routes()))
}

// router dispatches to routes, answers other methods of their paths with 405
// and everything else with 404.
func (a *api) router(routes []route) http.Handler {
	mux := http.NewServeMux()
	allowed := map[string][]string{}
	for _, rt := range routes {
		mux.Handle(rt.method+" "+rt.path, a.adapt(rt.handler))
		allowed[rt.path] = append(allowed[rt.path], rt.method)
		if rt.method == http.MethodGet {
			// ServeMux lets a GET pattern match HEAD as well.
			allowed[rt.path] = append(allowed[rt.path], http.MethodHead)
		}
	}
	for p, methods := range allowed {
		mux.Handle(p, a.adapt(methodNotAllowed(strings.Join(methods, ", "))))
	}
	mux.Handle("/", a.adapt(routeNotFound))

	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// ServeMux would redirect such a path to its clean form, with a body
		// of HTML. No route ends in a slash, so none of them can be meant.
		if r.URL.Path != path.Clean(r.URL.Path) {
			a.adapt(routeNotFound).ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// adapt turns h into an [http.Handler] that sends h's error as a problem.
func (a *api) adapt(h handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		p, ok := errors.AsType[*problem](err)
		if !ok {
			a.log.LogAttrs(r.Context(), slog.LevelError, "handler failed",
				slog.String("request_id", w.Header().Get(requestIDHeader)),
				slog.String("error", err.Error()))
			p = newProblem(http.StatusInternalServerError, "")
		}
		p.write(w)
	})
}

func methodNotAllowed(allow string) handlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Allow", allow)
		return newProblem(http.StatusMethodNotAllowed, "this resource allows "+allow)
	}
}

func routeNotFound(http.ResponseWriter, *http.Request) error {
	return newProblem(http.StatusNotFound, "there is no such route")
}

type statusBody struct {
	Status string `json:"status"`
}

// healthz tells that the process is alive. It stays 200 while the server
// drains: restarting a process that is about to end helps nobody.
func (a *api) healthz(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, statusBody{"ok"})
}

// readyz tells whether new requests should be sent here.
func (a *api) readyz(w http.ResponseWriter, _ *http.Request) error {
	if a.draining.Load() {
		return newProblem(http.StatusServiceUnavailable, "the server is shutting down")
	}
	return writeJSON(w, http.StatusOK, statusBody{"ready"})
}

// version tells what the running binary was built from.
func (a *api) version(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, a.build)
}
