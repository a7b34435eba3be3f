// Package keeper is the state machine of x/delegation.
package keeper
