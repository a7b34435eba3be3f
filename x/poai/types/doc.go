// Package types holds the types of x/poai: participants, locks, committees, epochs and scores, and its contracts with other modules.
package types
