// Package daemon puts the off-chain programs together: a client of the chain, a sender, an artifact store with its server, an executor
// and an agent in the roles of worker, verifier, or both.
//
// Folders and files under Home:
//
//	artifacts/        content-addressed store (unless Artifacts names another): weights, inputs, large outputs
//	daemon/journal.db what was promised, see package journal; keep it through upgrades
//	keyring-*         the hot key, in the SDK's keyring
//
// Losing everything but the key loses no reveal: salts come from the key, and results are computed again.
package daemon
