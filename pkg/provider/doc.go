// Package provider is how notify speaks to the world: one Sender per configured account. A coded
// provider is a folder with a descriptor (provider.yaml), its code and its cases; a declarative one is a
// recipe and its cases. The suite in providertest holds them all to the same promises.
package provider
