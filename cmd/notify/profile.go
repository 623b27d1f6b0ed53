package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"go.yaml.in/yaml/v3"
)

const defaultProfile = "default"

// profiles is the file that notify login writes.
type profiles struct {
	Profiles map[string]profile `yaml:"profiles"`
	path     string
}

// profile is one login.
type profile struct {
	URL string `yaml:"url"`
	Key string `yaml:"key"`
}

// loadProfiles reads the file; without one there are no profiles. A file that others can read is refused.
func (s *session) loadProfiles() (profiles, error) {
	folder := s.env("XDG_CONFIG_HOME")
	if folder == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return profiles{}, nil // a service account without a home has no profiles
		}
		folder = filepath.Join(home, ".config")
	}
	p := profiles{Profiles: map[string]profile{}, path: filepath.Join(folder, "notify", "config.yaml")}
	info, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return p, fmt.Errorf("%s holds keys and others can read it (mode %04o); run: chmod 600 %s", p.path, info.Mode().Perm(), p.path)
	}
	text, err := os.ReadFile(p.path)
	if err != nil {
		return p, err
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&p); err != nil && !errors.Is(err, io.EOF) { // an empty file has no profiles
		return p, fmt.Errorf("%s is not what notify login writes%s; mend it, or delete it and log in again", p.path, lineOf(err))
	}
	return p, nil
}

var line = regexp.MustCompile(`\bline [0-9]+\b`)

// lineOf is where a YAML file is wrong. The rest of the error's text could repeat a key.
func lineOf(err error) string {
	at := line.FindString(err.Error())
	if at == "" {
		return ""
	}
	return " (" + at + ")"
}

// save replaces the file at once, readable to its owner only.
func (p profiles) save() error {
	folder := filepath.Dir(p.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	text, err := yaml.Marshal(p)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, "config-*.yaml") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), p.path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
