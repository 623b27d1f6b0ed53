// Package timertest is the suite that every timer passes: what the rest of the service may rely on. A
// timer's own test opens it and calls Run; what it does differently it says in Features. The suite waits on
// signals with a deadline and never sleeps, so that it also runs against a real service that fires within a
// minute.
package timertest
