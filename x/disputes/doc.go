// Package disputes is the court: results that differ are argued down to one element that the chain computes itself. See README.md.
package disputes
