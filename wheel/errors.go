package wheel

import "fmt"

// FormatError says that a wheel is not what it must be: its archive is broken or could be read in two ways, a metadata file
// is missing or malformed, or two places disagree. All three fields are for messages.
type FormatError struct {
	// Wheel is the file name.
	Wheel string
	// Entry is the path in the archive, or "" if the whole is meant.
	Entry string
	// Problem says what is wrong.
	Problem string
}

// Error names the wheel, the entry and what is wrong.
func (e *FormatError) Error() string {
	if e.Entry == "" {
		return e.Wheel + ": " + e.Problem
	}
	return fmt.Sprintf("%s: entry %q: %s", e.Wheel, e.Entry, e.Problem)
}

// Hint says what to do.
func (e *FormatError) Hint() string {
	return "the wheel is damaged or not made by the rules: fetch it again, or have it built anew by whoever publishes it"
}
