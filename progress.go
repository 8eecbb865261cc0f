package pexko

import "sync"

// Progress is told what a build is doing. The zero value of Options uses one that is silent. All methods
// may be called from several goroutines.
type Progress interface {
	// Step begins a step with a short name ("wheels"); it runs until Done, or until the build fails.
	Step(name string) Step
	// Warn reports what the user should know although the build goes on: a whole sentence.
	Warn(text string)
}

// Step is one running step.
type Step interface {
	// Update says how far it is: "3 of 16".
	Update(detail string)
	// Done ends it and says what came of it: "16 wheels, 12.3 MB". Only the first call counts.
	Done(detail string)
}

type silent struct{}

func (silent) Step(string) Step { return silent{} }
func (silent) Warn(string)      {}
func (silent) Update(string)    {}
func (silent) Done(string)      {}

// once passes each warning on one time: what concerns every platform is not said for each.
type once struct {
	Progress
	mu   sync.Mutex
	said map[string]bool
}

// Warn passes a warning on unless it was said before.
func (o *once) Warn(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.said[text] {
		return
	}
	if o.said == nil {
		o.said = map[string]bool{}
	}
	o.said[text] = true
	o.Progress.Warn(text)
}
