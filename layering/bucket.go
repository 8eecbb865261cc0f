package layering

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
)

// bucket divides wheels over count slots by the hash of their names and returns the layers that result.
func (p planner) bucket(name string, wheels []int, count int) []Layer {
	slots := make([][]int, count)
	slices.SortFunc(wheels, p.byName)
	for _, i := range wheels {
		s := slot(p.units[i].Name, count)
		slots[s] = append(slots[s], i)
	}
	return p.merge(name, slots, 0, count)
}

// slot is where a name falls among count slots: its hash, as a fraction, times count. A count twice as
// large divides each slot in two.
func slot(name string, count int) int {
	sum := sha256.Sum256([]byte(name))
	hi, _ := bits.Mul64(binary.BigEndian.Uint64(sum[:8]), uint64(count))
	return int(hi)
}

// merge returns the layers of slots [from, to): one, if they are small together or one slot, else those of
// their two halves. What happens in one half never touches the other.
func (p planner) merge(name string, slots [][]int, from, to int) []Layer {
	all := slices.Concat(slots[from:to]...)
	if len(all) == 0 {
		return nil
	}
	if to-from > 1 && p.size(all) >= Small {
		middle := (from + to) / 2
		return append(p.merge(name, slots, from, middle), p.merge(name, slots, middle, to)...)
	}
	slices.SortFunc(all, p.byName)
	return []Layer{{Kind: Wheel, Name: label(name, from, to, len(slots)), Units: all}}
}

// label tells the buckets of a kind apart: "pure wheels", "pure wheels 2 of 4", "pure wheels 3-4 of 4".
func label(name string, from, to, count int) string {
	switch {
	case to-from == count:
		return name
	case to-from == 1:
		return fmt.Sprintf("%s %d of %d", name, to, count)
	default:
		return fmt.Sprintf("%s %d-%d of %d", name, from+1, to, count)
	}
}
