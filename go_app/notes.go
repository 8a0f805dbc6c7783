package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	notesPath = "/api/v1/notes"
	notePath  = notesPath + "/{id}"

	maxTitleLength = 200   // characters
	maxBodyLength  = 4_000 // characters

	defaultPageSize = 20
	maxPageSize     = 100
)

// noteInput is the part of a note that clients write.
type noteInput struct {
	Title string `json:"title"`
	Body  string `json:"body"`
}

// readNote reads a note from a request. The error is a [*problem].
func readNote(w http.ResponseWriter, r *http.Request) (noteInput, error) {
	var in noteInput
	if err := readBody(w, r, &in); err != nil {
		return noteInput{}, err
	}
	detail := ""
	switch {
	case strings.TrimSpace(in.Title) == "":
		detail = "the title must not be empty or blank"
	case utf8.RuneCountInString(in.Title) > maxTitleLength:
		detail = fmt.Sprintf("the title must not be longer than %d characters", maxTitleLength)
	case strings.ContainsFunc(in.Title, func(c rune) bool { return !unicode.IsGraphic(c) }):
		detail = "the title must be one line of visible characters and spaces"
	case utf8.RuneCountInString(in.Body) > maxBodyLength:
		detail = fmt.Sprintf("the body of a note must not be longer than %d characters", maxBodyLength)
	default:
		return in, nil
	}
	return noteInput{}, newProblem(http.StatusUnprocessableEntity, "%s", detail)
}

// notePage is a part of the list of notes.
type notePage struct {
	Notes  []noteSummary `json:"notes"`
	Total  int           `json:"total"`
	Limit  int           `json:"limit"`
	Offset int           `json:"offset"`
}

func (a *api) listNotes(w http.ResponseWriter, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return newProblem(http.StatusBadRequest, "the query is malformed")
	}
	limit, err := intParam(query, "limit", defaultPageSize, 1, maxPageSize)
	if err != nil {
		return err
	}
	offset, err := intParam(query, "offset", 0, 0, maxNotes)
	if err != nil {
		return err
	}
	notes, total := a.notes.list(offset, limit)
	return writeJSON(w, http.StatusOK, notePage{Notes: notes, Total: total, Limit: limit, Offset: offset})
}

func (a *api) createNote(w http.ResponseWriter, r *http.Request) error {
	in, err := readNote(w, r)
	if err != nil {
		return err
	}
	n, ok := a.notes.create(in)
	if !ok {
		return newProblem(http.StatusInsufficientStorage, "there are %d notes, and no room for more: delete some", maxNotes)
	}
	w.Header().Set("Location", notesPath+"/"+strconv.FormatUint(n.ID, 10))
	return writeJSON(w, http.StatusCreated, n)
}

func (a *api) getNote(w http.ResponseWriter, r *http.Request) error {
	id, err := noteID(r)
	if err != nil {
		return err
	}
	n, ok := a.notes.get(id)
	if !ok {
		return noteNotFound()
	}
	return writeJSON(w, http.StatusOK, n)
}

func (a *api) replaceNote(w http.ResponseWriter, r *http.Request) error {
	id, err := noteID(r)
	if err != nil {
		return err
	}
	in, err := readNote(w, r)
	if err != nil {
		return err
	}
	n, ok := a.notes.replace(id, in)
	if !ok {
		return noteNotFound()
	}
	return writeJSON(w, http.StatusOK, n)
}

func (a *api) deleteNote(w http.ResponseWriter, r *http.Request) error {
	id, err := noteID(r)
	if err != nil {
		return err
	}
	if !a.notes.delete(id) {
		return noteNotFound()
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// noteID returns the id in r's path. Only the spelling that Location uses
// names a note: another one, such as 01 for 1, is a 404.
func noteID(r *http.Request) (uint64, error) {
	s := r.PathValue("id")
	id, err := strconv.ParseUint(s, 10, 64)
	if err != nil || strconv.FormatUint(id, 10) != s {
		return 0, noteNotFound()
	}
	return id, nil
}

func noteNotFound() *problem {
	return newProblem(http.StatusNotFound, "there is no such note")
}

// intParam returns the query parameter name, or fallback if it is absent. The
// error is a 400 if it is not one integer from low to high.
func intParam(query url.Values, name string, fallback, low, high int) (int, error) {
	values, ok := query[name]
	if !ok {
		return fallback, nil
	}
	n, err := strconv.Atoi(values[0])
	if err != nil || len(values) > 1 || n < low || n > high {
		return 0, newProblem(http.StatusBadRequest, "the query parameter %q must be one integer from %d to %d", name, low, high)
	}
	return n, nil
}
