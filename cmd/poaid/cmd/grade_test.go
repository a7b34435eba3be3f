package cmd

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseGrades(t *testing.T) {
	grades, err := parseGrades([]string{"3=25", "0=10"}, 4)
	require.NoError(t, err)
	require.Equal(t, []uint32{10, 0, 0, 25}, grades)
	for _, bad := range [][]string{nil, {"4=1"}, {"0"}, {"0=65536"}, {"0=-1"}, {"x=1"}, {"0=1", "0=2"}, {"0=1.5"}} {
		_, err := parseGrades(bad, 4)
		require.ErrorContains(t, err, "--grade", "%v", bad)
	}
}
