//go:build race

package sim_test

// A world is one stack after the other, so the race detector finds little in it and makes it ten times slower.
const slower = 25
