// Package keeper argues about results: claims are roots, games between claims beat one of them, and what root is left is right. See
// README.md of the module and docs/adr/0007-disputes.md.
package keeper
