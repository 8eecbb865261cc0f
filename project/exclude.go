package project

// The rules that hold for every project, in the language of .gitignore. docs/configuration.md shows them; a
// test keeps the two alike. Nothing that they leave out is of use to a running application, or it is made again.

// ownRules leaves out what other tools keep beside the sources.
func ownRules() []string {
	return []string{
		// Bytecode: made anew, for the image's own interpreter.
		"__pycache__/", "*.py[co]", "*$py.class",
		// Caches and reports of tests and checkers.
		".pytest_cache/", ".mypy_cache/", ".ruff_cache/", ".pytype/", ".pyre/", ".hypothesis/", ".tox/", ".nox/", "htmlcov/", ".coverage", ".coverage.*", "coverage.xml", ".ipynb_checkpoints/",
		// What builds leave behind; build/ and dist/ beside a pyproject.toml have a rule of their own.
		"*.egg-info/", ".eggs/", "*.egg", ".pdm-build/", ".pybuilder/", "__pypackages__/",
		// Caches of installers, and environments by the names that everybody uses (others are known by their files).
		".cache/", ".uv-cache/", ".uv_cache/", ".pip-cache/", ".pip_cache/", ".venv", "node_modules/", ".npm/", ".direnv/", ".pixi/",
		// Editors and desktops.
		".idea/", ".vscode/", ".vs/", ".fleet/", ".zed/", "*.swp", "*.swo", "*~", ".DS_Store", "Thumbs.db", "desktop.ini",
		// What steers the repository and its checks: an edit of these is no new version of the application.
		".gitignore", ".gitattributes", ".gitmodules", ".git-blame-ignore-revs", ".github/", ".gitlab/", ".gitlab-ci.yml", ".circleci/", ".dockerignore", ".pre-commit-config.yaml", ".editorconfig",
		// A PEX that was written here.
		"/*.pex",
	}
}

// secretRules leaves out what usually holds credentials. What they leave out is reported.
func secretRules() []string {
	return []string{".env", ".env.*", "!.env.example", "!.env.sample", "!.env.template", "!.env.dist", ".envrc", ".netrc", ".pypirc"}
}

// versionControl are the directories (or, for worktrees and submodules, files) that hold histories. Nothing
// brings them back.
func versionControl() []string { return []string{".git", ".hg", ".svn", ".bzr", ".jj", ".sl"} }

// foreign are files that give a directory away: as a virtual environment (PEP 405), a conda environment,
// or an OCI layout that pexko or another tool wrote. Nothing brings such a directory back.
func foreign() []string { return []string{"pyvenv.cfg", "conda-meta", "oci-layout"} }
