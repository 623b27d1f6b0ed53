// Package storetest is the one suite that every [store.Driver] passes, and a driver that fails on
// purpose for the tests of others. It is for tests only.
package storetest
