package pex

import (
	"bufio"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// followLog tells line of each line that is added to a log file, until stop is called. pip prints nothing of
// its progress when pex runs it, but writes it there.
func followLog(name string, line func(string)) (stop func()) {
	done := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		var offset int64
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				offset = readOn(name, offset, line)
			}
		}
	})
	return func() {
		close(done)
		running.Wait()
	}
}

// readOn reads whole lines from offset and returns where the next begin.
func readOn(name string, offset int64, line func(string)) int64 {
	file, err := os.Open(name)
	if err != nil {
		return offset // not there yet
	}
	defer file.Close()
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return offset
	}
	lines := bufio.NewReader(file)
	for {
		text, err := lines.ReadString('\n')
		if err != nil {
			return offset
		}
		offset += int64(len(text))
		_, said, _ := strings.Cut(text, " ") // after the time
		line(strings.TrimSpace(said))
	}
}
