// Package grades_test runs contests on the whole chain, with copies of it, and from exports.
package grades_test

import (
	"crypto/sha256"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/testutil"
	gradestypes "poaid/x/grades/types"
	poaitypes "poaid/x/poai/types"
)

const id = "poems"

type contest struct {
	*testutil.Chain
	t       *testing.T
	graders []*testutil.Account
}

// start has graders of the last accounts, and entries of accounts 1 and 2.
func start(t *testing.T, graders int, opts testutil.Options) *contest {
	t.Helper()
	opts.Accounts = 4 + graders
	opts.Genesis = func(g *testutil.Genesis) {
		s := gradestypes.DefaultGenesis()
		s.Params.MinPhaseBlocks, s.Params.DrawDelay = 1, 2
		g.Set(gradestypes.ModuleName, s)
	}
	c := &contest{Chain: testutil.NewApp(t, opts), t: t}
	c.RegisterEcho(c.Accounts[0])
	c.Deliver(c.Accounts[0], &gradestypes.MsgCreateContest{
		Owner: c.Accounts[0].String(), Id: id, Criteria: make([]byte, 32), Seats: uint32(graders), MaxEntries: 4, SealBlocks: 12, RevealBlocks: 12,
		PauseBlocks: 2, Pot: sdk.NewInt64Coin(params.Denom, 1_000_000), GraderBps: 1_000,
	})
	for _, a := range c.Accounts[4:] {
		c.Deliver(a, testutil.Join(a), &gradestypes.MsgJoinGraders{Grader: a.String(), Contest: id})
		c.graders = append(c.graders, a)
	}
	for i := 1; i < 3; i++ {
		work := sha256.Sum256([]byte{byte(i)})
		c.Deliver(c.Accounts[i], &gradestypes.MsgEnter{Owner: c.Accounts[i].String(), Contest: id, Hash: work[:]})
	}
	return c
}

func (c *contest) fund(amount int64) {
	c.Deliver(c.Accounts[3], &gradestypes.MsgFundContest{
		Sponsor: c.Accounts[3].String(), Contest: id, Amount: sdk.NewInt64Coin(params.Denom, amount),
	})
}

func (c *contest) now() gradestypes.Contest {
	x, err := c.App.Grades.Contests.Get(c.Ctx(), 1)
	require.NoError(c.t, err)
	return x
}

func (c *contest) until(phase gradestypes.Phase) gradestypes.Contest {
	c.t.Helper()
	for range 60 {
		if x := c.now(); x.Phase == phase {
			return x
		}
		c.Blocks(1)
	}
	require.Equal(c.t, phase, c.now().Phase)
	return c.now()
}

func (c *contest) seal(a *testutil.Account, grades ...uint32) {
	x := c.now()
	seal := gradestypes.Seal(c.ChainID, x.Number, x.Round, a.String(), grades, sha256.Sum256([]byte(a.String())))
	c.Deliver(a, &gradestypes.MsgSealGrades{Grader: a.String(), Contest: id, Round: x.Round, Seal: seal[:]})
}

func (c *contest) reveal(a *testutil.Account, grades ...uint32) {
	salt := sha256.Sum256([]byte(a.String()))
	c.Deliver(a, &gradestypes.MsgRevealGrades{Grader: a.String(), Contest: id, Round: c.now().Round, Grades: grades, Salt: salt[:]})
}

func (c *contest) bond(a *testutil.Account) poaitypes.Participant {
	p, err := c.App.Poai.GetParticipant(c.Ctx(), a.String())
	require.NoError(c.t, err)
	return p
}

func (c *contest) balance(a *testutil.Account) math.Int {
	return c.App.Bank.GetBalance(c.Ctx(), a.Addr, params.Denom).Amount
}

// TestContest goes through a round, with an export and a new start in every phase, and on copies of the chain.
func TestContest(t *testing.T) {
	c := start(t, 3, testutil.Options{Shadows: testutil.AllShadows()})
	before := c.balance(c.Accounts[2])
	c.Rebirth() // idle
	c.fund(3_000_000)
	c.Rebirth() // drawing
	c.until(gradestypes.PHASE_SEALING)
	lock := gradestypes.DefaultParams().GraderLock
	for _, g := range c.graders {
		require.Equal(t, lock, c.bond(g).Locked)
		c.seal(g, 1, 3)
		c.Rebirth() // sealing, revealing
	}
	for _, g := range c.graders {
		c.reveal(g, 1, 3)
		c.Rebirth()
	}
	for _, g := range c.graders {
		require.True(t, c.bond(g).Locked.IsZero())
	}
	require.Equal(t, int64(675_000), c.balance(c.Accounts[2]).Sub(before).Int64(), "three quarters of nine tenths of the pot")
	c.until(gradestypes.PHASE_SEALING)
	require.Equal(t, uint64(2), c.now().Round)
}

// TestSilentGradersLose: what is at risk is bond in x/poai.
func TestSilentGradersLose(t *testing.T) {
	c := start(t, 3, testutil.Options{})
	c.fund(1_000_000)
	c.until(gradestypes.PHASE_SEALING)
	c.seal(c.graders[0], 1, 1)
	c.seal(c.graders[1], 1, 1)
	c.until(gradestypes.PHASE_REVEALING)
	c.reveal(c.graders[0], 1, 1)
	full := c.bond(c.graders[0]).Bond
	c.until(gradestypes.PHASE_IDLE)
	lock := gradestypes.DefaultParams().GraderLock
	require.Equal(t, full, c.bond(c.graders[0]).Bond)
	require.Equal(t, full.Sub(lock), c.bond(c.graders[1]).Bond)
	require.Equal(t, uint64(1), c.bond(c.graders[1]).Faults)
	require.Equal(t, full.Sub(lock.QuoRaw(100)), c.bond(c.graders[2]).Bond)
	require.Equal(t, int64(1_000_000), c.now().Balance.Int64())
}

// TestLeavingGradersStayDue: who leaves after it was drawn is still to grade, and is drawn no more.
func TestLeavingGradersStayDue(t *testing.T) {
	c := start(t, 3, testutil.Options{})
	c.fund(1_000_000)
	c.until(gradestypes.PHASE_SEALING)
	c.Deliver(c.graders[0], &gradestypes.MsgLeaveGraders{Grader: c.graders[0].String(), Contest: id})
	for _, g := range c.graders {
		c.seal(g, 1, 0)
	}
	for _, g := range c.graders {
		c.reveal(g, 1, 0)
	}
	require.Equal(t, gradestypes.PHASE_IDLE, c.now().Phase)
	require.True(t, c.now().Balance.IsZero())
	require.Zero(t, c.bond(c.graders[0]).Models-c.bond(c.graders[1]).Models+1)
}
