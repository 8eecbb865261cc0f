package ui

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestOffATerminalAFinishedStepIsOneLine(t *testing.T) {
	var out bytes.Buffer
	clk := &clock{time.Unix(0, 0)}
	c := New(Options{Out: &out, Now: clk.now})
	s := c.Step("wheels")
	s.Update("3 of 16")
	c.Warn("no lock")
	clk.t = clk.t.Add(1500 * time.Millisecond)
	s.Done("16 wheels")
	s.Done("twice is once")
	c.Step("quick").Done("")
	c.Close()
	want := "warning: no lock\nwheels     16 wheels (1.5s)\nquick\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestOnATerminalRunningStepsAreRedrawnAndLeaveNothing(t *testing.T) {
	var out bytes.Buffer
	clk := &clock{time.Unix(0, 0)}
	c := &Console{o: Options{Out: &out, Terminal: true, Width: 30, Now: clk.now}, stop: make(chan struct{}), done: make(chan struct{})}
	close(c.done)
	c.Step("wheels").Update("a detail that is far too long for thirty columns")
	clk.t = clk.t.Add(time.Second)
	c.draw()
	c.Close()
	want := "⠦ wheels     a detail that i…\n\x1b[1A\x1b[J"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

type hinted struct{ error }

func (hinted) Hint() string { return "run docker login" }

func TestErrorPrintsEachHintOnce(t *testing.T) {
	var out bytes.Buffer
	h := hinted{errors.New("401")}
	New(Options{Out: &out}).Error(fmt.Errorf("push: %w", errors.Join(h, h)))
	if diff := cmp.Diff("error: push: 401\n401\nhint: run docker login\n", out.String()); diff != "" {
		t.Error(diff)
	}
}
