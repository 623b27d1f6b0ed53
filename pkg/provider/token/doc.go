// Package token keeps the access tokens of accounts that have to fetch one. However many calls need a
// token at once, in however many processes, one of them fetches it: vendors count the fetches, and some
// make the former token void with each.
package token
