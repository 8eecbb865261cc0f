package image

import (
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	specs "github.com/opencontainers/image-spec/specs-go/v1"
)

// Config is what an image adds to its base's configuration, or replaces there. Empty fields leave the
// base's value, but for Cmd.
type Config struct {
	// Env are "NAME=value" settings; one replaces the base's of the same name where it stands, new ones follow in this order.
	Env []string
	// Path are directories that come before those of the PATH of Env or, if it sets none, of the base.
	Path []string
	// Entrypoint replaces the base's. Cmd does so even when it is empty: a base's arguments belong to its own entry point.
	Entrypoint, Cmd []string
	// User is a name or number, with or without a group: "65532", "65532:0".
	User       string
	WorkingDir string
	// Labels and ExposedPorts ("8080/tcp") join the base's.
	Labels       map[string]string
	ExposedPorts []string
	// StopSignal is a signal's name or number: "SIGTERM".
	StopSignal string
	// Annotations are those of the manifest. The base's own manifest has no say there: its annotations describe another image.
	Annotations map[string]string
	Base        Base
}

// Base names the base image in the annotations org.opencontainers.image.base.{name,digest}; empty fields give none.
type Base struct {
	Name   string  // registry reference with a tag, or a path: what a tool would look up to see whether there is a newer one
	Digest v1.Hash // of the index, if the base is one, else of the manifest
}

// defaultPath is what a runtime sets where the image does not.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// apply returns the configuration of an image on top of the base's. What told of the base's own build (author,
// container, build triggers) is dropped; its history stays.
func (c Config) apply(base *v1.ConfigFile) *v1.ConfigFile {
	b := base.DeepCopy()
	f := &v1.ConfigFile{
		Created: v1.Time{Time: Epoch}, Config: b.Config, RootFS: b.RootFS,
		OS: b.OS, Architecture: b.Architecture, Variant: b.Variant, OSVersion: b.OSVersion, OSFeatures: b.OSFeatures,
	}
	r := &f.Config
	r.Image, r.OnBuild = "", nil
	r.Env = c.env(r.Env)
	if len(c.Entrypoint) > 0 {
		r.Entrypoint = slices.Clone(c.Entrypoint)
	}
	r.Cmd, r.ArgsEscaped = slices.Clone(c.Cmd), false
	set(&r.User, c.User)
	set(&r.WorkingDir, c.WorkingDir)
	set(&r.StopSignal, c.StopSignal)
	for k, v := range c.Labels {
		put(&r.Labels, k, v)
	}
	for _, port := range c.ExposedPorts {
		put(&r.ExposedPorts, port, struct{}{})
	}
	return f
}

// env merges the environment over the base's and puts Path in front of its PATH.
func (c Config) env(base []string) []string {
	env := slices.Clone(base)
	for _, kv := range c.Env {
		env = setenv(env, kv)
	}
	if len(c.Path) == 0 {
		return env
	}
	path := getenv(env, "PATH")
	if path == "" {
		path = defaultPath
	}
	return setenv(env, "PATH="+strings.Join(append(slices.Clone(c.Path), path), ":"))
}

func setenv(env []string, kv string) []string {
	name, _, _ := strings.Cut(kv, "=")
	for i, old := range env {
		if strings.HasPrefix(old, name+"=") {
			env[i] = kv
			return env
		}
	}
	return append(env, kv)
}

func getenv(env []string, name string) string {
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v
		}
	}
	return ""
}

func set(field *string, value string) {
	if value != "" {
		*field = value
	}
}

func put[V any](m *map[string]V, k string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[k] = v
}

// annotations are those of the manifest.
func (c Config) annotations() map[string]string {
	var all map[string]string
	if c.Base.Name != "" {
		put(&all, specs.AnnotationBaseImageName, c.Base.Name)
	}
	if c.Base.Digest != (v1.Hash{}) {
		put(&all, specs.AnnotationBaseImageDigest, c.Base.Digest.String())
	}
	for k, v := range c.Annotations {
		put(&all, k, v)
	}
	return all
}
