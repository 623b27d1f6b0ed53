// Package recipe is the engine for providers that are described in YAML, with no code of their own.
//
// A recipe.yaml holds two documents. The first is the descriptor, as a coded provider has one in its
// provider.yaml; package catalog reads it without this package. The second says how the provider is
// spoken to: the request and its signature, the access token, what its answers mean, and how its
// callbacks are verified and read. See docs/add-a-provider.md.
//
// Values get into a request through ${expression} only. A request is built as a tree and encoded after
// that, so no value can change its shape. Expressions are compiled once and bounded: they have no loops,
// no variables, and no functions but those in this package.
package recipe
