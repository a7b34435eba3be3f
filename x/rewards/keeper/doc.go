// Package keeper mints epoch pools and pays them out by score.
package keeper
