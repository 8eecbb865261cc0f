package project

// settings is the table of docs/configuration.md, in its order. A flag is named as its variable is.
func settings() []setting {
	rows := applicationSettings()
	rows = append(rows, baseSettings()...)
	rows = append(rows, imageSettings()...)
	rows = append(rows, dependencySettings()...)
	rows = append(rows, fileSelectionSettings()...)
	rows = append(rows, layerSettings()...)
	rows = append(rows, destinationSettings()...)
	return append(rows, machineSettings()...)
}

func applicationSettings() []setting {
	return []setting{
		{key: "name", flag: "--name", variable: "PEXKO_NAME", store: storeText(func(s *Settings) *Setting[string] { return &s.Name }, checkImageName)},
		{key: "entry-point", flag: "--entry-point", variable: "PEXKO_ENTRY_POINT", store: storeText(func(s *Settings) *Setting[string] { return &s.EntryPoint }, checkEntryPoint)},
		{key: "script", flag: "--script", variable: "PEXKO_SCRIPT", store: storeText(func(s *Settings) *Setting[string] { return &s.Script }, checkScript)},
		{key: "python-args", flag: "--python-arg", kind: texts, store: storeTexts(func(s *Settings) *Setting[[]string] { return &s.PythonArgs }, checkPythonArg)},
		{key: "args", flag: "--arg", kind: texts, store: storeTexts(func(s *Settings) *Setting[[]string] { return &s.Args }, checkText)},
		{key: "hermetic", flag: "--hermetic", variable: "PEXKO_HERMETIC", kind: boolean, store: storeBool(func(s *Settings) *Setting[bool] { return &s.Hermetic })},
	}
}

func baseSettings() []setting {
	return []setting{
		{key: "base", flag: "--base", variable: "PEXKO_BASE", standard: []string{DefaultBase}, store: storeBase},
		{key: "platforms", flag: "--platform", variable: "PEXKO_PLATFORM", kind: texts, standard: []string{DefaultPlatform}, store: storePlatforms},
		{key: "python", flag: "--python", variable: "PEXKO_PYTHON", store: storeText(func(s *Settings) *Setting[string] { return &s.Python }, checkAbsolute)},
	}
}

func imageSettings() []setting {
	return []setting{
		{key: "env", flag: "--env", kind: table, store: storeTable(func(s *Settings) map[string]Setting[string] { return s.Env }, checkVariable, checkText)},
		{key: "labels", flag: "--label", kind: table, store: storeTable(func(s *Settings) map[string]Setting[string] { return s.Labels }, checkLabel, checkText)},
		{key: "annotations", flag: "--annotation", kind: table, store: storeTable(func(s *Settings) map[string]Setting[string] { return s.Annotations }, checkLabel, checkText)},
		{key: "user", flag: "--user", variable: "PEXKO_USER", numbers: true, standard: []string{DefaultUser}, store: storeText(func(s *Settings) *Setting[string] { return &s.User }, checkUser)},
		{key: "workdir", flag: "--workdir", variable: "PEXKO_WORKDIR", standard: []string{DefaultWorkDir}, store: storeText(func(s *Settings) *Setting[string] { return &s.WorkDir }, checkAbsolute)},
		{key: "expose", flag: "--expose", variable: "PEXKO_EXPOSE", kind: texts, numbers: true, store: storeSet(func(s *Settings) *Setting[[]string] { return &s.Expose }, checkPort)},
		{key: "stop-signal", flag: "--stop-signal", variable: "PEXKO_STOP_SIGNAL", store: storeText(func(s *Settings) *Setting[string] { return &s.StopSignal }, checkSignal)},
	}
}

