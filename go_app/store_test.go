package main

import (
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestStoreTimestamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newNoteStore(1)
		time.Sleep(1500 * time.Millisecond)
		start := time.Now()
		created, ok := s.create(noteInput{Title: "a"})
		if !ok {
			t.Fatal("there is no room")
		}
		if want := start.Truncate(time.Second); !created.CreatedAt.Equal(want) || created.UpdatedAt != created.CreatedAt {
			t.Errorf("created at %v, updated at %v, want %v", created.CreatedAt, created.UpdatedAt, want)
		}
		if created.CreatedAt.Location() != time.UTC {
			t.Errorf("the time is in %v, want UTC", created.CreatedAt.Location())
		}

		time.Sleep(time.Hour)
		replaced, _ := s.replace(created.ID, noteInput{Title: "b"})
		if replaced.CreatedAt != created.CreatedAt || !replaced.UpdatedAt.Equal(created.CreatedAt.Add(time.Hour)) {
			t.Errorf("created at %v, updated at %v, want the same and an hour later", replaced.CreatedAt, replaced.UpdatedAt)
		}
	})
}

// Notes that were handed out do not change with the store.
func TestStoreCopies(t *testing.T) {
	s := newNoteStore(2)
	for _, title := range []string{"a", "b"} {
		if _, ok := s.create(noteInput{Title: title}); !ok {
			t.Fatal("there is no room")
		}
	}
	page, _ := s.list(0, 2)
	s.replace(1, noteInput{Title: "changed"})
	s.delete(2)
	if page[0].Title != "a" || page[1].Title != "b" {
		t.Errorf("the page became %+v", page)
	}
}

func TestStoreListBounds(t *testing.T) {
	s := newNoteStore(3)
	for range 3 {
		if _, ok := s.create(noteInput{Title: "a"}); !ok {
			t.Fatal("there is no room")
		}
	}
	tests := []struct{ offset, limit, want int }{
		{0, 0, 0}, {0, 3, 3}, {1, 1, 1}, {2, 5, 1}, {3, 1, 0}, {9, 1, 0},
		{0, math.MaxInt, 3}, {1, math.MaxInt, 2}, {math.MaxInt, math.MaxInt, 0},
	}
	for _, tt := range tests {
		page, total := s.list(tt.offset, tt.limit)
		if len(page) != tt.want || total != 3 {
			t.Errorf("list(%d, %d): %d notes of %d, want %d of 3", tt.offset, tt.limit, len(page), total, tt.want)
		}
	}
}

// Many writers and readers at once leave the store whole: every id is given
// once, the capacity holds, and no write is lost.
func TestStoreConcurrency(t *testing.T) {
	const workers, rounds, capacity = 8, 200, 400
	s := newNoteStore(capacity)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		ids  = map[uint64]bool{} // by id, whether the note was deleted again
		full int
	)
	for range workers {
		wg.Go(func() {
			for i := range rounds {
				n, ok := s.create(noteInput{Title: "a"})
				if !ok {
					mu.Lock()
					full++
					mu.Unlock()
					continue
				}
				if r, ok := s.replace(n.ID, noteInput{Title: "b"}); !ok || r.ID != n.ID {
					t.Errorf("replace(%d) = %+v, %t", n.ID, r, ok)
				}
				if g, ok := s.get(n.ID); !ok || g.Title != "b" {
					t.Errorf("get(%d) = %+v, %t", n.ID, g, ok)
				}
				if page, total := s.list(0, capacity+1); len(page) != total || total > capacity {
					t.Errorf("list: %d notes of %d", len(page), total)
				}
				gone := i%4 == 0
				if gone && !s.delete(n.ID) {
					t.Errorf("delete(%d) = false", n.ID)
				}
				mu.Lock()
				if _, dup := ids[n.ID]; dup {
					t.Errorf("id %d was given twice", n.ID)
				}
				ids[n.ID] = gone
				mu.Unlock()
			}
		})
	}
	wg.Wait()

	kept := 0
	for id, gone := range ids {
		if _, ok := s.get(id); ok == gone {
			t.Errorf("get(%d): found is %t, deleted is %t", id, ok, gone)
		}
		if !gone {
			kept++
		}
	}
	page, total := s.list(0, capacity+1)
	if total != kept || len(page) != kept {
		t.Errorf("%d notes, %d listed, want %d", total, len(page), kept)
	}
	for i := 1; i < len(page); i++ {
		if page[i-1].ID >= page[i].ID {
			t.Fatalf("ids %d, %d are out of order", page[i-1].ID, page[i].ID)
		}
	}
	if full == 0 || len(ids)+full != workers*rounds {
		t.Errorf("%d created and %d refused, want %d in all and some refused", len(ids), full, workers*rounds)
	}
}
