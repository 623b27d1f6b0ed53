// Package template is versioned content with declared variables: a variant per channel and locale. It
// checks variables, renders (logic-less: variables and sections, escaped per channel), counts the
// segments of an SMS, and tells which template a text came from. It is pure.
package template
