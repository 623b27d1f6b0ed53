// Package template is versioned content with declared variables: a variant per channel and locale. It
// checks variables, renders, counts the segments of an SMS, and tells which template a text came from.
// It is pure.
//
// The language has no logic:
//
//	{{name}}              the variable's value, escaped for the place where it stands
//	{{#name}}…{{/name}}   once for every entry of a list, whose fields are variables inside, as those
//	                      outside are; or once if the variable is true, not "" and not 0
//	{{^name}}…{{/name}}   once if it is false, "", 0, absent or an empty list
//	{{{{                  two literal braces
//
// Sections nest four deep. A section's tag that has a line for itself leaves no empty line. Nothing
// renders a value unescaped, and a value is never read as a template.
package template
