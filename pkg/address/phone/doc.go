// Package phone reads phone numbers of the whole world. It stands apart from address because its
// numbering plans cost megabytes of binary and milliseconds of start: only intake links it.
package phone
