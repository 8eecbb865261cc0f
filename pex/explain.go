package pex

import (
	"bufio"
	"errors"
	"os"
	"path"
	"regexp"
	"strings"
)

// What pip prints, or only logs, when an index cannot be used. The words are pip's (network/session.py,
// network/auth.py, index/collector.py, of 23 to 26) and urllib3's.
var (
	unreachable = regexp.MustCompile(`Failed to establish a new connection|NameResolutionError|Temporary failure in name resolution|` +
		`Max retries exceeded|ConnectTimeout|Read timed out|SSLError|CERTIFICATE_VERIFY_FAILED|ProxyError|RemoteDisconnected|` +
		`Connection(?:Reset|Refused)Error|check whether your system can connect|connection (?:error|timed out)`)
	refused = regexp.MustCompile(`\b(?:401|403|407) (?:Client )?Error|Credentials not correct|HTTP error (?:401|403|407|5\d\d)|\b5\d\d Server Error`)
	skips   = regexp.MustCompile(`Could not fetch URL (\S+): (.*) - skipping`)
)

// explain turns a failed process into what it means, if that is an index that cannot be used or a file that is not
// what its hash says. log is pip's log file; "" if there is none.
func (t *Tool) explain(p Python, err error, log, by string) error {
	var failed *ProcessError
	if !errors.As(err, &failed) {
		return err
	}
	if other := otherHash(failed.Output, by); other != nil {
		return other
	}
	if reason := indexFailure(failed.Output, log); reason != "" {
		return &IndexError{Reason: t.run.hide(reason), Sources: t.config(p).indexes(*t.run.redact.Load()), Err: err}
	}
	return err
}

// indexFailure finds why pip got no answer. A page that is not there (404) is an answer.
func indexFailure(said []string, log string) string {
	for _, pattern := range []*regexp.Regexp{refused, unreachable} {
		for _, line := range said {
			if pattern.MatchString(line) {
				return plain(line)
			}
		}
	}
	if log == "" || !strings.Contains(strings.Join(said, " "), "No matching distribution found") {
		return ""
	}
	reason := ""
	eachLine(log, func(line string) {
		m := skips.FindStringSubmatch(line)
		if m != nil && reason == "" && !strings.Contains(m[2], "404 Client Error") {
			reason = m[1] + ": " + m[2]
		}
	})
	return reason
}

// eachLine reads a log; one that is not there has no lines.
func eachLine(name string, do func(line string)) {
	file, err := os.Open(name)
	if err != nil {
		return
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		do(lines.Text())
	}
}

var linePrefix = regexp.MustCompile(`^(?:pip: )?(?:WARNING: |ERROR: |hint: )*`)

// plain is a line of pip without its prefixes.
func plain(line string) string {
	return linePrefix.ReplaceAllString(strings.TrimSpace(line), "")
}

// Lines about a file that is not the one that is wanted: of pip (exceptions.py, HashMismatch) and of pex
// (resolve/lockfile/download_manager.py).
var (
	hashOf   = regexp.MustCompile(`^\s*\S+ from (\S+)`)
	expected = regexp.MustCompile(`(?:Expected|or) sha256 ([0-9a-f]{64})`)
	got      = regexp.MustCompile(`^\s*Got\s+([0-9a-f]{64})`)
	pexHash  = regexp.MustCompile(`Expected sha256 hash of ([0-9a-f]{64}) when downloading (\S+) but hashed to ([0-9a-f]{64})`)
)

// otherHash finds a file that is not what by wants; nil if there is none.
func otherHash(said []string, by string) error {
	e := &HashError{By: by}
	for _, line := range said {
		line = strings.TrimPrefix(line, "pip:")
		if m := pexHash.FindStringSubmatch(line); m != nil {
			e.Want, e.Got = m[1], m[3]
			if e.File == "" {
				e.File = m[2]
			}
			return e
		}
		if m := hashOf.FindStringSubmatch(line); m != nil {
			e.File = fileOf(m[1])
		} else if _, link, ok := strings.Cut(line, " from "); ok && path.Ext(fileOf(link)) == ".whl" {
			e.File = fileOf(link) // pex: "1. markupsafe 3.0.2 from URL"
		}
		if m := expected.FindStringSubmatch(line); m != nil {
			e.Want = strings.TrimPrefix(e.Want+" or "+m[1], " or ")
		}
		if m := got.FindStringSubmatch(line); m != nil && e.Want != "" {
			e.Got = m[1]
			return e
		}
	}
	return nil
}
