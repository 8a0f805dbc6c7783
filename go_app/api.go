package main

import (
	"errors"
	"log/slog"
	"net/http"
	"path"
	"strings"
)

// api holds what the handlers share.
type api struct {
	log   *slog.Logger
	notes *noteStore
}

func newAPI(log *slog.Logger) *api {
	return &api{log, newNoteStore(maxNotes)}
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
		{http.MethodGet, "/healthz", healthz},
		{http.MethodGet, "/version", getVersion},
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

// router dispatches to routes. The answers of ServeMux to everything else
// would be text or HTML; these are problems.
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
			a.log.Error("handler failed", "request_id", w.Header().Get(requestIDHeader), "error", err.Error())
			p = newProblem(http.StatusInternalServerError, "see the log of the server")
		}
		_ = send(w, p.Status, "application/problem+json", p)
	})
}

func methodNotAllowed(allow string) handlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Allow", allow)
		return newProblem(http.StatusMethodNotAllowed, "this resource allows %s", allow)
	}
}

func routeNotFound(http.ResponseWriter, *http.Request) error {
	return newProblem(http.StatusNotFound, "there is no such route")
}

// writeJSON sends v as the response. An error means that nothing was sent.
func writeJSON(w http.ResponseWriter, status int, v any) error {
	return send(w, status, "application/json", v)
}

// healthz reports that the process is alive.
func healthz(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// getVersion reports what the running binary was built from.
func getVersion(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, readBuildInfo())
}
