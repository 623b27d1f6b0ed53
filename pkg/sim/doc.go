// Package sim is a virtual world in which the real use cases (intake, delivery, sweep, receipts, and in some histories
// schedules, campaigns, redrives, erasures, caps and budgets, over the real store and configuration) live through
// thousands of histories: one seed is one history, and the same seed is the same history to the last byte. There is
// one clock, one heap of events ordered by time and number, and one source of chance; of the processes only one runs
// at a time, and each hands over at every call to the outside.
//
// A history has three parts. Chaos: the store fails before or after it wrote, is throttled, and shows an
// index late; the queue loses, doubles, delays and reorders; processes die or freeze at any call to the
// outside and have wrong clocks; providers answer everything that providers answer, or nothing; receipts
// come early, late, twice, out of order, or forged; callers repeat, cancel and stop; operators publish,
// switch off, suppress, erase and redrive. Heal: no more faults, until nothing is left to do. Redrive: any hint
// that there ever was comes again. All the while an oracle, which knows what was asked for and what really
// happened, holds the promises against the records.
//
// Nothing in production imports it.
package sim
