// Package memory is a store.Driver for tests and for the virtual world: what the other drivers promise, at once and
// without faults. Nothing that runs links it.
package memory
