package pexko

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
