// Package types holds the messages, params, errors, keys and expected keepers of x/disputes, and what leads from its messages and
// state to package game and back (play.go): the chain and whoever plays on it use the same functions.
package types
