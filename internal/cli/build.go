package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pexko/pexko"
	"github.com/pexko/pexko/project"
)

// buildOptions is what the flags of build say. Settings are resolved from them, the environment and the
// project's file in package project.
type buildOptions struct {
	flags        project.Flags
	hermetic     bool
	insecure     bool
	imageRefs    string
	metadataFile string
	verbose      bool
}

const buildLong = `Build the image of the Python project in DIR (default: here) and send it where the destination
flags say; any number of them can be given in one run.

A project is a directory with a pyproject.toml or a requirements.txt. With a [build-system] it is built
as a wheel and installed; without one its files lie under /app as they are. Its dependencies come from
a lock (pylock.toml, a pex lock, or a requirements.txt with hashes), else from [project.dependencies].
The program is what -e or -c or [tool.pexko] names, else the project's own script or __main__.py.

Standard output carries the references of what was made, by digest, one a line; all else goes to
standard error. Settings can also stand in [tool.pexko] or in PEXKO_* variables; a flag wins over a
variable, a variable over the file.`

const buildExample = `  # build for one platform and push with the tag latest
  pexko build --base python:3.12-slim --push ghcr.io/org/app

  # two platforms, two tags, the lock checked into the repository
  pexko build --push ghcr.io/org/app -t v1 -t latest --platform linux/amd64,linux/arm64

  # try it here, without a registry
  pexko build --load && docker run --rm app:latest`

func (a *app) buildCommand() *cobra.Command {
	o := &buildOptions{}
	cmd := &cobra.Command{
		Use:     "build [DIR]",
		Short:   "Build a project's image and push, write or load it",
		Long:    buildLong,
		Example: buildExample,
		Args:    usageArgs(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			return a.build(cmd.Context(), dir, o.finalize(cmd.Flags()))
		},
	}
	o.addFlags(cmd.Flags())
	return cmd
}

// usageArgs makes a wrong number of arguments wrong use.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{flagError{err, cmd.CommandPath()}}
		}
		return nil
	}
}

func (o *buildOptions) addFlags(f *pflag.FlagSet) {
	o.addDestinations(f)
	o.addInputs(f)
	o.addImage(f)
	o.addRun(f)
	f.SortFlags = false
}

func (o *buildOptions) addDestinations(f *pflag.FlagSet) {
	f.StringArrayVar(&o.flags.Push, "push", nil, "push to `REPO[:TAG]`; repeatable")
	f.StringSliceVarP(&o.flags.Tags, "tag", "t", nil, "`TAG` of what is pushed; repeatable (default latest)")
	f.StringVar(&o.flags.OCILayout, "oci-layout", "", "write an OCI layout to `DIR`")
	f.StringVar(&o.flags.OCIArchive, "oci-archive", "", "write an OCI archive to `FILE`")
	f.StringVar(&o.flags.Tarball, "tarball", "", "write an archive for docker load to `FILE`")
	f.StringVar(&o.flags.Load, "load", "", "load into `ENGINE`: podman or docker, whichever is there unless named")
	f.Lookup("load").NoOptDefVal = "auto"
	f.StringVar(&o.flags.PexFile, "pex", "", "write the PEX itself to `FILE`")
	f.StringVar(&o.imageRefs, "image-refs", "", "also write the references to `FILE`")
	f.StringVar(&o.metadataFile, "metadata-file", "", "write what was built, as JSON, to `FILE`")
}

func (o *buildOptions) addInputs(f *pflag.FlagSet) {
	f.StringVar(&o.flags.Base, "base", "", "base image: a reference, or oci:DIR, oci-archive:FILE, docker-archive:FILE (default "+project.DefaultBase+")")
	f.StringSliceVar(&o.flags.Platforms, "platform", nil, "`OS/ARCH` to build for, separated by commas, or all (default "+project.DefaultPlatform+")")
	f.StringVar(&o.flags.Python, "python", "", "`PATH` of the interpreter in the base (default: the first on its PATH)")
	f.StringVar(&o.flags.Lock, "lock", "", "lock `FILE` (default: found in the project)")
	f.StringSliceVar(&o.flags.Extras, "extra", nil, "`EXTRA` of the project to include; repeatable")
	f.StringSliceVar(&o.flags.Groups, "group", nil, "dependency `GROUP` to include; repeatable")
}

