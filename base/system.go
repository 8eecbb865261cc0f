package base

import (
	"strconv"
	"strings"
)

// OS is what /etc/os-release says (os-release(5)); empty where it says nothing.
type OS struct {
	ID        string // "debian"
	VersionID string // "12"
	Name      string // "Debian GNU/Linux 12 (bookworm)"
}

// User is a line of /etc/passwd.
type User struct {
	Name        string
	UID, GID    int
	Home, Shell string
}

// Group is a line of /etc/group.
type Group struct {
	Name string
	GID  int
}

// System is what else an image has to say about itself.
type System struct {
	OS     OS
	Users  []User
	Groups []Group
	// Shell says that there is a /bin/sh.
	Shell bool
}

// User finds a user by number.
func (s System) User(uid int) (User, bool) {
	for _, u := range s.Users {
		if u.UID == uid {
			return u, true
		}
	}
	return User{}, false
}

func parseOS(text []byte) OS {
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			values[key] = unquote(value)
		}
	}
	return OS{ID: values["ID"], VersionID: values["VERSION_ID"], Name: values["PRETTY_NAME"]}
}

// unquote takes the shell quotes off a value; what a backslash protects stays.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		quote := s[0]
		s = s[1 : len(s)-1]
		if quote == '"' {
			s = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`").Replace(s)
		}
	}
	return s
}

// parseUsers reads passwd(5). Lines that are none are passed over, as the C library does.
func parseUsers(text []byte) []User {
	var users []User
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) < 7 {
			continue
		}
		uid, err1 := strconv.Atoi(f[2])
		gid, err2 := strconv.Atoi(f[3])
		if err1 == nil && err2 == nil && f[0] != "" {
			users = append(users, User{Name: f[0], UID: uid, GID: gid, Home: f[5], Shell: f[6]})
		}
	}
	return users
}

// parseGroups reads group(5).
func parseGroups(text []byte) []Group {
	var groups []Group
	for line := range strings.Lines(string(text)) {
		f := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(f) < 3 {
			continue
		}
		if gid, err := strconv.Atoi(f[2]); err == nil && f[0] != "" {
			groups = append(groups, Group{Name: f[0], GID: gid})
		}
	}
	return groups
}
