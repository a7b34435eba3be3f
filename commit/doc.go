// Package commit defines the commitments of poaid: what a tensor, a set of named tensors, a step, a result and a sealed result
// hash to, and the proofs that open them. It is consensus code: pure functions of bytes, standard library only.
//
// # Roots
//
// Everything under consensus is (dtype, shape, bytes), little-endian and row-major. SHA-256 throughout; integers little-endian;
// "lp" is a u32 length followed by the bytes.
//
//	leaf(x)      = H(0x00 ‖ x)
//	node(l, r)   = H(0x01 ‖ l ‖ r)                          tree shape of RFC 6962, section 2.1; no leaves: H("")
//	tensor_root  = H("poai/tensor/1" ‖ dtype u8 ‖ rank u8 ‖ dims u64… ‖ mth(chunks of 1024 bytes, the last may be short))
//	named_root   = H("poai/named/1"  ‖ mth(lp(name) ‖ tensor_root, …))
//	step_root    = H("poai/step/1"   ‖ mth(tensor_root, …))
//	result_root  = H("poai/result/1" ‖ T u64 ‖ state_root ‖ output_root)
//	seal         = H("poai/seal/1"   ‖ lp(chain id) ‖ task u64 ‖ lp(participant) ‖ result_root ‖ salt)
//	program_hash = H("poai/program/1" ‖ canonical protobuf)
//	salt         = HMAC-SHA256(hot key secret, "poai/salt/1" ‖ lp(chain id) ‖ task u64 ‖ lp(purpose))
//
// mth is RFC 6962's Merkle tree hash: a tree of n leaves splits at the largest power of two below n, which is the same as pairing
// neighbours level by level and carrying an odd last node up unchanged.
//
// The number of leaves is never taken from a party: the verifier derives it from the declared dtype and shape (tensors), from the
// program (named roots) or from the graph (steps). Under a known leaf count every range has exactly one proof.
//
// # Zero subtrees
//
// A growing cache is a full-size state that is mostly zero bytes. The root of a perfect subtree of zero chunks is a constant of its
// height, so zero chunks are scanned but not hashed, and Hasher.WriteZeros does not even scan.
//
// # Reading the source
//
// Start with TensorRoot (root.go), Hasher.push (hasher.go), Span.Split and VerifyRange (proof.go), Tree.Update (tree.go).
package commit
