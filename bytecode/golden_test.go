package bytecode

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"testing"
)

// golden is the SHA-256 over the pycs of hardCases, by version. A change means that every cached and pushed
// layer with bytecode gets another digest.
var golden = map[string]string{
	"3.10.13": "9d55f2e8a762bb84a53db0066d40d307616e00014f54c608f1095404dce2e9d9",
	"3.11.2":  "fdf09236f8877a22656566ce5cad7e3820311654f6f223105f200f026915e0d2",
	"3.11.7":  "fdf09236f8877a22656566ce5cad7e3820311654f6f223105f200f026915e0d2",
	"3.12.1":  "c6198b9059f37a4cf642355a26346fd21e011d4213603b43df119131cacf8c05",
	"3.13.0":  "77584285ffa0574aab9ef4cce27410b0af15da7352ed673e931b8468876ab402",
}

func TestGolden(t *testing.T) {
	known := 0
	for version, want := range golden {
		i, err := HostInterpreter(t.Context(), version, os.Environ())
		if err != nil {
			t.Logf("not compared: %v", err)
			continue
		}
		known++
		h := sha256.New()
		for _, r := range compile(t, New(i, Options{Store: store(t, t.TempDir())}), hardCases()...) {
			if r.Skipped == "" {
				h.Write(content(t, r))
			}
		}
		if got := hex.EncodeToString(h.Sum(nil)); got != want {
			t.Errorf("%s: got %s, want %s", version, got, want)
		}
	}
	if known == 0 {
		t.Log("none of the versions with a golden digest is on this machine")
	}
}
