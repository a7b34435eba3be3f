//go:build armbe || arm64be || mips || mips64 || ppc || ppc64 || s390 || s390x || sparc || sparc64

package engine

// Typed views of tensors need a little-endian host.
const _ uint = -1
