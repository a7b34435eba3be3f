// Package golden holds results of the engine that every machine must reproduce bit for
// bit: digests of engine/num and engine/kernel, and roots of inference, generation and
// training. Its tests compute them with every kernel of the processor (or the one that
// POAI_KERNEL names) on one, two and more threads, and compare with roots.json, one
// file for amd64, arm64 (scripts/arm64.sh runs the tests under qemu) and for builds in
// which the compiler fuses x·y+z (GOAMD64=v3).
//
//	go test ./engine/golden -update
//
// writes roots.json anew. It only ever grows: a value that changes is a fault.
package golden
