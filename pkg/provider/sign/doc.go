// Package sign holds the schemes with which vendors want requests to be signed, and those with which they
// sign their callbacks to us. Schemes are pure: time and nonce are arguments. A recipe chooses one by name.
package sign
