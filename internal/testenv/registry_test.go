package testenv_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/pexko/pexko/internal/testenv"
)

func TestRegistriesTakeImages(t *testing.T) {
	t.Parallel()
	auth := testenv.AuthRegistry(t)
	layout := "oci:" + testenv.Base(t, "nopython") + ":1"
	for name, test := range map[string]struct {
		prefix string
		env    string
		ok     bool
	}{
		"open":          {testenv.Registry(t), "", true},
		"no password":   {auth.Prefix, "", false},
		"with password": {auth.Prefix, auth.DockerConfig(t) + "/config.json", true},
	} {
		cmd := exec.Command("skopeo", "copy", "-q", "--all", "--dest-tls-verify=false", layout, "docker://"+test.prefix+"/app:1")
		cmd.Env = append(cmd.Environ(), "REGISTRY_AUTH_FILE="+test.env)
		if out, err := cmd.CombinedOutput(); (err == nil) != test.ok {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}

func TestRegistryIsThisTestsOwn(t *testing.T) {
	t.Parallel()
	one, two := testenv.Registry(t), testenv.Registry(t)
	if one == two || !strings.Contains(one, "/test/testregistryisthistestsown-") {
		t.Errorf("%s, %s", one, two)
	}
	var prefix string
	there := func() bool {
		return exec.Command("skopeo", "inspect", "--raw", "--tls-verify=false", "docker://"+prefix+"/app:1").Run() == nil
	}
	t.Run("inner", func(t *testing.T) {
		prefix = testenv.Registry(t)
		if out, err := exec.Command("skopeo", "copy", "-q", "--dest-tls-verify=false", "oci:"+testenv.Base(t, "nopython")+":1", "docker://"+prefix+"/app:1").CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		if !there() {
			t.Error("what was pushed is not there")
		}
	})
	if there() {
		t.Error("what was pushed is there after the test")
	}
}
