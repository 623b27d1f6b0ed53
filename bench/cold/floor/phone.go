//go:build phone

package main

// With the numbering plans of the world, as the functions that read phone numbers have them.
import _ "github.com/nyaruka/phonenumbers"
