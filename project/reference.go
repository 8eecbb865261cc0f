package project

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// Registry references are checked lightly here, so that a typing error is found before anything is built; the
// registry client parses them for good. The grammar is that of the OCI distribution specification 1.1.

func storeBase(s *Settings, g given) error {
	_, path := imagePath(g.value[0])
	if path != "" {
		return storePath(func(s *Settings) *Setting[string] { return &s.Base }, imagePath)(s, g)
	}
	return storeText(func(s *Settings) *Setting[string] { return &s.Base }, checkReference)(s, g)
}

// checkReference accepts [HOST[:PORT]/]PATH[:TAG][@DIGEST], and an absolute path.
func checkReference(ref string) (string, error) {
	if strings.HasPrefix(ref, "/") {
		return ref, nil
	}
	rest, digest, pinned := strings.Cut(ref, "@")
	if pinned && !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(digest) {
		return "", errors.New(strconv.Quote(digest) + " is not a digest; it begins with sha256: and goes on with 64 hexadecimal digits")
	}
	repo, tag := splitTag(rest)
	if tag != "" || strings.HasSuffix(rest, ":") {
		if _, err := checkTag(tag); err != nil {
			return "", err
		}
	}
	if _, err := checkRepositoryPath(repo); err != nil {
		return "", err
	}
	return ref, nil
}

// checkRepository accepts [HOST[:PORT]/]PATH, or a host with a port alone.
func checkRepository(repo string) (string, error) {
	repo = strings.TrimSuffix(repo, "/")
	host, port, ok := strings.Cut(repo, ":")
	if _, err := strconv.ParseUint(port, 10, 16); ok && err == nil && host != "" {
		return repo, nil
	}
	if _, tag := splitTag(repo); tag != "" || strings.Contains(repo, "@") {
		return "", errors.New(strconv.Quote(repo) + " holds a tag or digest; name the repository alone, and tags with tags or -t")
	}
	return checkRepositoryPath(repo)
}

// checkDestination accepts [HOST[:PORT]/]PATH[:TAG].
func checkDestination(ref string) (string, error) {
	if strings.Contains(ref, "@") {
		return "", errors.New(strconv.Quote(ref) + " holds a digest; an image is pushed to a repository and a tag")
	}
	return checkReference(ref)
}

func checkRepositoryPath(repo string) (string, error) {
	if scheme, rest, ok := strings.Cut(repo, "://"); ok {
		return "", (&ConfigError{Problem: strconv.Quote(repo) + " holds a scheme"}).fix("write %s without %s://", rest, scheme)
	}
	first, rest, ok := strings.Cut(repo, "/")
	path := repo
	if ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		path = rest
	}
	if !regexp.MustCompile(`^` + component + `(/` + component + `)*$`).MatchString(path) {
		e := &ConfigError{Problem: strconv.Quote(repo) + " is not a repository"}
		if lower := strings.ToLower(repo); path != strings.ToLower(path) {
			return "", e.fix("repositories are written in lower case: %s", lower)
		}
		return "", e.fix("a repository is HOST/PATH, such as ghcr.io/org/app")
	}
	return repo, nil
}

// component is one part of a repository's path.
const component = `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`

func checkImageName(name string) (string, error) {
	if !regexp.MustCompile(`^` + component + `(/` + component + `)*$`).MatchString(name) {
		return "", errors.New(strconv.Quote(name) + " cannot be the name of an image; it takes lower-case letters, digits and . _ - between them")
	}
	return name, nil
}

func checkTag(tag string) (string, error) {
	if !regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`).MatchString(tag) {
		return "", errors.New(strconv.Quote(tag) + " is not a tag; it takes up to 128 letters, digits and . _ -")
	}
	return tag, nil
}

// splitTag cuts REPO:TAG at the colon behind the last slash; a port stands before it.
func splitTag(ref string) (repo, tag string) {
	slash := strings.LastIndexByte(ref, '/')
	if colon := strings.LastIndexByte(ref, ':'); colon > slash {
		return ref[:colon], ref[colon+1:]
	}
	return ref, ""
}

// imageName makes a name of a directory's: lower case, and what no name takes becomes a hyphen. "" if nothing is left.
func imageName(dir string) string {
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(dir), "-")
	return strings.Trim(name, "-")
}
