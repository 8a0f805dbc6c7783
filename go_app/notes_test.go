package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const jsonType = "Content-Type: application/json"

// withNotes returns an API that holds n notes, titled "1" to "n" like their ids.
func withNotes(t *testing.T, n int) *api {
	t.Helper()
	a := newAPI(discard())
	for i := range n {
		if _, ok := a.notes.create(noteInput{Title: fmt.Sprint(i + 1)}); !ok {
			t.Fatal("there is no room")
		}
	}
	return a
}

// A note goes through its whole life.
func TestNoteLife(t *testing.T) {
	h := newAPI(discard()).handler()

	resp, body := do(t, h, "POST", notesPath, `{"title":"a","body":"b"}`, jsonType)
	created := decodeJSON[note](t, body)
	if resp.StatusCode != http.StatusCreated || created.Title != "a" || created.Body != "b" {
		t.Fatalf("create: got %d %s", resp.StatusCode, body)
	}
	location := resp.Header.Get("Location")
	if want := fmt.Sprintf("/api/v1/notes/%d", created.ID); location != want {
		t.Fatalf("create: Location = %q, want %q", location, want)
	}

	resp, body = do(t, h, "GET", location, "")
	if got := decodeJSON[note](t, body); resp.StatusCode != http.StatusOK || got != created {
		t.Errorf("get: got %d %s, want 200 and the note created", resp.StatusCode, body)
	}

	// PUT replaces the whole note: what the body leaves out is gone.
	resp, body = do(t, h, "PUT", location, `{"title":"c"}`, jsonType)
	replaced := decodeJSON[note](t, body)
	if resp.StatusCode != http.StatusOK || replaced.Title != "c" || replaced.Body != "" ||
		replaced.ID != created.ID || !replaced.CreatedAt.Equal(created.CreatedAt) {
		t.Errorf("replace: got %d %s", resp.StatusCode, body)
	}
	if _, body = do(t, h, "GET", location, ""); decodeJSON[note](t, body) != replaced {
		t.Errorf("get after replace: got %s, want the replaced note", body)
	}

	if resp, _ = do(t, h, "DELETE", location, ""); resp.StatusCode != http.StatusNoContent {
		t.Errorf("delete: status = %d, want 204", resp.StatusCode)
	}
	for _, method := range []string{"GET", "DELETE"} {
		if resp, _ = do(t, h, method, location, ""); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s after delete: status = %d, want 404", method, resp.StatusCode)
		}
	}
	if resp, _ = do(t, h, "PUT", location, `{"title":"d"}`, jsonType); resp.StatusCode != http.StatusNotFound {
		t.Errorf("PUT after delete: status = %d, want 404", resp.StatusCode)
	}
	if resp, _ = do(t, h, "POST", notesPath, `{"title":"e"}`, jsonType); resp.Header.Get("Location") == location {
		t.Errorf("the id of a deleted note is used again")
	}
}

func TestNoteIDs(t *testing.T) {
	h := withNotes(t, 3).handler()
	tests := []struct {
		id     string
		status int
	}{
		{"1", 200}, {"3", 200}, {"%31", 200},
		{"0", 404}, {"4", 404}, {"01", 404}, {"+1", 404}, {"-1", 404}, {"1.0", 404}, {"1e0", 404}, {"0x1", 404},
		{"1%20", 404}, {"1%2F2", 404}, {"%D9%A1", 404}, {"x", 404}, {"%00", 404}, {"%FF", 404}, {"..%2F1", 404},
		{"18446744073709551615", 404}, {"18446744073709551617", 404},
	}
	for _, tt := range tests {
		t.Run(tt.id, func(t *testing.T) {
			for _, method := range []string{"GET", "PUT", "DELETE"} {
				if method == "DELETE" && tt.status == 200 {
					continue // TestNoteLife deletes
				}
				resp, body := do(t, h, method, notesPath+"/"+tt.id, `{"title":"x"}`, jsonType)
				if resp.StatusCode != tt.status {
					t.Errorf("%s: got %d %s, want %d", method, resp.StatusCode, body, tt.status)
				}
			}
		})
	}
}

func TestListNotes(t *testing.T) {
	h := withNotes(t, 25).handler()
	tests := []struct {
		query         string
		limit, offset int
		first, count  int
	}{
		{"", 20, 0, 1, 20},
		{"?limit=5", 5, 0, 1, 5},
		{"?offset=20", 20, 20, 21, 5},
		{"?limit=10&offset=10", 10, 10, 11, 10},
		{"?limit=100", 100, 0, 1, 25},
		{"?limit=1&offset=24", 1, 24, 25, 1},
		{"?offset=25", 20, 25, 0, 0},
		{"?offset=1000", 20, 1000, 0, 0},
		{"?other=1", 20, 0, 1, 20},
	}
	for _, tt := range tests {
		t.Run(tt.query, func(t *testing.T) {
			resp, body := do(t, h, "GET", notesPath+tt.query, "")
			page := decodeJSON[notePage](t, body)
			if resp.StatusCode != 200 || page.Total != 25 || page.Limit != tt.limit || page.Offset != tt.offset || len(page.Notes) != tt.count {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
			for i, n := range page.Notes {
				if want := fmt.Sprint(tt.first + i); n.Title != want {
					t.Errorf("note %d is %q, want %q", i, n.Title, want)
				}
			}
			if tt.count == 0 && !strings.Contains(body, `"notes":[]`) {
				t.Errorf("got %s, want an empty array", body)
			}
		})
	}
}

func TestListNotesBadQuery(t *testing.T) {
	h := newAPI(discard()).handler()
	queries := []string{
		"limit=0", "limit=101", "limit=-1", "limit=", "limit=x", "limit=1.5", "limit=1&limit=2", "limit=99999999999999999999",
		"offset=-1", "offset=1001", "offset=", "offset=x", "offset=0&offset=0", "limit=%zz", "a;b",
	}
	for _, query := range queries {
		t.Run(query, func(t *testing.T) {
			resp, body := do(t, h, "GET", notesPath+"?"+query, "")
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("got %d %s, want 400", resp.StatusCode, body)
			}
		})
	}
}

// POST and PUT refuse the same bodies, and change nothing when they do.
func TestWriteRefused(t *testing.T) {
	a := withNotes(t, 1)
	h := a.handler()
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			for method, target := range map[string]string{"POST": notesPath, "PUT": notesPath + "/1"} {
				resp, body := do(t, h, method, target, tt.body, jsonType)
				if resp.StatusCode != tt.status {
					t.Errorf("%s: got %d %s, want %d", method, resp.StatusCode, body, tt.status)
				}
			}
		})
	}
	notes, total := a.notes.list(0, 10)
	if total != 1 || notes[0].Title != "1" {
		t.Errorf("the store holds %+v, want the one note as it was", notes)
	}
}

// A full store refuses notes until there is room again.
func TestStoreFull(t *testing.T) {
	a := withNotes(t, maxNotes)
	h := a.handler()
	create := func() int {
		resp, _ := do(t, h, "POST", notesPath, `{"title":"x"}`, jsonType)
		return resp.StatusCode
	}
	if got := create(); got != http.StatusInsufficientStorage {
		t.Errorf("status = %d, want 507", got)
	}
	if resp, _ := do(t, h, "DELETE", notesPath+"/500", ""); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("delete: status = %d", resp.StatusCode)
	}
	if got := create(); got != http.StatusCreated {
		t.Errorf("after a delete: status = %d, want 201", got)
	}
}
