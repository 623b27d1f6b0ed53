package provider

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"github.com/opennotify/notify/pkg/message"
)

// check reads the field's value in an account, puts the default where it is missing, and says what is
// wrong with it. The text of a secret never gets into the error.
func (f Field) check(a *Account) error {
	if f.Secret {
		value, err := f.Fit(string(a.Secrets[f.Name]))
		if value != "" {
			if a.Secrets == nil {
				a.Secrets = map[string]message.Secret{}
			}
			a.Secrets[f.Name] = message.Secret(value)
		}
		return err
	}
	value, err := f.Fit(a.Config[f.Name])
	if value != "" {
		if a.Config == nil {
			a.Config = map[string]string{}
		}
		a.Config[f.Name] = value
	}
	return err
}

// Fit gives the value, or the default for none, and says what is wrong with it without repeating it.
func (f Field) Fit(value string) (string, error) {
	if value == "" {
		value = f.Default
	}
	if value == "" {
		if f.Required {
			return "", fmt.Errorf("field %q is required", f.Name)
		}
		return "", nil
	}
	switch f.Type {
	case "number":
		if _, err := strconv.ParseFloat(value, 64); err != nil {
			return value, fmt.Errorf("field %q must be a number", f.Name)
		}
	case "boolean":
		if value != "true" && value != "false" {
			return value, fmt.Errorf("field %q must be true or false", f.Name)
		}
	case "select":
		if !slices.Contains(f.Options, value) {
			return value, fmt.Errorf("field %q must be one of %v", f.Name, f.Options)
		}
	case "url":
		if u, err := url.Parse(value); err != nil || u.Host == "" {
			return value, fmt.Errorf("field %q must be an absolute URL", f.Name)
		}
	case Variables:
		if _, ok := ParseVariables(value); !ok {
			return value, fmt.Errorf("field %q must be names of variables with commas between them; theirs=ours where the vendor's name is another", f.Name)
		}
	}
	if f.Pattern != "" {
		re, err := regexp.Compile("^(?:" + f.Pattern + ")$")
		if err != nil {
			return value, fmt.Errorf("field %q has a bad pattern in its descriptor: %w", f.Name, err)
		}
		if !re.MatchString(value) {
			return value, fmt.Errorf("field %q does not look like %s", f.Name, f.Pattern)
		}
	}
	return value, nil
}
