package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Loaded is what an engine has after a Load.
type Loaded struct {
	Engine string   // the command: "podman"
	Refs   []string // the names under which the engine says it has the image
	Digest v1.Hash  // of the image that was chosen
}

// Load streams the artifact's image for this machine's architecture into a container engine. engine is
// a command that knows "load" as docker does; "" takes docker if its daemon answers, else podman. Nothing is
// written but by the engine; an engine that is cancelled keeps no part of an image.
func Load(ctx context.Context, engine string, tags []name.Tag, what Artifact) (Loaded, error) {
	img, err := what.For(v1.Platform{OS: "linux", Architecture: runtime.GOARCH})
	if err != nil {
		return Loaded{}, fmt.Errorf("load: %w", err)
	}
	digest, err := img.Digest()
	if err != nil {
		return Loaded{}, err
	}
	command, err := findEngine(ctx, engine)
	if err != nil {
		return Loaded{}, err
	}
	out, err := pipe(ctx, command, func(w io.Writer) error { return writeDocker(ctx, w, tags, img) })
	if err != nil {
		return Loaded{}, &loadError{command, err, zstdHint(img)}
	}
	l := Loaded{Engine: command, Digest: digest, Refs: loaded(out)}
	if len(l.Refs) == 0 {
		for _, tag := range tags {
			l.Refs = append(l.Refs, familiar(tag))
		}
	}
	return l, nil
}

// CheckEngine finds out whether there is an engine for Load.
func CheckEngine(ctx context.Context, engine string) error {
	_, err := findEngine(ctx, engine)
	return err
}

// loadError is an engine that did not take the image.
type loadError struct {
	engine string
	err    error
	hint   string
}

func (e *loadError) Error() string { return e.engine + " load: " + e.err.Error() }
func (e *loadError) Unwrap() error { return e.err }

// Hint says what to do; "" when there is nothing to say.
func (e *loadError) Hint() string { return e.hint }

// zstdHint is for docker before version 23, which says "unexpected EOF" (20.10 does).
func zstdHint(img v1.Image) string {
	if m, err := img.Manifest(); err == nil && slices.ContainsFunc(m.Layers, func(d v1.Descriptor) bool { return d.MediaType == types.OCILayerZStd }) {
		return "layers are compressed with zstd, which docker reads from version 23 on; try --compression gzip"
	}
	return ""
}

// engineError says that there is no engine.
type engineError struct{ text string }

func (e *engineError) Error() string { return e.text }

// Hint says what to do.
func (e *engineError) Hint() string {
	return "install podman or docker, or name another engine in PEXKO_ENGINE; --tarball FILE writes what it would load"
}

// findEngine returns the command to use.
func findEngine(ctx context.Context, engine string) (string, error) {
	if engine != "" {
		if _, err := exec.LookPath(engine); err != nil {
			return "", &engineError{fmt.Sprintf("container engine %s: %v", engine, err)}
		}
		return engine, nil
	}
	_, docker := exec.LookPath("docker")
	_, podman := exec.LookPath("podman")
	switch {
	case docker == nil && (podman != nil || answers(ctx)):
		return "docker", nil
	case podman == nil:
		return "podman", nil
	}
	return "", &engineError{"neither docker nor podman is on PATH"}
}

// answers reports whether the docker daemon does.
func answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").Run() == nil
}

// maxSaid bounds what is kept of an engine's output, in bytes.
const maxSaid = 64 << 10

// pipe runs "ENGINE load" and feeds it; it returns what the engine said.
func pipe(ctx context.Context, engine string, write func(io.Writer) error) (string, error) {
	cmd := exec.CommandContext(ctx, engine, "load")
	cmd.WaitDelay = 10 * time.Second
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", err
	}
	out, errs := &tail{}, &tail{}
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Start(); err != nil {
		return "", err
	}
	werr := write(stdin)
	if werr != nil {
		_ = cmd.Process.Kill() // at the end of its input it might keep what it got
	}
	cerr := stdin.Close()
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case werr != nil && !errors.Is(werr, syscall.EPIPE): // ours; a broken pipe is the engine's
		return "", werr
	case err != nil && errs.String() != "":
		return "", errors.New(errs.String())
	case err != nil:
		return "", err
	}
	return out.String(), cerr
}

// tail keeps the last of what is written to it.
type tail struct{ buf bytes.Buffer }

func (t *tail) Write(p []byte) (int, error) {
	t.buf.Write(p)
	if extra := t.buf.Len() - maxSaid; extra > 0 {
		t.buf.Next(extra)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(t.buf.String()) }

// said finds the names in "Loaded image: NAME" (docker, podman) and "Loaded image(s): A,B" (podman 3).
var said = regexp.MustCompile(`(?m)^Loaded image(?: ID|\(s\))?: *(.+)$`)

func loaded(out string) []string {
	var refs []string
	for _, m := range said.FindAllStringSubmatch(out, -1) {
		refs = append(refs, strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' })...)
	}
	return refs
}
