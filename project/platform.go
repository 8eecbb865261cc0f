package project

import (
	"fmt"
	"strings"
)

func storePlatforms(s *Settings, g given) error {
	split := given{value: []string{}}
	for i, v := range g.value {
		for _, one := range splitCommas(v) {
			split.value, split.from = append(split.value, one), append(split.from, g.origin(i))
		}
	}
	if len(split.value) == 0 {
		return wrong(g.origin(0), "names no platform")
	}
	for i, v := range split.value {
		if v == "all" && len(split.value) > 1 {
			return wrong(split.origin(i), "all stands for every platform of the base; name it alone")
		}
	}
	return storeSet(func(s *Settings) *Setting[[]string] { return &s.Platforms }, checkPlatform)(s, split)
}

// checkPlatform gives os/arch[/variant] in the spelling of GOOS and GOARCH that indexes use, as containerd's
// platforms.Normalize does; uname's names are understood.
func checkPlatform(platform string) (string, error) {
	if platform == "all" {
		return platform, nil
	}
	system, rest, ok := strings.Cut(strings.ToLower(platform), "/")
	if !ok {
		return "", fmt.Errorf("%q is not a platform; write os/arch, such as linux/amd64", platform)
	}
	if system != "linux" {
		return "", fmt.Errorf("%q: pexko makes images for linux, not for %s", platform, system)
	}
	arch, ok := architecture(rest)
	if !ok {
		return "", fmt.Errorf("%q: unknown architecture%s", platform, didYouMean(rest, []string{"amd64", "arm64", "arm/v7", "386", "ppc64le", "s390x", "riscv64"}))
	}
	return "linux/" + arch, nil
}

func architecture(name string) (string, bool) {
	switch name {
	case "amd64", "x86_64", "x86-64", "amd64/v1":
		return "amd64", true
	case "arm64", "aarch64", "arm64/v8":
		return "arm64", true
	case "arm", "arm/v7", "armhf", "armv7l":
		return "arm/v7", true
	case "arm/v6", "armel":
		return "arm/v6", true
	case "386", "i386", "i686":
		return "386", true
	case "arm/v5", "amd64/v2", "amd64/v3", "amd64/v4", "ppc64le", "s390x", "riscv64", "mips64le", "loong64":
		return name, true
	}
	return "", false
}
