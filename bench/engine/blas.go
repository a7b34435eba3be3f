package main

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed peers/blas.c
var blasSource []byte

// blasPeer is a running peer process over OpenBLAS.
type blasPeer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// buildBLAS compiles the peer into dir with $CC or gcc, against the system's OpenBLAS.
func buildBLAS(dir string) (string, error) {
	src, bin := filepath.Join(dir, "blas.c"), filepath.Join(dir, "blas")
	if err := os.WriteFile(src, blasSource, 0o600); err != nil {
		return "", err
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "gcc"
	}
	if out, err := exec.Command(cc, "-O2", "-o", bin, src, "-lopenblas").CombinedOutput(); err != nil { // #nosec G204 -- the user's compiler
		return "", fmt.Errorf("OpenBLAS: %w: %.200s", err, out)
	}
	return bin, nil
}

// startBLAS starts the peer with a number of threads.
func startBLAS(bin string, threads int) (*blasPeer, error) {
	cmd := exec.Command(bin) // #nosec G204 -- compiled above
	cmd.Env = append(os.Environ(), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads))
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &blasPeer{cmd: cmd, in: in, out: bufio.NewReader(out)}, nil
}

// sgemm returns the time of one product [m, k]·[k, n].
func (b *blasPeer) sgemm(m, n, k int) (spent, error) {
	if _, err := fmt.Fprintln(b.in, m, n, k); err != nil {
		return spent{}, err
	}
	var s spent
	var check float64
	_, err := fmt.Fscanln(b.out, &s.cpu, &s.wall, &check)
	return s, err
}

func (b *blasPeer) close() {
	_ = b.in.Close()
	_ = b.cmd.Wait()
}
