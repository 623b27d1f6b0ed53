// Package stats counts what the service does, and tells it: how much is sent, how much of it fails, who is
// throttled, by tenant, channel, account and template.
//
// [Counters] sums in memory what use cases measure and adds it to tallies in the store: one item for each
// tenant, channel, account, template and minute, with a slot for each second of what has a peak. Once a
// minute [Stats.Fold] folds the tallies of minutes that are over into figures, one item for a tenant and one
// for all of them, and those of minutes into hours and days: to fold again what was folded changes nothing.
// What is not folded yet is read from the tallies.
//
// Counting is no part of a message's life: it never fails one and never holds one up. A process that dies
// takes with it what it had not added yet, a second's worth; an addition whose answer was lost is repeated,
// and may then count twice.
package stats
