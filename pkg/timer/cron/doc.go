// Package cron reads the cron expressions of EventBridge Scheduler and tells when they fire:
//
//	minutes hours day-of-month month day-of-week year
//	0       9     ?            *     MON-FRI     *      at 9:00 from Monday to Friday
//	*/15    8-18  *            *     ?           *      every quarter of an hour of the day
//	0       0     L            *     ?           *      the last day of each month
//	0       10    ?            *     6L          *      the last Friday (1 is Sunday) of each month
//	0       10    ?            *     2#1         *      the first Monday of each month
//	0       10    15W          *     ?           *      the weekday that is nearest to the 15th
//
// It takes what the documentation promises and nothing else, so that an expression that works here is not
// refused there: https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
//
// An expression is read in a time zone. A time of day that the zone repeats (clocks go back) fires once,
// the first time. One that the zone leaves out (clocks go forward) fires at the first instant after the
// gap, once for all that were left out: a daily report comes late, not never. EventBridge itself leaves such
// a run out; whoever needs the same everywhere avoids the hours in which clocks change.
package cron
