// Package stack finds what a deployed stack is made of, and makes the same, without its functions, where there
// is no stack: in an emulator that notify local --aws works on.
package stack
