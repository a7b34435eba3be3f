//go:build !amd64 && !arm64

package kernel

func runPacked(_, _, _ []float32, _, _, _, _ int) bool { return false }

func packPanel(panel, w []float32, rows, k int) { packPanelRef(panel, w, rows, k) }
