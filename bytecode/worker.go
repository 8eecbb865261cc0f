package bytecode

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"
)

// bytesPerProcess is how much source in bytes is worth another process: starting one costs as much as
// compiling some ten KiB.
const bytesPerProcess = 64 << 10

// run compiles the jobs in as many processes as are worth it.
func (c *Compiler) run(ctx context.Context, jobs []job) error {
	var size int64
	for _, j := range jobs {
		size += j.Size
	}
	queue := make(chan job, len(jobs))
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	group, ctx := errgroup.WithContext(ctx)
	for range min(int64(cap(c.seats)), int64(len(jobs)), 1+size/bytesPerProcess) {
		group.Go(func() error { return c.work(ctx, queue) })
	}
	return group.Wait()
}

// work takes jobs until there are none. Its process is started for the first one, and again after a crash.
func (c *Compiler) work(ctx context.Context, queue <-chan job) error {
	select {
	case c.seats <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.seats }()
	var p *process
	for j := range queue {
		if err := ctx.Err(); err != nil {
			return abandon(p, err)
		}
		content, err := j.read()
		if err != nil {
			return abandon(p, err)
		}
		if p == nil {
			c.started.Add(1)
			if p, err = start(ctx, c.interpreter, c.limit); err != nil {
				return err
			}
		}
		o, err := p.compile(j.Source, content)
		if err != nil {
			return err
		}
		if o.crashed {
			p = nil
		}
		if err := c.keep(j, o); err != nil {
			return abandon(p, err)
		}
	}
	if p == nil {
		return nil
	}
	return p.close()
}

// abandon ends a process that is in order because something else is not.
func abandon(p *process, err error) error {
	if p != nil {
		_ = p.kill()
	}
	return err
}

// keep stores an outcome and fills in the result. A crash is not stored, since it may hang on the stack that
// the machine has, nor is a MemoryError, which is the parser's limit of nesting or a real lack of memory.
func (c *Compiler) keep(j job, o outcome) error {
	c.compiled.Add(1)
	if o.crashed || strings.HasPrefix(o.skipped, "MemoryError") {
		j.result.Skipped = o.skipped
		return nil
	}
	record := append([]byte{recordPyc}, o.pyc...)
	if o.skipped != "" {
		record = append([]byte{recordSkipped}, o.skipped...)
	}
	if err := c.store.Put(space, c.key(j.Source, j.sum), record); err != nil {
		return err
	}
	c.settle(j.result, j.Source, j.sum, record)
	return nil
}
