// Package types has the state, messages and limits of x/delegation.
package types
