package ui

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/pexko/pexko"
)

// Options say what the console writes to.
type Options struct {
	// Out is where all goes: standard error.
	Out io.Writer
	// Terminal turns on redrawing in place; Colour turns on bold and colours.
	Terminal, Colour bool
	// Width is the terminal's width in columns; 0 means 80.
	Width int
	// Quiet leaves out steps; warnings and errors stay.
	Quiet bool
	// Now tells the time, for the durations behind steps.
	Now func() time.Time
}

// Console shows steps as they run. It implements pexko.Progress and is safe for concurrent use.
type Console struct {
	o Options

	mu     sync.Mutex
	active []*step
	drawn  int
	stop   chan struct{}
	done   chan struct{}
}

// New returns a console; Close must be called before anything else is written to the same terminal.
func New(o Options) *Console {
	if o.Width <= 0 {
		o.Width = 80
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Console{o: o, stop: make(chan struct{}), done: make(chan struct{})}
	if !o.Terminal || o.Quiet {
		close(c.done)
		return c
	}
	go c.redraw()
	return c
}

// Close ends the redrawing and clears what is still running from the screen.
func (c *Console) Close() {
	c.mu.Lock()
	select {
	case <-c.stop:
	default:
		close(c.stop)
	}
	c.mu.Unlock()
	<-c.done
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	c.active = nil
}

// Step begins a step and shows it while it runs.
func (c *Console) Step(name string) pexko.Step {
	s := &step{c: c, name: name, began: c.o.Now()}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.active = append(c.active, s)
	return s
}

// Warn prints a warning at once, above the running steps.
func (c *Console) Warn(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.println(c.paint(yellow, "warning: ") + text)
}

// println writes a line that stays, above the running steps.
func (c *Console) println(line string) {
	c.erase()
	fmt.Fprintln(c.o.Out, line)
	c.draw()
}

func (c *Console) redraw() {
	defer close(c.done)
	tick := time.NewTicker(150 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-c.stop:
			return
		case <-tick.C:
			c.mu.Lock()
			c.erase()
			c.draw()
			c.mu.Unlock()
		}
	}
}

// erase takes the running steps off the screen.
func (c *Console) erase() {
	if c.drawn > 0 {
		fmt.Fprintf(c.o.Out, "\x1b[%dA\x1b[J", c.drawn)
		c.drawn = 0
	}
}

// draw writes the running steps, those of more than half a second's age alone: what is quick never flickers.
func (c *Console) draw() {
	if !c.o.Terminal || c.o.Quiet {
		return
	}
	var b strings.Builder
	for _, s := range c.active {
		age := c.o.Now().Sub(s.began)
		if age < 500*time.Millisecond {
			continue
		}
		b.WriteString(clip(fmt.Sprintf("%c %-10s %s %s", spinner(age), s.name, s.detail, duration(age)), c.o.Width-1) + "\n")
		c.drawn++
	}
	io.WriteString(c.o.Out, b.String())
}

func spinner(age time.Duration) rune {
	frames := []rune("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
	return frames[int(age/(150*time.Millisecond))%len(frames)]
}

// clip shortens a line to width columns, so that a long detail does not wrap and break the redrawing.
func clip(line string, width int) string {
	r := []rune(line)
	if len(r) <= width {
		return line
	}
	return string(r[:width-1]) + "…"
}

// duration prints a time to a tenth of a second.
func duration(d time.Duration) string {
	return fmt.Sprintf("(%.1fs)", d.Seconds())
}

// Line prints a line at once, above the running steps.
func (c *Console) Line(text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.println(c.paint(dim, text))
}
