// Package operate mounts what operators and developers change: /v1/tenants, keys, templates, accounts,
// providers, routes, endpoints, suppressions and dlq.
package operate
