package pex

import (
	"errors"
	"regexp"
	"strings"
)

// What pip prints when an index cannot be used. The words are pip's (26.2.1: network/session.py, auth.py,
// network/utils.py) and urllib3's; older pips of a host say the same.
var (
	unreachable = regexp.MustCompile(`Failed to establish a new connection|NameResolutionError|Temporary failure in name resolution|` +
		`Max retries exceeded|ConnectTimeout|Read timed out|SSLError|CERTIFICATE_VERIFY_FAILED|ProxyError|RemoteDisconnected|` +
		`Connection(?:Reset|Refused)Error|check whether your system can connect|connection (?:error|timed out)`)
	refused = regexp.MustCompile(`\b(?:401|403|407) (?:Client )?Error|Credentials not correct|HTTP error (?:401|403|407|5\d\d)|\b5\d\d Server Error`)
)

// explain turns a failed process into the error of the index if that is what it was.
func (t *Tool) explain(p Python, err error) error {
	var failed *ProcessError
	if !errors.As(err, &failed) {
		return err
	}
	for _, pattern := range []*regexp.Regexp{refused, unreachable} {
		for _, line := range failed.Output {
			if pattern.MatchString(line) {
				config := t.config(p)
				return &IndexError{Reason: plain(line), Sources: config.indexes(*t.run.redact.Load()), Err: err}
			}
		}
	}
	return err
}

var linePrefix = regexp.MustCompile(`^(?:pip: )?(?:WARNING: |ERROR: |hint: )*`)

// plain is a line of pip without its prefixes.
func plain(line string) string {
	return linePrefix.ReplaceAllString(strings.TrimSpace(line), "")
}
