package testenv

import (
	"maps"
	"net/http"
)

// meet records a request and lets it meet its fault. It returns the writer to answer by, nil if the
// fault has answered already, and what to call when the answer is written.
func (x *IndexServer) meet(w http.ResponseWriter, request, path string) (http.ResponseWriter, func()) {
	x.mu.Lock()
	x.served = append(x.served, request)
	fault := x.next(path)
	x.mu.Unlock()
	switch {
	case fault.Status != 0:
		maps.Copy(w.Header(), fault.Header)
		w.WriteHeader(fault.Status)
		return nil, func() {}
	case fault.Cut > 0 || fault.Corrupt:
		damaged := &damagedWriter{ResponseWriter: w, fault: fault}
		return damaged, damaged.done
	}
	return w, func() {}
}

// next takes the fault that a request meets: the first of its path that has times left.
func (x *IndexServer) next(path string) Fault {
	faults := x.faults[path]
	if len(faults) == 0 {
		return Fault{}
	}
	f := faults[0]
	if f.Times == 1 {
		x.faults[path] = faults[1:]
	} else if f.Times > 1 {
		faults[0].Times--
	}
	return f
}

// damagedWriter cuts or corrupts a body. It holds one byte back, so that it knows the last.
type damagedWriter struct {
	http.ResponseWriter
	fault   Fault
	written int64
	held    []byte
}

// Write passes on what the fault leaves.
func (d *damagedWriter) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if d.fault.Cut > 0 && d.written+int64(len(p)) >= d.fault.Cut {
		_, _ = d.ResponseWriter.Write(p[:d.fault.Cut-d.written])
		_ = http.NewResponseController(d.ResponseWriter).Flush()
		panic(http.ErrAbortHandler) // net/http's way to end a connection within a body
	}
	d.written += int64(len(p))
	if !d.fault.Corrupt {
		return d.ResponseWriter.Write(p)
	}
	if _, err := d.ResponseWriter.Write(d.held); err != nil {
		return 0, err
	}
	d.held = []byte{p[len(p)-1]}
	if _, err := d.ResponseWriter.Write(p[:len(p)-1]); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (d *damagedWriter) done() {
	for _, last := range d.held {
		_, _ = d.ResponseWriter.Write([]byte{^last})
	}
}
