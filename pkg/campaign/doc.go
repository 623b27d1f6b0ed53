// Package campaign runs what is scheduled: an entry of the control queue names a tenant, a template and an
// audience, and becomes messages through the intake. Operators may put such entries there with schedules
// of their own, made with plain AWS tools; docs/schedules.md has the payload.
package campaign
