package testenv

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Registry returns a prefix for repositories, "127.0.0.1:5077/test/NAME", that no other test or run has,
// in a real registry (distribution 2.8, plain HTTP, deletes enabled, no password). "prefix/app:tag" is a
// valid reference. What the test pushes below it is forgotten when the test ends.
func Registry(t testing.TB) string {
	t.Helper()
	return prefix(t, need(t, registryVar), "registry", http.StatusOK)
}

// Auth is a registry that answers 401 to everything without the right basic authentication.
type Auth struct {
	Prefix         string // as Registry's
	User, Password string // what it takes
}

// AuthRegistry returns a prefix in the registry that wants a password.
func AuthRegistry(t testing.TB) Auth {
	t.Helper()
	user, password, _ := strings.Cut(need(t, authVar), ":")
	return Auth{prefix(t, need(t, authRegistryVar), "auth", http.StatusUnauthorized), user, password}
}

// DockerConfig writes the credentials as `docker login` leaves them and returns the directory, for the
// variable DOCKER_CONFIG. (Podman and skopeo take DIR/config.json as REGISTRY_AUTH_FILE.)
func (a Auth) DockerConfig(t testing.TB) string {
	t.Helper()
	host, _, _ := strings.Cut(a.Prefix, "/")
	secret := base64.StdEncoding.EncodeToString([]byte(a.User + ":" + a.Password))
	text, err := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{"auth": secret}}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// prefix makes a place in the registry that answers GET /v2/ with code; storage is its directory in the testbed.
func prefix(t testing.TB, host, storage string, code int) string {
	t.Helper()
	resp, err := http.Get("http://" + host + "/v2/")
	if err != nil {
		t.Fatalf("the testbed's registry: %v; %s", err, howUp)
	}
	resp.Body.Close()
	if resp.StatusCode != code {
		t.Fatalf("http://%s/v2/ answers %s, the testbed's registry would answer %d; %s", host, resp.Status, code, howUp)
	}
	path := "test/" + slug(t.Name())
	// Deleting manifests one by one would need their digests; the registry's storage is at hand.
	repositories := filepath.Join(need(t, dirVar), storage, "data/docker/registry/v2/repositories", path)
	t.Cleanup(func() { _ = os.RemoveAll(repositories) })
	return host + "/" + path
}

// slug turns a test's name into a path component that a registry accepts and nobody else has.
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	readable := strings.Join(words, "-")
	readable = strings.TrimRight(readable[:min(len(readable), 60)], "-")
	return fmt.Sprintf("%s-%s", readable, strings.ToLower(rand.Text()[:10]))
}
