package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFilesAreCurrent holds the committed assembly to its generator.
func TestFilesAreCurrent(t *testing.T) {
	for name, text := range files() {
		have, err := os.ReadFile(filepath.Join("..", "..", name))
		require.NoError(t, err)
		require.True(t, bytes.Equal(have, text), "%s: run go generate in engine/kernel", name)
	}
}

// TestOpsMatchGo holds the numbers of the elementwise routines to the constants that
// Go calls them by.
func TestOpsMatchGo(t *testing.T) {
	text, err := os.ReadFile("../../ops_gen.go")
	require.NoError(t, err)
	var want, have []string
	for _, m := range regexp.MustCompile(`(?m)^\top(\w+)`).FindAllSubmatch(text, -1) {
		want = append(want, string(m[1]))
	}
	for _, o := range unaryOps {
		have = append(have, o.name)
	}
	for _, o := range binaryOps {
		have = append(have, o.name)
	}
	require.Equal(t, want, have)
}

var wordLine = regexp.MustCompile(`(?m)^\tWORD \$0x([0-9a-f]{8}) // (.*)$`)

// TestWordsMatchDisassembler gives every word to GNU's disassembler, which knows
// nothing of asm.go.
func TestWordsMatchDisassembler(t *testing.T) {
	objdump, err := exec.LookPath("aarch64-linux-gnu-objdump")
	if err != nil {
		t.Skip("aarch64-linux-gnu-objdump (Debian: binutils-aarch64-linux-gnu) is not installed")
	}
	var code []byte
	var want []string
	for _, text := range files() {
		for _, m := range wordLine.FindAllSubmatch(text, -1) {
			w, err := strconv.ParseUint(string(m[1]), 16, 32)
			require.NoError(t, err)
			code = binary.LittleEndian.AppendUint32(code, uint32(w)) // #nosec G115 -- parsed as 32 bits
			want = append(want, string(m[2]))
		}
	}
	require.Greater(t, len(want), 3000)
	file := filepath.Join(t.TempDir(), "code")
	require.NoError(t, os.WriteFile(file, code, 0o600))
	out, err := exec.Command(objdump, "-D", "-b", "binary", "-m", "aarch64", file).Output() // #nosec G204 -- a fixed tool
	require.NoError(t, err)
	i := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.SplitN(line, "\t", 3)
		if len(fields) < 3 || !strings.HasSuffix(fields[0], ":") {
			continue
		}
		require.Equal(t, want[i], strings.Join(strings.Fields(fields[2]), " "), "word %d: %s", i, fields[1])
		i++
	}
	require.Len(t, want, i, "disassembled words")
}
