package registry

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// host is what is known of one: whether it ever answered, how often it failed in a row, and until when it
// wants to be left alone.
type host struct {
	mu       sync.Mutex
	answered bool
	failures int
	holds    []chan struct{}
}

// failed counts a failure and returns how many there were in a row, attempts-1 at most.
func (h *host) failed() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures = min(h.failures+1, attempts-1)
	return h.failures
}

func (h *host) well() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.failures = 0
}

// answers reports whether the host has ever answered, now included.
func (h *host) answers(resp *http.Response) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answered = h.answered || resp != nil
	return h.answered
}

// hold keeps requests back for d.
func (h *host) hold(d time.Duration) {
	until := make(chan struct{})
	time.AfterFunc(d, func() { close(until) })
	h.mu.Lock()
	defer h.mu.Unlock()
	h.holds = append(h.holds, until)
}

// wait returns when no hold is left.
func (h *host) wait(ctx context.Context) error {
	for {
		h.mu.Lock()
		if len(h.holds) == 0 {
			h.mu.Unlock()
			return ctx.Err()
		}
		until := h.holds[0]
		h.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-until:
			h.release(until)
		}
	}
}

func (h *host) release(until chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.holds) > 0 && h.holds[0] == until {
		h.holds = h.holds[1:]
	}
}
