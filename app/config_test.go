package app

import (
	"testing"

	"github.com/stretchr/testify/require"
)

type optionMap map[string]any

func (o optionMap) Get(key string) any { return o[key] }

func TestEdgeConfig(t *testing.T) {
	for _, tc := range []struct {
		name string
		key  string
		val  any
		err  string
	}{
		{"a list of origins", KeyCORSOrigins, []string{"https://a.example", "*"}, ""},
		{"not an origin", KeyCORSOrigins, []string{"a.example"}, "poai-api.cors-origins"},
		{"a rate", KeyRateLimit, "2.5", ""},
		{"a negative rate", KeyRateLimit, -1, "poai-api.rate-limit"},
		{"not a rate", KeyRateLimit, "much", "poai-api.rate-limit"},
		{"no burst", KeyRateBurst, 0, "poai-api.rate-burst"},
		{"not a truth", KeyTrustForwarded, "perhaps", "poai-api.trust-forwarded"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := readEdgeConfig(optionMap{tc.key: tc.val})
			if tc.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tc.err)
		})
	}
	c, err := readEdgeConfig(optionMap{})
	require.NoError(t, err)
	require.Equal(t, DefaultConfig().Edge, c)
}
