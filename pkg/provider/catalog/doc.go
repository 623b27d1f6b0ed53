// Package catalog reads the descriptors of all providers. It links no provider's code, so every function
// can know what a provider's form, limits and documentation are.
package catalog
