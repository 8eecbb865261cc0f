package base

import (
	"debug/elf"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/pexko/pexko/base/internal/binary"
)

// machine is what an architecture of OCI means to Linux, Python and Debian.
type machine struct {
	arch, variant string // GOARCH and GOARM, as in OCI's platform
	uname         string // what uname -m and so Python's platform.machine() say
	elf           elf.Machine
	class         elf.Class
	order         elf.Data
	triplet       string // Debian's directory of libraries
}

// machines are the architectures that wheels exist for, or that Debian builds images of. arm without a variant
// is v7, as containerd reads it.
var machines = [...]machine{
	{"amd64", "", "x86_64", elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB, "x86_64-linux-gnu"},
	{"arm64", "", "aarch64", elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB, "aarch64-linux-gnu"},
	{"386", "", "i686", elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB, "i386-linux-gnu"},
	{"arm", "v7", "armv7l", elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB, "arm-linux-gnueabihf"},
	{"arm", "v6", "armv6l", elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB, "arm-linux-gnueabi"},
	{"ppc64le", "", "ppc64le", elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB, "powerpc64le-linux-gnu"},
	{"s390x", "", "s390x", elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB, "s390x-linux-gnu"},
	{"riscv64", "", "riscv64", elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB, "riscv64-linux-gnu"},
	{"loong64", "", "loongarch64", elf.EM_LOONGARCH, elf.ELFCLASS64, elf.ELFDATA2LSB, "loongarch64-linux-gnu"},
}

func machineOf(p v1.Platform) (machine, bool) {
	p = normal(p)
	for _, m := range machines {
		if p.OS == "linux" && m.arch == p.Architecture && (m.variant == p.Variant || m.arch != "arm") {
			return m, true
		}
	}
	return machine{}, false
}

// runs says whether the file is made for the machine.
func (m machine) runs(e binary.ELF) bool {
	return e.Machine == m.elf && e.Class == m.class && e.Order == m.order
}

// normal is the platform with what variants leave open filled in, as containerd's platforms.Normalize
// does: arm64 is v8, arm is v7, amd64 is v1. Only what tells images apart is kept.
func normal(p v1.Platform) v1.Platform {
	n := v1.Platform{OS: strings.ToLower(p.OS), Architecture: strings.ToLower(p.Architecture), Variant: strings.ToLower(p.Variant)}
	switch n.Architecture + "/" + n.Variant {
	case "arm64/v8", "arm64/8", "amd64/v1":
		n.Variant = ""
	case "arm/", "arm/7":
		n.Variant = "v7"
	case "arm/6":
		n.Variant = "v6"
	case "aarch64/", "aarch64/v8":
		n.Architecture, n.Variant = "arm64", ""
	case "x86_64/":
		n.Architecture = "amd64"
	}
	return n
}

// plain is the platform without what only Windows has, for comparing and showing.
func plain(p v1.Platform) v1.Platform {
	return v1.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}
}

func platformNames(ps []v1.Platform) string {
	var names []string
	for _, p := range ps {
		if name := plain(p).String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}
