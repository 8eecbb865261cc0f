package pex

import (
	"context"
	"sync"
)

// lazy is a value that is made when it is first wanted, by one goroutine while the others wait; unlike
// sync.Once it forgets failures, and waiting ends with the context.
type lazy[T any] struct {
	init sync.Once
	turn chan struct{}
	made bool
	it   T
}

func (l *lazy[T]) get(ctx context.Context, make_ func(context.Context) (T, error)) (T, error) {
	l.init.Do(func() { l.turn = make(chan struct{}, 1) })
	var none T
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return none, context.Cause(ctx)
	}
	if l.made {
		return l.it, nil
	}
	it, err := make_(ctx)
	if err != nil {
		return none, err
	}
	l.it, l.made = it, true
	return it, nil
}
