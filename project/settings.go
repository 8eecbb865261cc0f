package project

// Settings is everything about a build that is not a fact of the project, each with its origin. Load
// decides it: flag, then environment, then [tool.pexko], then default. Values are checked and in normal form.
type Settings struct {
	// Name is the last part of the image's name below Repo, and the name of the PEX: the project's name
	// normalised (PEP 503), else the directory's.
	Name Setting[string]

	// Base is the base image: a registry reference, or an OCI layout or archive on this machine (oci:DIR,
	// oci-archive:FILE, docker-archive:FILE). Paths in the file are relative to the project.
	Base Setting[string]
	// Platforms are os/arch[/variant] in the order of the index, or "all" alone: those of the base.
	Platforms Setting[[]string]
	// Python is the absolute path of the interpreter in the base; "" takes the first on its PATH.
	Python Setting[string]

	// EntryPoint is MODULE[:FUNCTION] and Script the name of a console script; at most one is set.
	EntryPoint, Script Setting[string]
	// PythonArgs stand between the interpreter and the program, Args before what the container is given. Args that
	// were set at a lower level than the entry point are dropped: they are another's.
	PythonArgs, Args Setting[[]string]
	// Hermetic has the interpreter ignore PYTHON* variables and the user's site directory.
	Hermetic Setting[bool]

	// Env, Labels and Annotations are merged name by name over all levels.
	Env, Labels, Annotations map[string]Setting[string]
	// User is NAME|UID[:GROUP|GID], WorkDir an absolute path in the image.
	User, WorkDir Setting[string]
	// Expose are PORT/tcp, PORT/udp or PORT/sctp. StopSignal is a name with SIG or a number, "" the engine's.
	Expose     Setting[[]string]
	StopSignal Setting[string]

	// Lock is the lock file's path, "" to look for one in the project. In the file it is relative to the project.
	Lock Setting[string]
	// Extras are normalised (PEP 685), as are the dependency Groups (PEP 735).
	Extras, Groups Setting[[]string]

	// Include and Exclude are patterns in git's language, Roots the import roots relative to the project ("." or
	// "src"); Files maps a file or directory of the project to its path below /app.
	Include, Exclude, Roots Setting[[]string]
	Files                   map[string]Setting[string]

	// MaxLayers is the greatest number of layers above the base's.
	MaxLayers Setting[int]
	// Compression is gzip or zstd, Bytecode all, host or none.
	Compression, Bytecode Setting[string]

	// Repo is the repository below which the image is pushed as Name when no destination is named.
	Repo Setting[string]
	// Push are the destinations REPO[:TAG]. Tags are those of every destination without one of its own.
	Push, Tags Setting[[]string]
	// OCILayout, OCIArchive, Tarball and PexFile are paths to write; Load is "", auto, podman or docker.
	OCILayout, OCIArchive, Tarball, PexFile, Load Setting[string]
	// Insecure allows plain HTTP and unverified TLS to registries.
	Insecure Setting[bool]

	// CacheDir is where pexko keeps what it can reuse, HostPython the Python of this machine that runs pex
	// ("" finds one), Jobs how much is done at once (0: as many as there are processors).
	CacheDir, HostPython Setting[string]
	Jobs                 Setting[int]
}

// Defaults that a user meets; the rest are the zero values.
const (
	DefaultBase      = "python:3.13-slim"
	DefaultPlatform  = "linux/amd64"
	DefaultUser      = "65532"
	DefaultWorkDir   = "/app"
	DefaultMaxLayers = 20
)

// HasDestination reports whether anything is to be written or pushed besides below Repo.
func (s Settings) HasDestination() bool {
	return len(s.Push.Value) > 0 || s.OCILayout.Set() || s.OCIArchive.Set() || s.Tarball.Set() || s.PexFile.Set() || s.Load.Set()
}

// PushReferences are the references REPO:TAG that the image is to have, without duplicates and in order: those
// of Push or, when there is no destination at all, Repo/Name. A tag in a destination stands beside the tags
// of the command line, and instead of those that the environment, the file or the default names.
func (s Settings) PushReferences() []string {
	repos := s.Push.Value
	if !s.HasDestination() && s.Repo.Value != "" {
		repos = []string{s.Repo.Value + "/" + s.Name.Value}
	}
	var refs []string
	for _, destination := range repos {
		repo, tag := splitTag(destination)
		tags := s.Tags.Value
		if tag != "" {
			refs = appendNew(refs, repo+":"+tag)
			if s.Tags.From.Level < Flag {
				tags = nil
			}
		}
		for _, tag := range tags {
			refs = appendNew(refs, repo+":"+tag)
		}
	}
	return refs
}

// LocalReferences are the names that an archive or an engine on this machine gives the image: those it is pushed
// under, else NAME:TAG.
func (s Settings) LocalReferences() []string {
	if refs := s.PushReferences(); len(refs) > 0 {
		return refs
	}
	var refs []string
	for _, tag := range s.Tags.Value {
		refs = append(refs, s.Name.Value+":"+tag)
	}
	return refs
}
