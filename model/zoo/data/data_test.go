package data

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFilesAreAsDescribed(t *testing.T) {
	sum := sha256.Sum256(digitsCSV)
	require.Equal(t, "46abec6b12486ad9e51943373abcf22bbea1b5a51a1619b361570d8893f1464a", hex.EncodeToString(sum[:]))
	sum = sha256.Sum256(talesText)
	require.Equal(t, "0bc673c72b878175929008f8313b885f11dd58f5d1d9c4df39863059f7873a07", hex.EncodeToString(sum[:]))
}

func TestDigits(t *testing.T) {
	all, err := Digits()
	require.NoError(t, err)
	require.Len(t, all, 1797)
	train, held := SplitDigits(all)
	require.Len(t, train, 1347)
	require.Len(t, held, 450)
	seen := map[Digit]int{}
	for _, d := range append(train, held...) {
		seen[d]++
	}
	for _, d := range all {
		seen[d]--
		require.GreaterOrEqual(t, seen[d], 0, "every digit is dealt once")
	}
}

func TestTales(t *testing.T) {
	text, err := Tales()
	require.NoError(t, err)
	require.Len(t, text, 1880415)
	require.Len(t, strings.Split(text, "\n\n"), 143)
	for _, r := range text {
		require.True(t, r == '\n' || r >= ' ' && r < 127)
	}
	require.NotContains(t, strings.ToLower(text), "gutenberg")
}
