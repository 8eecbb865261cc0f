package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pexko/pexko/internal/ui"
)

// app is one run of the command line: what all commands share.
type app struct {
	env     []string
	streams Streams
	quiet   bool
	console *ui.Console
}

// getenv looks a variable up in the run's environment; the last of several wins, as in execve's callers.
func (a *app) getenv(key string) (string, bool) {
	value, ok := "", false
	for _, kv := range a.env {
		if k, v, cut := strings.Cut(kv, "="); cut && k == key {
			value, ok = v, true
		}
	}
	return value, ok
}

// colour follows NO_COLOR and FORCE_COLOR, else whether standard error is a terminal.
func (a *app) colour() bool {
	if v, ok := a.getenv("NO_COLOR"); ok && v != "" {
		return false
	}
	if v, ok := a.getenv("FORCE_COLOR"); ok && v != "" {
		return true
	}
	return a.streams.ErrTerminal
}

// progress is the console of the run, made when the first command needs it.
func (a *app) progress() *ui.Console {
	if a.console == nil {
		a.console = ui.New(ui.Options{
			Out: a.streams.Err, Terminal: a.streams.ErrTerminal, Width: a.streams.Width, Colour: a.colour(), Quiet: a.quiet,
		})
	}
	return a.console
}

func (a *app) closeConsole() {
	if a.console != nil {
		a.console.Close()
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "pexko",
		Short: "Turn Python projects into container images, without Docker",
		Long: `pexko turns a Python project into an OCI image: no Docker daemon, no Dockerfile, no root, no
container. The image starts warm: its wheels are installed and compiled when it is built, and its
first start writes nothing, as any user, on a read-only filesystem. The same project, lock and
base give the same digest on every machine.

Exit codes: 0 done, 1 failed, 2 wrong use (flags, configuration), 130 interrupted.`,
		Example:           "  pexko build --base python:3.12-slim --push ghcr.io/org/app",
		SilenceUsage:      true,
		SilenceErrors:     true,
		DisableAutoGenTag: true,

		SuggestionsMinimumDistance: 2,

		Args: cobra.ArbitraryArgs, // or cobra would report an unknown command its own way
		RunE: unknownCommand,
	}
	root.SetIn(a.streams.In)
	root.SetOut(a.streams.Out)
	root.SetErr(a.streams.Err)
	root.PersistentFlags().BoolVarP(&a.quiet, "quiet", "q", false, "print no progress, only warnings and errors")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usageError{flagError{err, cmd.CommandPath()}} })
	root.AddCommand(a.buildCommand(), a.versionCommand())
	return root
}

// unknownCommand is what the program does with no command, or one that there is not.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return root.Help()
	}
	text := fmt.Sprintf("unknown command %q", args[0])
	if like := root.SuggestionsFor(args[0]); len(like) > 0 {
		text += "; did you mean " + strings.Join(like, " or ") + "?"
	}
	return usageError{flagError{errors.New(text), root.CommandPath()}}
}
