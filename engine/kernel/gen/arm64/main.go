// Command arm64 writes the NEON assembly of engine/kernel. Run it in engine/kernel:
//
//	go generate ./engine/kernel
//
// Go's assembler has scalar arm64 but few of the vector float instructions, so every
// vector instruction is written as its word, with what it is beside it in the syntax
// of GNU's disassembler; TestWordsMatchDisassembler holds the one to the other.
package main

import (
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	for name, text := range files() {
		if err := os.WriteFile(name, text, 0o644); err != nil { // #nosec G306 -- source code
			log.Fatal(err)
		}
	}
}

// files generates the assembly files by name.
func files() map[string][]byte {
	tiles, vecs, packs := newAsm(), &vec{asm: newAsm()}, newAsm()
	genTiles(tiles)
	genVec(vecs)
	genPack(packs)
	return map[string][]byte{
		"gemm_neon_arm64.s": tiles.Bytes(),
		"vec_neon_arm64.s":  vecs.Bytes(),
		"pack_neon_arm64.s": packs.Bytes(),
	}
}
