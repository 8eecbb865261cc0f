package layering

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var corpus = flag.String("corpus", "", "directory of lock histories (*.jsonl.gz) that BenchmarkReplay replays")

// unpacked is how many bytes of layer, bytecode included, a byte of wheel becomes, on average.
const unpacked = 3.5

// BenchmarkReplay replays the histories of real lock files and reports what a change pushes as a share of
// all wheel bytes (mean over projects) and how many layers the wheels take. Run it with
//
//	go test ./layering -run '^$' -bench Replay -benchtime 1x -args -corpus DIR
func BenchmarkReplay(b *testing.B) {
	if *corpus == "" {
		b.Fatal("name the directory of lock histories with -args -corpus DIR")
	}
	files, err := filepath.Glob(filepath.Join(*corpus, "*.jsonl.gz"))
	if err != nil || len(files) == 0 {
		b.Fatalf("%s: no *.jsonl.gz (%v)", *corpus, err)
	}
	for _, budget := range []int{MinBudget, 12, DefaultBudget, 40} {
		b.Run(fmt.Sprintf("budget=%d", budget), func(b *testing.B) {
			for range b.N {
				var share, layers float64
				for _, f := range files {
					s, l := replay(b, f, budget)
					share, layers = share+s, layers+l
				}
				b.ReportMetric(100*share/float64(len(files)), "%pushed/change")
				b.ReportMetric(layers/float64(len(files)), "layers")
			}
		})
	}
}

// record is one line of a history; see the README beside the data.
type record struct {
	T      string   `json:"t"`
	Full   [][]any  `json:"s"`
	Change [][]any  `json:"+"`
	Gone   []string `json:"-"`
}

// replay returns the mean share of bytes that a change of one history pushes, and the mean number of layers.
func replay(b *testing.B, file string, budget int) (share, layers float64) {
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	set, before := map[string]Unit{}, map[string]bool{}
	changes, states := 0, 0
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	lines.Scan() // the header
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			b.Fatal(err)
		}
		if r.T == "N" {
			continue
		}
		r.apply(set)
		now, pushed, count := pushed(set, before, budget)
		if r.T == "D" {
			share, changes = share+pushed, changes+1
		}
		before, states, layers = now, states+1, layers+float64(count)
	}
	if err := lines.Err(); err != nil {
		b.Fatal(err)
	}
	return share / float64(changes), layers / float64(states)
}

func (r record) apply(set map[string]Unit) {
	if r.T == "F" {
		clear(set)
	}
	for _, u := range append(r.Full, r.Change...) {
		name := u[0].(string)
		set[name] = Unit{
			Name: name, Key: fmt.Sprint(u[1], u[2]), Size: int64(u[2].(float64) * unpacked),
			Pure: strings.HasPrefix(u[3].(string), "p"),
		}
	}
	for _, name := range r.Gone {
		delete(set, name)
	}
}

// pushed returns the keys of the layers, the share of bytes in layers that were not there before, and their number.
func pushed(set map[string]Unit, before map[string]bool, budget int) (now map[string]bool, share float64, count int) {
	var units []Unit
	for _, u := range set {
		units = append(units, u)
	}
	now = map[string]bool{}
	var all, fresh int64
	layers := Plan(units, budget)
	for _, l := range layers {
		var key strings.Builder
		for _, i := range l.Units {
			fmt.Fprintln(&key, units[i].Name, units[i].Key)
		}
		size := planner{units}.size(l.Units)
		now[key.String()], all = true, all+size
		if !before[key.String()] {
			fresh += size
		}
	}
	return now, float64(fresh) / float64(all), len(layers)
}
