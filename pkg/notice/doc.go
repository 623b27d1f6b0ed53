// Package notice tells people that a limit is nearly used up, before it is: at 80 % of an account's limit or of
// a tenant's budget the operators, and the owners of the tenants that use most of it. A notice is a message
// like any other, of a tenant that the operators name, and nobody is told of one limit twice in an hour of the
// clock: so a notice that itself uses up a limit makes no more of them.
package notice
