package pex

import (
	"bufio"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// userinfo matches the credentials of a URL up to its last "@" before the path: also passwords with a raw
// "@", which pip accepts.
var userinfo = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)[^/\s'"<>]*@`)

const (
	hidden = "****"
	// shortestSecret is the length in bytes below which a password is not searched for: it would blank out
	// parts of ordinary words. Inside URLs any is hidden.
	shortestSecret = 4
	// maxNetrc bounds the netrc file in bytes.
	maxNetrc = 1 << 20
)

// redactor takes credentials out of text: what stands before "@" in URLs, and known passwords anywhere.
type redactor struct{ secrets *strings.Replacer }

// newRedactor learns the passwords that the environment and netrc hold, and those of the given texts
// (values of pip's configuration).
func newRedactor(env environment, texts ...string) redactor {
	var pairs []string
	known := append(netrcPasswords(env), passwords(append(slices.Clone(env), texts...))...)
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) }) // the longest first: one may hold another
	for _, secret := range slices.Compact(known) {
		if len(secret) >= shortestSecret {
			pairs = append(pairs, secret, hidden)
		}
	}
	return redactor{strings.NewReplacer(pairs...)}
}

func (r redactor) text(s string) string {
	s = userinfo.ReplaceAllString(s, "${1}"+hidden+"@")
	if r.secrets != nil {
		s = r.secrets.Replace(s)
	}
	return s
}

// passwords finds those of all URLs in the texts, as written and decoded. A lone user name is one too: that
// is how tokens are given.
func passwords(texts []string) []string {
	var found []string
	for _, text := range texts {
		for _, match := range userinfo.FindAllString(text, -1) {
			_, info, _ := strings.Cut(strings.TrimSuffix(match, "@"), "://")
			user, secret, ok := strings.Cut(info, ":")
			if !ok {
				secret = user
			}
			found = append(found, secret)
			if decoded, err := url.PathUnescape(secret); err == nil {
				found = append(found, decoded)
			}
		}
	}
	return found
}

// netrcPasswords reads the netrc file that pip would read: that of NETRC, else ~/.netrc or ~/_netrc. One
// that cannot be read is pip's to complain about.
func netrcPasswords(env environment) []string {
	names := []string{env.get("NETRC")}
	if names[0] == "" {
		names = []string{filepath.Join(env.home(), ".netrc"), filepath.Join(env.home(), "_netrc")}
	}
	var found []string
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil || len(content) > maxNetrc {
			continue
		}
		words := bufio.NewScanner(strings.NewReader(string(content)))
		words.Buffer(nil, maxNetrc)
		words.Split(bufio.ScanWords)
		for words.Scan() {
			if words.Text() == "password" && words.Scan() {
				found = append(found, strings.Trim(words.Text(), `"`))
			}
		}
	}
	return found
}
