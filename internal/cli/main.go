package cli

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/pexko/pexko/internal/ui"
)

// Exit codes, as --help states them.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// Streams are what the process reads and writes.
type Streams struct {
	In  io.Reader
	Out io.Writer
	Err io.Writer
	// ErrTerminal says that Err is a terminal of Width columns.
	ErrTerminal bool
	Width       int
}

// OS returns the streams of this process.
func OS() Streams {
	fd := int(os.Stderr.Fd())
	width, _, err := term.GetSize(fd)
	return Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, ErrTerminal: err == nil && term.IsTerminal(fd), Width: width}
}

// Main runs the command that args name (without the program's name) in the environment env ("KEY=value")
// and returns the exit code. The first interrupt or termination signal cancels the run, which then takes
// back what is half done; a second one ends the process at once.
func Main(ctx context.Context, args, env []string, s Streams) int {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	app := &app{env: env, streams: s}
	root := app.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	app.closeConsole()
	return app.exit(ctx, err)
}

// exit prints err, if any, and says with which code the process ends.
func (a *app) exit(ctx context.Context, err error) int {
	console := ui.New(ui.Options{Out: a.streams.Err, Colour: a.colour()})
	defer console.Close()
	var usage usageError
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		console.Error(errors.New("interrupted; nothing half-written was left"))
		return exitInterrupted
	case errors.As(err, &usage):
		console.Error(err)
		return exitUsage
	default:
		console.Error(err)
		return exitFailed
	}
}

// usageError marks what the user typed wrongly, in flags or configuration.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// flagError is a flag or argument that the command does not know.
type flagError struct {
	error
	command string
}

// Hint says where they are listed.
func (e flagError) Hint() string { return e.command + " --help lists what it takes" }
