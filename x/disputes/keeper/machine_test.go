package keeper_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/game"
	"poaid/x/disputes/types"
)

// player is a person in a random dispute.
type player struct {
	person, variant int
	honest          bool
	late            bool // claims only after others did
}

// court plays one case with random people.
type court struct {
	*fix
	t       *rapid.T
	id      uint64
	players []player
	first   int64
}

func (c *court) coin(name string, of int) bool { return rapid.IntRange(0, of-1).Draw(c.t, name) == 0 }

// newCourt draws the people: a worker, up to three members, up to five others; of the honest ones all know the truth and are awake.
func newCourt(t *rapid.T) *court {
	c := &court{fix: fixture(t), t: t}
	c.params(func(p *types.Params) {
		p.MaxTransitionsPerBlock = 16
		p.Arity = rapid.SampledFrom([]uint32{2, 4, 16}).Draw(t, "arity")
	})
	members := rapid.IntRange(0, 3).Draw(t, "members")
	variant := func() int { return max(0, rapid.IntRange(-2, variants-1).Draw(t, "variant")) }
	for i := range members + 1 + rapid.IntRange(0, 5).Draw(t, "others") {
		p := player{person: i, variant: variant()}
		if i > members {
			p.person = i - members + 4
		}
		p.honest = p.variant == 0 && !c.coin("plays badly for the truth", 3)
		p.late = c.coin("late", 2)
		c.players = append(c.players, p)
	}
	var roots []int
	for _, p := range c.players[1 : members+1] {
		roots = append(roots, p.variant)
	}
	c.id = c.task(c.players[0].variant, roots...)
	c.first = c.ctx.BlockHeight()
	return c
}

func (c *court) hasCase() bool {
	res, err := c.queries.Cases(c.ctx, &types.QueryCasesRequest{})
	require.NoError(c.tb, err)
	return len(res.Cases) > 0
}

func (c *court) mine(p player) *types.Claim {
	if !c.hasCase() {
		return nil
	}
	for _, claim := range c.claims(c.id) {
		if claim.Participant == who(p.person) {
			return &claim
		}
	}
	return nil
}

// act lets a person do what it does in a block. An honest one claims as soon as there is something to claim, plays every game that waits for
// it, takes the chairs of silent ones and attacks every other root, as many as it may.
func (c *court) act(p player) {
	claim := c.mine(p)
	if claim == nil {
		if p.person >= 5 && (!p.late || c.hasCase()) && (p.honest || c.coin("claim", 3)) {
			_, err := c.claim(p.person, c.id, p.variant)
			if p.honest && c.hasCase() && c.one(c.id).State == types.CASE_STATE_OPEN && c.ctx.BlockHeight() == c.first {
				require.NoError(c.tb, err, "an honest claim in time")
			}
		}
		return
	}
	if claim.Beaten || c.one(c.id).State != types.CASE_STATE_OPEN {
		return
	}
	for _, g := range c.running(c.id) {
		switch {
		case mover(g) == who(p.person):
			c.step(p, g)
		case g.Defender != who(p.person) && (p.honest || c.coin("defend", 6)):
			_, _ = c.defend(p.person, c.id, g.Index)
		}
	}
	for _, other := range c.claims(c.id) {
		if other.Beaten || other.Participant == who(p.person) || !p.honest && !c.coin("attack", 8) {
			continue
		}
		i := slices.IndexFunc(c.players, func(q player) bool { return who(q.person) == other.Participant })
		_, _ = c.attack(p.person, c.id, c.players[i].person)
	}
}

// step makes a move: an honest one by the truth, a liar by its lie, another one's, garbage, or not at all.
func (c *court) step(p player, g types.Game) {
	if p.honest {
		m, ok := c.next(g, 0)
		require.True(c.tb, ok, "the truth always has a move")
		_, err := c.send(who(p.person), g, m)
		require.NoError(c.tb, err)
		return
	}
	switch rapid.IntRange(0, 9).Draw(c.t, "how") {
	case 0, 1:
		return
	case 2:
		_, _ = c.send(who(p.person), g, game.Reject{Index: rapid.Uint64Max(3).Draw(c.t, "index")})
	case 3:
		if m, ok := c.next(g, rapid.IntRange(0, variants-1).Draw(c.t, "whose")); ok {
			_, _ = c.send(who(p.person), g, m)
		}
	default:
		if m, ok := c.next(g, p.variant); ok {
			_, _ = c.send(who(p.person), g, m)
		}
	}
}

// TestCourt plays random disputes. Whatever liars do: an honest claim never loses; where somebody honest stands the truth is left; coins are
// constant; every case ends in its time.
func TestCourt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCourt(t)
		for c.ctx.BlockHeight()-c.first < 900 {
			for _, p := range c.players {
				c.act(p)
			}
			c.full = c.coin("full", 5)
			c.blocks(1)
			honest := false
			for _, p := range c.players {
				if claim := c.mine(p); p.honest && claim != nil {
					require.False(t, claim.Beaten, "an honest claim is beaten in game %d", claim.BeatenIn)
					honest = true
				}
			}
			if !c.hasCase() {
				if c.ctx.BlockHeight()-c.first > 8 {
					return
				}
				continue
			}
			if one := c.one(c.id); one.State == types.CASE_STATE_CLOSED {
				if honest {
					require.Equal(t, c.world.roots[0][:], one.ValidRoot)
				}
				c.verdict(one, honest)
				return
			}
		}
		require.Fail(t, "the case does not end", "%+v", c.one(c.id))
	})
}

// verdict checks who paid.
func (c *court) verdict(one types.Case, honest bool) {
	lies, paid := c.poai.state(c.ctx).Lies, c.poai.state(c.ctx).Paid
	for _, claim := range c.claims(c.id) {
		wrong := string(claim.ResultRoot) != string(one.ValidRoot)
		require.Equal(c.tb, wrong, lies[claim.Participant] == 1, "claim %d", claim.Order)
		require.False(c.tb, wrong && paid[claim.Participant] > 0, "a liar earns nothing with another")
	}
	if honest {
		for _, p := range c.players {
			if p.honest {
				require.Zero(c.tb, lies[who(p.person)])
			}
		}
	}
	require.Empty(c.tb, c.poai.state(c.ctx).Locks)
	require.Zero(c.tb, c.bank.GetBalance(c.ctx, acc(moduleAddr()), denom).Amount.Int64())
}
