// Package checkup looks at a deployed stack from outside, with the credentials of who asks: quotas, queues and what
// reads them, secrets, SES, the clock, and whether anybody is told of alarms. It changes nothing. What may not be seen is
// a warning that names the permission.
package checkup
