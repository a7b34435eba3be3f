// Package types holds the types of x/beacon: randomness per height.
package types
