// Package sprint defines the transformer work that measures capacity (docs/adr/0008): the reference transformer as a program of the
// engine, its weights from a seed, the inputs of a leaf, which leaves are audited, and the tree that a participant commits to. The chain
// and the daemons call the same functions. It knows nothing of the chain's state.
//
// A leaf is `period` steps of decoding. Its tokens come from a key that is the participant's own in one window; each step also reads the
// token that the step before picked, so the steps of a leaf can only be done one after the other. Its value, 64 bytes, is the sum of the
// first 16 elements of the normalised last hidden state over its steps, so no step can be left out.
//
// # Definitions
//
// H is SHA-256, lp(x) a u32 length and the bytes, integers are little-endian, stream(k, n) is the ChaCha20 key stream (RFC 8439) of key k and the nonce
// n as u64 followed by four zero bytes, from block 0.
//
//	weight key    = H("poai/sprint/weights/1" ‖ seed)
//	matrix i      = elements int16(stream(weight key, i)) · 2^−k, k the least with 4^(k−15) ≥ columns/4; i counts the program's weights
//	norm weights  = 1
//	window key    = H("poai/sprint/key/1" ‖ lp(chain id) ‖ lp(randomness) ‖ window ‖ lp(participant))
//	token j       = u32(stream(window key, leaf))[j] mod vocabulary
//	audit key     = H("poai/sprint/audit/1" ‖ lp(randomness) ‖ window ‖ lp(participant))
//	audited       = ⌊u64(stream(audit key, 0))[0] · 10^6 / 2^64⌋ < probability in ppm
//	sample        = Floyd's algorithm over stream(audit key, 1), with rejection; sorted
//	leaf hash     = H(0x00 ‖ "poai/sprint/leaf/1" ‖ n u64 ‖ value)
//	root          = RFC 6962 tree over the leaf hashes (package commit)
//
// # Reading the source
//
// Program (program.go), Weights and WeightsRoot (weights.go), Tokens and Inputs (leaf.go), Sample (audit.go), Tree and VerifyOpening
// (tree.go), Compute (compute.go).
package sprint
