// Package devinbox is the provider for development, on every channel: what is sent lands in an Inbox in
// memory, where the console and tests look at it, and some addresses play the faults that are hard to
// get from a real provider. Its help in provider.yaml lists them.
package devinbox
