// Package tenant is who sends: business systems with an owner, their keys, and the principal that every
// store call takes. It is pure.
package tenant
