// Package quota spends limits that many processes share: those of an account, those of a tenant.
//
// What was given out is counted in the store, for each window of time by itself. A process leases as many
// places as it is about to need, spends them here, and lets those that it did not need lapse with their
// window; so a busy process asks the store a few times a second, an idle one once for each message, and one
// without limits never. A place is good for its own window and no other: no window is ever overfull, however
// many processes there are, whatever their clocks say, and whenever they die.
package quota
