// Package local is notify on one machine: a Backend over one SQLite file, and the loops that on AWS are
// triggers. The handlers are the same; only the Backend differs.
package local
