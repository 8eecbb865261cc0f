package registry

import (
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// stride is how many bytes pass between two events of a transfer.
const stride = 1 << 20

// watch reports what is read of a blob.
func (c *Client) watch(r io.ReadCloser, kind EventKind, repo string, d v1.Descriptor) io.ReadCloser {
	return &watched{ReadCloser: r, progress: c.o.Progress, event: Event{Kind: kind, Name: repo, Digest: d.Digest, Size: d.Size}}
}

type watched struct {
	io.ReadCloser
	progress func(Event)
	event    Event
	told     int64
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.event.Done += int64(n)
	if w.event.Done-w.told >= stride || n > 0 && w.event.Done == w.event.Size {
		w.told = w.event.Done
		w.progress(w.event)
	}
	return n, err
}
