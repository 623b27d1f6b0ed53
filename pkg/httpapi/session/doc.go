// Package session is who is signed in to the console: people, with an API key or through the company's
// identity provider.
//
// A session is a ticket, sealed into a cookie: nothing is kept on this side, and every function can open
// it. Handler stands in front of the API and makes a bearer of the cookie; Authenticate tells whose it is.
// What a ticket names is looked up for each request, so that a revoked key or a person who was switched off
// is out within the age of the configuration.
package session
