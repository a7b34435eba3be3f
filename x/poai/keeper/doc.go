// Package keeper keeps participants and their bond, the ledger of locks, committees, epochs and scores.
package keeper
