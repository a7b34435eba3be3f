// Command detlint is a go vet tool that rejects Go code whose result may depend on
// the platform, the clock or the scheduler:
//
//	cd tools && go build -o /tmp/detlint ./detlint
//	go vet -vettool=/tmp/detlint ./...
//
// # Checks
//
//   - fusion: a floating-point product that reaches + or − without an explicit
//     float32() or float64() conversion, in one expression or through a local
//     variable. The compiler may fuse x*y + z into one rounding on arm64, riscv64,
//     s390x, ppc64le, loong64 and on amd64 with GOAMD64=v3. Inside the engine a bare
//     product may not be returned, passed or stored either: inlining would let it
//     meet an addition elsewhere. math.FMA is allowed in poaid/engine/num only. The
//     statistics of poaid/sim are not checked.
//   - maprange: range over a map, or over maps.Keys and the like, in a consensus
//     package, unless the loop only collects keys that are sorted later in the same
//     function.
//   - consensus: go statements, time.Now (Since, Until), math/rand, and in poaid/x
//     any float32 or float64, in a consensus package.
//
// Consensus packages are poaid/x/…, poaid/game…, poaid/engine (not its
// subpackages) and poaid/commit…. Test files and generated files are not checked by
// maprange and consensus.
//
// A line ending in //detlint:allow <reason> is accepted; the reason is required.
package main
