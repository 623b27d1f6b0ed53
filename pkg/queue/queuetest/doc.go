// Package queuetest is the suite that every queue passes: what the rest of the service may rely on. A
// queue's own test opens it and calls Run; what it does differently it says in Features. The suite waits on
// signals with a deadline and never sleeps, so that it also runs against slow, real services.
package queuetest
