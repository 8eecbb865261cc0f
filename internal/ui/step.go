package ui

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// step is one running line of the console.
type step struct {
	c      *Console
	name   string
	detail string
	began  time.Time
}

// Update replaces what stands behind a running step's name. Off a terminal it shows nothing.
func (s *step) Update(detail string) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	s.detail = detail
}

// Done ends the step and leaves its line.
func (s *step) Done(detail string) {
	s.c.mu.Lock()
	defer s.c.mu.Unlock()
	i := slices.Index(s.c.active, s)
	if i < 0 {
		return
	}
	s.c.active = slices.Delete(s.c.active, i, i+1)
	if !s.c.o.Quiet {
		s.c.println(s.line(detail))
	}
}

func (s *step) line(detail string) string {
	mark := ""
	if s.c.o.Terminal {
		mark = s.c.paint(green, "✓ ")
	}
	line := fmt.Sprintf("%s%-10s %s", mark, s.name, detail)
	if took := s.c.o.Now().Sub(s.began); took >= 100*time.Millisecond {
		line += " " + s.c.paint(dim, duration(took))
	}
	return strings.TrimRight(line, " ")
}
