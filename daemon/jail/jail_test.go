package jail_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"

	"cosmossdk.io/math"
	"github.com/stretchr/testify/require"

	"poaid/daemon/chain"
	"poaid/daemon/jail"
	poaitypes "poaid/x/poai/types"
)

// gaol is a chain with one participant; it counts what is sent.
type gaol struct {
	p       poaitypes.Participant
	unknown bool
	reads   int
	sent    []int64
	until   int64
}

func (g *gaol) Participant(context.Context, string) (poaitypes.Participant, error) {
	g.reads++
	if g.unknown {
		return g.p, chain.ErrNotFound
	}
	return g.p, nil
}

func (g *gaol) PoaiParams(context.Context) (poaitypes.Params, error) {
	return poaitypes.Params{MinBond: math.NewInt(100)}, nil
}

func (g *gaol) Enqueue(it chain.Item, asOf int64) bool {
	if it.Kind == chain.KindUnjail {
		g.sent = append(g.sent, asOf)
	}
	return true
}

func (g *gaol) Jailed(until int64) { g.until = until }

func participant(until int64, lie bool, bond int64) poaitypes.Participant {
	return poaitypes.Participant{Address: "me", Bond: math.NewInt(bond), Conduct: poaitypes.Conduct{JailedUntil: until, JailedForLie: lie}}
}

// TestPolicies: it asks to be let out at the first height that may succeed, where its policy says so, and not with too little bond.
func TestPolicies(t *testing.T) {
	for name, c := range map[string]struct {
		policy jail.Policy
		lie    bool
		bond   int64
		asks   bool
		says   string
	}{
		"silence":              {jail.Silence, false, 100, true, "will ask"},
		"silence, but lied":    {jail.Silence, true, 100, false, "until somebody lets it out"},
		"always":               {jail.Always, false, 100, true, "will ask"},
		"always, and lied":     {jail.Always, true, 100, true, "will ask"},
		"never":                {jail.Never, false, 100, false, "until somebody lets it out"},
		"too little bond left": {jail.Always, true, 99, false, "bond is too small"},
	} {
		t.Run(name, func(t *testing.T) {
			g := &gaol{p: participant(37, c.lie, c.bond)}
			var out bytes.Buffer
			w := jail.New(g, g, "me", c.policy, g, slog.New(slog.NewTextHandler(&out, nil)))
			for h := int64(1); h < 37; h++ {
				require.NoError(t, w.Tick(t.Context(), h))
			}
			require.Empty(t, g.sent)
			require.EqualValues(t, 37, g.until)
			require.LessOrEqual(t, g.reads, 5, "it does not ask every block")
			require.NoError(t, w.Tick(t.Context(), 37))
			if c.asks {
				require.Equal(t, []int64{37}, g.sent, "at once")
			} else {
				require.Empty(t, g.sent)
			}
			require.Contains(t, out.String(), c.says)
			require.LessOrEqual(t, bytes.Count(out.Bytes(), []byte("WARN")), 2, "it does not repeat itself: %s", out.String())

			g.p = participant(0, false, 100)
			for h := int64(38); h < 60; h++ {
				require.NoError(t, w.Tick(t.Context(), h))
			}
			require.Zero(t, g.until)
			require.Contains(t, out.String(), "out of jail")
		})
	}
}

// TestNobody: who has not joined is in no jail.
func TestNobody(t *testing.T) {
	g := &gaol{unknown: true}
	w := jail.New(g, g, "me", jail.Always, g, slog.New(slog.DiscardHandler))
	require.NoError(t, w.Tick(t.Context(), 1))
	require.Empty(t, g.sent)
}

func TestParsePolicy(t *testing.T) {
	p, err := jail.ParsePolicy("silence")
	require.NoError(t, err)
	require.Equal(t, jail.Silence, p)
	_, err = jail.ParsePolicy("")
	require.ErrorContains(t, err, "never, silence or always")
}
