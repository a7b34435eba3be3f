// Package keeper holds the state of x/training and its logic.
package keeper
