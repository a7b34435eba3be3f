// Package receipt checks, without the chain, that some content came from some model: offline, against a set of validators that one trusts.
//
// When a task is FINAL the chain keeps its types.Receipt for ever. A Bundle holds what it takes to believe it:
//
//	content ── is ──▶ an output ── root ──▶ receipt.output_root
//	receipt ── ICS23 proof in the store "tasks" ──▶ root of the store ── ICS23 proof ──▶ app hash of a header
//	header ── signatures of more than 2/3 of its own validators, and of those that are trusted ──▶ Trust
//
// and the model's record and vocabulary with proofs of their own, since they turn numbers into labels and text. Export collects a bundle from a Source,
// Verify checks it. Neither package state nor files are touched; sizes are bounded, and every way to fail has an error of its own.
package receipt