func (o *buildOptions) addImage(f *pflag.FlagSet) {
	f.StringVarP(&o.flags.EntryPoint, "entry-point", "e", "", "run `MODULE[:FUNCTION]`")
	f.StringVarP(&o.flags.Script, "script", "c", "", "run the console script `NAME`")
	f.StringArrayVar(&o.flags.Args, "arg", nil, "`ARG` of the program, before those of docker run; repeatable")
	f.StringArrayVar(&o.flags.PythonArgs, "python-arg", nil, "`ARG` of the interpreter; repeatable")
	f.BoolVar(&o.hermetic, "hermetic", false, "have the interpreter ignore PYTHON* variables and the user's site directory")
	f.StringVar(&o.flags.Name, "name", "", "`NAME` of the application (default: the project's)")
	f.StringArrayVar(&o.flags.Env, "env", nil, "`NAME=VALUE` in the image's environment; repeatable")
	f.StringVar(&o.flags.User, "user", "", "`USER[:GROUP]` the container runs as (default "+project.DefaultUser+")")
	f.StringVar(&o.flags.WorkDir, "workdir", "", "working `DIR` (default "+project.DefaultWorkDir+")")
	f.StringArrayVar(&o.flags.Labels, "label", nil, "`NAME=VALUE` label; repeatable")
	f.StringArrayVar(&o.flags.Annotations, "annotation", nil, "`NAME=VALUE` annotation of the manifest; repeatable")
	f.StringSliceVar(&o.flags.Expose, "expose", nil, "`PORT[/PROTOCOL]` that the program listens on; repeatable")
	f.StringVar(&o.flags.StopSignal, "stop-signal", "", "`SIGNAL` that stops the container")
	f.IntVar(&o.flags.MaxLayers, "max-layers", 0, fmt.Sprintf("most layers beyond the base's (default %d)", project.DefaultMaxLayers))
	f.StringVar(&o.flags.Compression, "compression", "", "gzip or zstd (default gzip)")
	f.StringVar(&o.flags.Bytecode, "bytecode", "", "`KIND`: all, compiled by exactly the image's Python; host, by one of this machine's; none (default all)")
}

func (o *buildOptions) addRun(f *pflag.FlagSet) {
	f.StringVar(&o.flags.CacheDir, "cache-dir", "", "where to keep what can be used again (default ~/.cache/pexko)")
	f.StringVar(&o.flags.HostPython, "host-python", "", "`PATH` of the Python of this machine that runs pex (default: found)")
	f.IntVarP(&o.flags.Jobs, "jobs", "j", 0, "how much to do at once (default: as many as there are processors)")
	f.BoolVar(&o.insecure, "insecure-registry", false, "allow plain HTTP and unverified TLS to registries")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "show what pex and pip print")
}

// finalize turns what pflag holds into Flags: a boolean that nobody set says nothing.
func (o *buildOptions) finalize(f *pflag.FlagSet) *buildOptions {
	if f.Changed("hermetic") {
		o.flags.Hermetic = &o.hermetic
	}
	if f.Changed("insecure-registry") {
		o.flags.Insecure = &o.insecure
	}
	return o
}

// build runs one build and prints its references.
func (a *app) build(ctx context.Context, dir string, o *buildOptions) error {
	p, err := project.Load(dir, project.Options{Flags: o.flags, Env: a.getenv, Outputs: o.outputs()})
	if err != nil {
		return usageError{err}
	}
	result, err := pexko.Build(ctx, pexko.Options{Project: p, Env: a.env, Progress: a.progress(), Line: a.relay(o.verbose), Outputs: o.outputs()})
	if err != nil {
		return asUsage(err)
	}
	if err := o.writeFiles(result); err != nil {
		return err
	}
	a.closeConsole()
	_, err = fmt.Fprintln(a.streams.Out, strings.Join(result.References, "\n"))
	return err
}

// asUsage marks errors of a build that say what the command line or the configuration lacks.
func asUsage(err error) error {
	var destination *pexko.DestinationError
	var entry *project.EntryError
	if errors.As(err, &destination) || errors.As(err, &entry) {
		return usageError{err}
	}
	return err
}
