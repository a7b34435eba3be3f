// Package types holds the messages, params, errors, keys and expected keepers of x/tasks.
package types
