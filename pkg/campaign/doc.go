// Package campaign sends one template to many: at once, at a time, or again and again.
//
// A schedule is a document that says when, what and to whom. When it fires, or when somebody sends a
// campaign, there is a run: a job that reads its audience row by row, hands the rows page by page to the
// intake, which alone makes messages, and follows them until the last one has ended. A run is known by its
// schedule and its due time, a message of it by the run and the recipient; so a schedule that fires twice,
// late, or after it was cancelled sends nothing twice and nothing that was cancelled.
//
// Operators may start runs with schedules of their own, made with plain AWS tools: docs/schedules.md.
package campaign
