package bytecode

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// process is a Python that forks a child for each source it is given. It is used by one goroutine.
type process struct {
	program string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	stderr  *tail
	limit   time.Duration // for one source
	release func()        // ends the watch over the context; to be called before the process is reaped
}

// start runs the interpreter and has it tell its version. The whole process group dies with ctx.
func start(ctx context.Context, i Interpreter, limit time.Duration) (*process, error) {
	p := &process{program: i.Argv[0], stderr: new(tail), limit: limit}
	p.cmd = exec.Command(i.Argv[0], append(i.Argv[1:len(i.Argv):len(i.Argv)], driverArgs()...)...)
	p.cmd.Env = append(i.Env[:len(i.Env):len(i.Env)], fixedEnv()...)
	p.cmd.Dir = "/"
	p.cmd.Stderr = p.stderr
	p.cmd.WaitDelay = 5 * time.Second
	ownGroup(p.cmd)
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("interpreter %s: %w", p.program, err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("interpreter %s: %w", p.program, err)
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, &StartError{Version: i.Version, Err: fmt.Errorf("interpreter %s: %w", p.program, err)}
	}
	p.watch(ctx)
	if err := p.greet(i.Version); err != nil {
		return nil, err
	}
	return p, nil
}

// watch kills the process and its children when ctx ends. exec.CommandContext could do so after the process was
// reaped, when its id may be another's.
func (p *process) watch(ctx context.Context) {
	killed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(killed)
		killGroup(p.cmd.Process.Pid)
	})
	p.release = func() {
		if !stop() {
			<-killed
		}
	}
}

// greet reads who the interpreter is and sets the limits that its children inherit.
func (p *process) greet(version string) error {
	kind, who, err := p.frame()
	if err != nil || kind != 'H' {
		return &StartError{Version: version, Err: p.fail("did not start", err)}
	}
	if got := string(who); got != "cpython "+version {
		_ = p.kill()
		return &VersionError{Program: p.program, Want: version, Got: got}
	}
	limitProcess(p.cmd.Process.Pid)
	return nil
}

// outcome is what became of one source.
type outcome struct {
	pyc     []byte
	skipped string
	crashed bool // the process has ended with the child; the result is not to be remembered
}

// compile has one source compiled. After an error or a crash the process is gone.
func (p *process) compile(src Source, content []byte) (outcome, error) {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(src.Path)))
	head = binary.BigEndian.AppendUint32(head, uint32(len(content)))
	head = binary.BigEndian.AppendUint32(head, uint32(max(1, p.limit/time.Second)))
	head = append(append(head, byte(src.Mode)), src.Path...)
	// A child that dies while it reads breaks the pipe; how it died is told by the frame that follows.
	_, werr := p.in.Write(head)
	if werr == nil {
		_, werr = p.in.Write(content)
	}
	var o outcome
	for {
		kind, data, err := p.frame()
		switch {
		case err != nil:
			return outcome{}, p.fail(fmt.Sprintf("ended while it compiled %s", src.Path), errors.Join(werr, err))
		case kind == 'B' && len(o.pyc) <= MaxBytecode:
			o.pyc = append(o.pyc, data...)
		case kind == 'S':
			o.skipped += string(data)
		case kind == 'X' && len(data) == 4:
			return p.judge(src, o, binary.BigEndian.Uint32(data))
		}
	}
}

// judge decides by the wait status of the child. What depends on the machine of this moment (time, memory)
// is an error, since it must not decide what is in an image.
func (p *process) judge(src Source, o outcome, status uint32) (outcome, error) {
	signal := syscall.Signal(status & 0x7f)
	switch {
	case status == 0 && len(o.pyc) > MaxBytecode:
		return outcome{skipped: fmt.Sprintf("more than %d MiB of bytecode", MaxBytecode>>20)}, nil
	case status == 0 && (len(o.pyc) > 0) != (o.skipped != ""):
		o.skipped = strings.Join(strings.Fields(o.skipped), " ")
		return o, nil
	case status == 0 || signal == 0:
		return outcome{}, p.fail(fmt.Sprintf("gave no result for %s (wait status %#x)", src.Path, status), nil)
	case signal == sigalrm:
		_ = p.kill()
		return outcome{}, fmt.Errorf("%s: compiling it took more than %v; exclude the file, or build without bytecode (--bytecode=none)", src.Path, p.limit)
	case signal == syscall.SIGKILL:
		_ = p.kill()
		return outcome{}, fmt.Errorf("%s: the process that compiled it was killed, probably for lack of memory; lower --jobs or exclude the file", src.Path)
	}
	_ = p.kill()
	return outcome{skipped: fmt.Sprintf("the compiler crashed (%v)", signal), crashed: true}, nil
}

// frame reads one frame of the driver's.
func (p *process) frame() (kind byte, data []byte, err error) {
	var head [3]byte
	if _, err := io.ReadFull(p.out, head[:]); err != nil {
		return 0, nil, err
	}
	data = make([]byte, binary.BigEndian.Uint16(head[1:]))
	_, err = io.ReadFull(p.out, data)
	return head[0], data, err
}

// close lets the process end: it sees the end of its input and leaves.
func (p *process) close() error {
	_ = p.in.Close()
	_, err := io.Copy(io.Discard, p.out)
	p.release()
	if err := errors.Join(err, p.cmd.Wait()); err != nil {
		return fmt.Errorf("interpreter %s: %w%s", p.program, err, p.stderr)
	}
	return nil
}

// kill ends the process and its children at once. They are killed before the process is reaped, as long
// as its id cannot be another's.
func (p *process) kill() error {
	p.release()
	killGroup(p.cmd.Process.Pid)
	_ = p.in.Close()
	return p.cmd.Wait()
}

// fail kills the process and makes an error of what it did last.
func (p *process) fail(what string, err error) error {
	ended := p.kill()
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = ended
	}
	if err == nil {
		return fmt.Errorf("interpreter %s %s%s", p.program, what, p.stderr)
	}
	return fmt.Errorf("interpreter %s %s: %w%s", p.program, what, err, p.stderr)
}

// tail keeps the last of what a process writes to its standard error.
type tail struct{ text []byte }

const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if extra := len(t.text) - maxTail; extra > 0 {
		t.text = append(t.text[:0], t.text[extra:]...)
	}
	return len(p), nil
}

// String is the text as the end of an error message; "" if there is none.
func (t *tail) String() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(t.text), "?"))
	if text == "" {
		return ""
	}
	return "; it says:\n" + text
}
