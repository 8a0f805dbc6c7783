package main

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// maxNotes bounds the store. With the bounds of a note it holds at most 17 MB
// of text: four bytes for each of 4,200 characters.
const maxNotes = 1000

// noteSummary is a note as lists show it: without the body, so that a page
// stays small.
type noteSummary struct {
	ID        uint64    `json:"id"`
	Title     string    `json:"title"`
	CreatedAt time.Time `json:"created_at"` // UTC, to the second
	UpdatedAt time.Time `json:"updated_at"` // UTC, to the second
}

// note is one record of the store. In JSON it is one object.
type note struct {
	noteSummary
	Body string `json:"body"`
}

// noteStore keeps notes in memory. It is safe for concurrent use.
type noteStore struct {
	capacity int

	mu     sync.RWMutex
	notes  []note // in ascending order of ID
	lastID uint64 // IDs are never used again
}

func newNoteStore(capacity int) *noteStore {
	return &noteStore{capacity: capacity}
}

// create adds a note under a new ID, and reports whether there was room for it.
func (s *noteStore) create(in noteInput) (note, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.notes) >= s.capacity {
		return note{}, false
	}
	s.lastID++
	now := timestamp()
	n := note{noteSummary{s.lastID, in.Title, now, now}, in.Body}
	s.notes = append(s.notes, n)
	return n, true
}

// get returns the note id, and whether there is one.
func (s *noteStore) get(id uint64) (note, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	i, ok := s.find(id)
	if !ok {
		return note{}, false
	}
	return s.notes[i], true
}

// list returns at most limit notes, the oldest first, leaving out the first
// offset, and the number of all notes at that moment. Neither may be negative.
func (s *noteStore) list(offset, limit int) (page []noteSummary, total int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	total = len(s.notes)
	from := min(offset, total)
	for _, n := range s.notes[from : from+min(limit, total-from)] {
		page = append(page, n.noteSummary)
	}
	return page, total
}

// replace gives the note id new contents, and reports whether there is one.
func (s *noteStore) replace(id uint64, in noteInput) (note, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.find(id)
	if !ok {
		return note{}, false
	}
	n := &s.notes[i]
	n.Title, n.Body, n.UpdatedAt = in.Title, in.Body, timestamp()
	return *n, true
}

// delete removes the note id, and reports whether there was one.
func (s *noteStore) delete(id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.find(id)
	if !ok {
		return false
	}
	s.notes = slices.Delete(s.notes, i, i+1)
	return true
}

// find returns the index of the note id. The caller holds s.mu.
func (s *noteStore) find(id uint64) (int, bool) {
	return slices.BinarySearchFunc(s.notes, id, func(n note, id uint64) int { return cmp.Compare(n.ID, id) })
}

func timestamp() time.Time { return time.Now().UTC().Truncate(time.Second) }
