// Package memory is a timer inside one process, for the command that runs everything on one machine. It
// keeps nothing on disk: whoever keeps the schedules puts them again at the next start.
//
// The present comes in with New; waiting is done with the timers of package time, which a testing/synctest
// bubble fakes together with time.Now.
package memory
