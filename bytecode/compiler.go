package bytecode

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pexko/pexko/internal/cas"
	"github.com/pexko/pexko/internal/tree"
)

// Options are how a Compiler works. None of them changes a result.
type Options struct {
	// Jobs is how many interpreter processes run at the same time; 0 is one per CPU.
	Jobs int
	// Store keeps the results, also for later runs. It is required.
	Store *cas.Store
}

// Stats count what a Compiler did so far.
type Stats struct {
	Started  int64 // interpreter processes
	Compiled int64 // sources given to a process
	Cached   int64 // results taken from the store
}

// Compiler compiles with one interpreter. It is safe for concurrent use; all its calls share Options.Jobs.
type Compiler struct {
	interpreter Interpreter
	store       *cas.Store
	limit       time.Duration // for one source
	seats       chan struct{} // one per process that may run
	build       string        // what the key of a result holds besides the source

	started, compiled, cached atomic.Int64
}

// space is where results are in the store; keys are made by Compiler.key.
const space = "pyc"

// sourceLimit is the time for one source. The largest real ones take seconds; it is the end of a compiler
// that does not come back, also when pexko itself was killed and cannot end it.
const sourceLimit = 5 * time.Minute

// New returns a compiler. Nothing is started before something is to be compiled.
func New(i Interpreter, o Options) *Compiler {
	jobs := o.Jobs
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	text := sha256.Sum256([]byte(driver))
	return &Compiler{
		interpreter: i,
		store:       o.Store,
		limit:       sourceLimit,
		seats:       make(chan struct{}, jobs),
		build:       i.Version + "\x00" + hex.EncodeToString(text[:]),
	}
}

// Stats tells what was done so far.
func (c *Compiler) Stats() Stats {
	return Stats{Started: c.started.Load(), Compiled: c.compiled.Load(), Cached: c.cached.Load()}
}

// Compile gives the results of the sources in their order. What is in the store is taken from there; if
// all is, no process is started. One call with many sources uses the processes best. A source that is not
// valid Python is not an error but a Result with Skipped; one that cannot be read, or an interpreter that
// does not work, is.
func (c *Compiler) Compile(ctx context.Context, sources []Source) ([]Result, error) {
	if err := c.validate(sources); err != nil {
		return nil, err
	}
	results := make([]Result, len(sources))
	jobs, err := c.lookUp(ctx, sources, results)
	if err == nil {
		err = c.run(ctx, jobs)
	}
	if ctx.Err() != nil { // the processes were killed, and say so; that is not the cause
		return nil, fmt.Errorf("compiling bytecode: %w", context.Cause(ctx))
	}
	if err != nil {
		return nil, err
	}
	return results, nil
}

func (c *Compiler) validate(sources []Source) error {
	if c.store == nil {
		return errors.New("bytecode: Options.Store is not set")
	}
	if err := c.interpreter.validate(); err != nil {
		return err
	}
	for _, s := range sources {
		if err := s.validate(); err != nil {
			return err
		}
	}
	return nil
}

// job is a source that has no result in the store.
type job struct {
	Source
	sum    [sha256.Size]byte
	result *Result
}

// key names the result of a source. It holds all that a pyc depends on.
func (c *Compiler) key(s Source, sum [sha256.Size]byte) string {
	return fmt.Sprintf("%x\x00%s\x00%d\x00%s", sum, s.Path, s.Mode, c.build)
}

// lookUp fills in the results that are in the store and returns the rest, the largest source first: the
// processes take one after the other, and none is left alone with a large one at the end.
func (c *Compiler) lookUp(ctx context.Context, sources []Source, results []Result) ([]job, error) {
	missing := make([]*job, len(sources))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(c.seats))
	for i, s := range sources {
		if s.Size > MaxSource {
			results[i].Skipped = fmt.Sprintf("%d bytes of source, more than the limit of %d MiB", s.Size, MaxSource>>20)
			continue
		}
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			sum, err := digest(s)
			if err != nil {
				return err
			}
			data, ok, err := c.store.Get(space, c.key(s, sum))
			if err != nil {
				return err
			}
			if ok && c.settle(&results[i], s, sum, data) {
				c.cached.Add(1)
				return nil
			}
			missing[i] = &job{s, sum, &results[i]}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var jobs []job
	for _, j := range missing {
		if j != nil {
			jobs = append(jobs, *j)
		}
	}
	slices.SortStableFunc(jobs, func(a, b job) int { return cmp.Compare(b.Size, a.Size) })
	return jobs, nil
}

// digest hashes a source without holding it in memory.
func digest(s Source) (sum [sha256.Size]byte, err error) {
	r, err := s.Open()
	if err != nil {
		return sum, fmt.Errorf("source of %s: %w", s.Path, err)
	}
	defer r.Close()
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(r, s.Size+1))
	if err == nil && n != s.Size {
		err = fmt.Errorf("has not the %d bytes that were announced; do not change it while it is packed", s.Size)
	}
	if err != nil {
		return sum, fmt.Errorf("source of %s: %w", s.Path, err)
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// read returns the source that was hashed. Compiling other bytes than the key says would poison the store.
func (j job) read() ([]byte, error) {
	content, err := tree.Entry{Path: j.Path, Kind: tree.File, Size: j.Size, Open: j.Open}.Read(MaxSource)
	if err != nil {
		return nil, fmt.Errorf("source of %w", err)
	}
	if sha256.Sum256(content) != j.sum {
		return nil, fmt.Errorf("source of %s: changed while it was compiled; run the command again", j.Path)
	}
	return content, nil
}

// A record is a byte that says what it is, and the pyc or the reason why there is none.
const (
	recordPyc     = 'B'
	recordSkipped = 'S'
)

// settle fills in a result from its record; false if it is not a record of this form.
func (c *Compiler) settle(r *Result, s Source, sum [sha256.Size]byte, record []byte) bool {
	switch {
	case len(record) > 1 && record[0] == recordPyc:
		*r = Result{Size: int64(len(record) - 1), Open: c.opener(s, sum)}
	case len(record) > 1 && record[0] == recordSkipped:
		*r = Result{Skipped: string(record[1:])}
	default:
		return false
	}
	return true
}

// opener reads a pyc from the store when it is packed.
func (c *Compiler) opener(s Source, sum [sha256.Size]byte) tree.Opener {
	s.Open = nil
	return func() (io.ReadCloser, error) {
		data, ok, err := c.store.Get(space, c.key(s, sum))
		if err == nil && (!ok || len(data) < 2 || data[0] != recordPyc) {
			err = errors.New("was removed from the cache while it was in use; run the command again")
		}
		if err != nil {
			return nil, fmt.Errorf("bytecode of %s: %w", s.Path, err)
		}
		return io.NopCloser(bytes.NewReader(data[1:])), nil
	}
}