func dependencySettings() []setting {
	return []setting{
		{key: "lock", flag: "--lock", variable: "PEXKO_LOCK", store: storePath(func(s *Settings) *Setting[string] { return &s.Lock }, wholePath)},
		{key: "extras", flag: "--extra", variable: "PEXKO_EXTRA", kind: texts, store: storeSet(func(s *Settings) *Setting[[]string] { return &s.Extras }, checkDistribution)},
		{key: "groups", flag: "--group", variable: "PEXKO_GROUP", kind: texts, store: storeSet(func(s *Settings) *Setting[[]string] { return &s.Groups }, checkDistribution)},
	}
}

func fileSelectionSettings() []setting {
	return []setting{
		{key: "roots", kind: texts, store: storeSet(func(s *Settings) *Setting[[]string] { return &s.Roots }, checkInside)},
		{key: "include", kind: texts, store: storeTexts(func(s *Settings) *Setting[[]string] { return &s.Include }, checkPattern)},
		{key: "exclude", kind: texts, store: storeTexts(func(s *Settings) *Setting[[]string] { return &s.Exclude }, checkPattern)},
		{key: "files", kind: table, store: storeTable(func(s *Settings) map[string]Setting[string] { return s.Files }, checkInside, checkInside)},
	}
}

func layerSettings() []setting {
	return []setting{
		{key: "max-layers", flag: "--max-layers", variable: "PEXKO_MAX_LAYERS", kind: number, standard: []string{"20"}, store: storeNumber(func(s *Settings) *Setting[int] { return &s.MaxLayers }, 5, 120)},
		{key: "compression", flag: "--compression", variable: "PEXKO_COMPRESSION", standard: []string{"gzip"}, store: storeText(func(s *Settings) *Setting[string] { return &s.Compression }, oneOf("gzip", "zstd"))},
		{key: "bytecode", flag: "--bytecode", variable: "PEXKO_BYTECODE", standard: []string{"all"}, store: storeText(func(s *Settings) *Setting[string] { return &s.Bytecode }, oneOf("all", "host", "none"))},
	}
}

func destinationSettings() []setting {
	return []setting{
		{key: "repo", variable: "PEXKO_REPO", store: storeText(func(s *Settings) *Setting[string] { return &s.Repo }, checkRepository)},
		{key: "tags", flag: "--tag", variable: "PEXKO_TAG", kind: texts, standard: []string{"latest"}, store: storeSet(func(s *Settings) *Setting[[]string] { return &s.Tags }, checkTag)},
		{flag: "--push", kind: texts, store: storeSet(func(s *Settings) *Setting[[]string] { return &s.Push }, checkDestination)},
		{flag: "--oci-layout", store: storePath(func(s *Settings) *Setting[string] { return &s.OCILayout }, wholePath)},
		{flag: "--oci-archive", store: storePath(func(s *Settings) *Setting[string] { return &s.OCIArchive }, wholePath)},
		{flag: "--tarball", store: storePath(func(s *Settings) *Setting[string] { return &s.Tarball }, wholePath)},
		{flag: "--pex", store: storePath(func(s *Settings) *Setting[string] { return &s.PexFile }, wholePath)},
		{flag: "--load", store: storeText(func(s *Settings) *Setting[string] { return &s.Load }, oneOf("auto", "podman", "docker"))},
		{flag: "--insecure-registry", variable: "PEXKO_INSECURE_REGISTRY", kind: boolean, store: storeBool(func(s *Settings) *Setting[bool] { return &s.Insecure })},
	}
}

func machineSettings() []setting {
	return []setting{
		{flag: "--cache-dir", variable: "PEXKO_CACHE_DIR", store: storePath(func(s *Settings) *Setting[string] { return &s.CacheDir }, wholePath)},
		{flag: "--host-python", variable: "PEXKO_HOST_PYTHON", store: storePath(func(s *Settings) *Setting[string] { return &s.HostPython }, wholePath)},
		{flag: "--jobs", variable: "PEXKO_JOBS", kind: number, store: storeNumber(func(s *Settings) *Setting[int] { return &s.Jobs }, 1, 256)},
	}
}
