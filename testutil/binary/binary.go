// Package binary builds the poaid executable once for all tests that run it.
package binary

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"poaid/localnet"
)

// Path returns the poaid executable: $POAID_BIN, or a build of this source. Packages whose tests run at the same time build it once: the
// second finds it up to date. With -short the test is skipped.
func Path(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs processes for minutes")
	}
	if bin := os.Getenv("POAID_BIN"); bin != "" {
		abs, err := filepath.Abs(bin)
		if err != nil {
			t.Fatal(err)
		}
		return abs
	}
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("find the module: %v", err)
	}
	dir := filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), "build", "test")
	unlock := lock(t, dir)
	defer unlock()
	install := exec.Command("go", "install", "poaid/cmd/poaid")
	install.Env = append(os.Environ(), "GOBIN="+dir)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("build poaid: %v\n%s", err, out)
	}
	return filepath.Join(dir, "poaid")
}

// lock waits for its turn.
func lock(t *testing.T, dir string) func() {
	t.Helper()
	for {
		f, err := localnet.Lock(dir)
		if err == nil {
			return func() { _ = f.Close() }
		}
		if t.Context().Err() != nil {
			t.Fatalf("wait for a build in %s: %v", dir, err)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
