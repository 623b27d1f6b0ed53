// Package messages mounts sending and reading messages: POST /v1/messages and its kin.
package messages
