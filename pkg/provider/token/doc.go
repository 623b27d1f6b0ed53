// Package token keeps the access tokens of accounts that have to fetch one. However many calls need a
// token at once, one of them fetches it.
package token
