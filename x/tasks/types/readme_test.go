package types

import (
	"fmt"
	"math/big"
	"os"
	"strings"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"
)

// TestRatesInReadme keeps the table of rates in README.md true: each line must be there as it is computed here.
func TestRatesInReadme(t *testing.T) {
	const royalty = 500
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	p := DefaultParams()
	for _, units := range []uint64{700, 10_000, 100_000, 1_000_000, 10_000_000, 1_000_000_000} {
		lock, ppm := p.Risk(units, royalty, false)
		_, stops := p.Risk(units, royalty, true)
		gain, reward := priced(units, p.ReferenceCost), p.WorkersPart(Fee(units, p.UnitPrice, p.MinFee), royalty, ppm)
		lost := new(big.Rat).SetInt(lock.QuoRaw(2).Add(reward).BigInt())
		for _, x := range []*big.Rat{big.NewRat(int64(ppm), PpmOne), big.NewRat(int64(p.DetectionPpm), PpmOne), big.NewRat(7, 8)} {
			lost.Mul(lost, x)
		}
		require.GreaterOrEqual(t, lost.Cmp(new(big.Rat).SetInt(gain.MulRaw(2).BigInt())), 0, "the margin at %d units", units)
		whole := math.NewIntFromBigInt(new(big.Int).Quo(lost.Num(), lost.Denom()))
		line := fmt.Sprintf("| %s | %s | %s | %s %% | %s %% | %s | %s |", group(math.NewIntFromUint64(units)), group(Fee(units, p.UnitPrice, p.MinFee)), group(lock),
			percent(ppm), percent(stops), group(gain), group(whole))
		if !strings.Contains(string(text), line) {
			t.Errorf("README.md lacks %s", line)
		}
	}
}

func percent(ppm uint32) string { return fmt.Sprintf("%d.%d", ppm/10_000, ppm%10_000/1_000) }

// group writes an amount with a comma between thousands.
func group(x math.Int) string {
	s := x.String()
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, parts...), ",")
}
