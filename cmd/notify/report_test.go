package main

import (
	"bytes"
	"strings"
	"syscall"
	"testing"
)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestOutputIsLost: what cannot be written is an error, also where the verb itself has none: a key is shown once.
func TestOutputIsLost(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(s *session){
		"a line":  func(s *session) { s.say("%s\n", "nfy_live_…") },
		"a table": func(s *session) { s.table([][]any{{"ID"}, {"x"}}) },
		"nothing": func(*session) {},
	} {
		var said bytes.Buffer
		s := &session{out: &output{w: full{}}, err: &said}
		write(s)
		if code := s.report(nil); name == "nothing" && code != exitOK || name != "nothing" && (code != exitError || !strings.Contains(said.String(), "no space left")) {
			t.Errorf("%s: exit %d, %q", name, code, said.String())
		}
	}
	var said bytes.Buffer
	s := &session{out: &output{w: full{}}, err: &said}
	s.say("x")
	if code := s.report(exit(exitFailed)); code != exitFailed {
		t.Errorf("exit %d", code)
	}
}
