package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// length is a flag's length of time: as Go writes it, or whole days of 24 hours, as 7d.
type length time.Duration

// lengthVar makes a flag of it, which is 0 without a value.
func lengthVar(flags *pflag.FlagSet, into *time.Duration, name, usage string) {
	flags.Var((*length)(into), name, usage)
}

// Set reads it.
func (l *length) Set(text string) error {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			*l = length(n) * length(24*time.Hour)
			return nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return errors.New("write a length of time as 90m, 24h or 7d")
	}
	*l = length(d)
	return nil
}

// String is "" of none, so that the help shows no default.
func (l *length) String() string {
	if *l == 0 {
		return ""
	}
	return time.Duration(*l).String()
}

// Type is for the help.
func (*length) Type() string { return "duration" }
