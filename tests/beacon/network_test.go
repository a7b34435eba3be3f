// Package beacon tests randomness on whole networks: several validators that propose in turn.
package beacon

import (
	"bytes"
	"math/big"
	"slices"
	"testing"

	"cosmossdk.io/math"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"
	"github.com/oasisprotocol/curve25519-voi/curve"
	"github.com/stretchr/testify/require"

	"poaid/app/params"
	"poaid/internal/vrfkey"
	"poaid/testutil"
	beacontypes "poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
)

// everybodyHas fails unless all validators stored the same proven value for the latest height.
func everybodyHas(t *testing.T, n *testutil.Network) {
	t.Helper()
	want := n.Randomness()
	require.True(t, want.Proven, "height %d", n.Height())
	for _, v := range n.Validators {
		got, err := v.App().Beacon.At(v.App().NewContext(true), n.Height())
		require.NoError(t, err)
		require.Equal(t, want, got, v.Name)
	}
}

// TestEverybodyProposesInTurn: the same proven randomness everywhere, by the keys of all.
func TestEverybodyProposesInTurn(t *testing.T) {
	n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 20, 30, 40}})
	turns := map[string]int{}
	seen := map[string]bool{}
	for range 50 {
		n.Block()
		everybodyHas(t, n)
		require.Zero(t, n.Round)
		turns[n.Proposer.Name]++
		value := string(n.Randomness().Value)
		require.False(t, seen[value])
		seen[value] = true
	}
	for i, v := range n.Validators {
		require.InDelta(t, 5*(i+1), turns[v.Name], 1, "%s proposes in proportion to its power", v.Name)
	}
}

// order of the group.
var order, _ = new(big.Int).SetString("7237005577332262213973186563042994240857116359379907606001950938285454250989", 10)

// plusOrder adds the group's order to the proof's scalar: the same number, written another way.
func plusOrder(entry []byte) []byte {
	out := bytes.Clone(entry)
	s := out[len(out)-32:]
	slices.Reverse(s)
	new(big.Int).Add(new(big.Int).SetBytes(s), order).FillBytes(s)
	slices.Reverse(s)
	return out
}

// withGamma puts another point into a proof.
func withGamma(entry, point []byte) []byte {
	out := bytes.Clone(entry)
	copy(out[len(out)-vrf.ProofSize:], point)
	return out
}

func flip(entry []byte, bit int) []byte {
	out := bytes.Clone(entry)
	out[bit/8] ^= 1 << (bit % 8)
	return out
}

// faults are what a proposer may do to the proof in front of its block.
func faults(t *testing.T, n *testutil.Network) map[string]func(v *testutil.Validator, proof []byte) [][]byte {
	t.Helper()
	prefix := 8 * (beacontypes.ProofTxSize - vrf.ProofSize)
	input := func(height int64) []byte {
		return beacontypes.ProofInput(n.ChainID(), n.Randomness().Value, height)
	}
	other := func(v *testutil.Validator) *testutil.Validator {
		for _, o := range n.Validators {
			if o != v {
				return o
			}
		}
		return nil
	}
	var smallOrder, notCanonical curve.CompressedEdwardsY
	smallOrder.SetEdwardsPoint(curve.EIGHT_TORSION[1])
	// y = p + 1 is y = 1, the neutral element, written another way.
	require.NoError(t, notCanonical.UnmarshalBinary(append([]byte{0xee}, append(bytes.Repeat([]byte{0xff}, 30), 0x7f)...)))
	var old []byte
	return map[string]func(v *testutil.Validator, proof []byte) [][]byte{
		"missing":              func(*testutil.Validator, []byte) [][]byte { return nil },
		"empty":                func(*testutil.Validator, []byte) [][]byte { return [][]byte{{}} },
		"twice":                func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{p, p} },
		"behind a transaction": func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{{1}, p} },
		"zeros": func(*testutil.Validator, []byte) [][]byte {
			return [][]byte{beacontypes.EncodeProof(make([]byte, vrf.ProofSize))}
		},
		"first bit":                func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{flip(p, prefix)} },
		"sign of gamma":            func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{flip(p, prefix+255)} },
		"challenge":                func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{flip(p, prefix+256)} },
		"last bit":                 func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{flip(p, prefix+639)} },
		"version":                  func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{flip(p, prefix-8)} },
		"short":                    func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{p[:len(p)-1]} },
		"long":                     func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{append(bytes.Clone(p), 0)} },
		"scalar above the order":   func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{plusOrder(p)} },
		"gamma of small order":     func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{withGamma(p, smallOrder[:])} },
		"gamma not canonical":      func(_ *testutil.Validator, p []byte) [][]byte { return [][]byte{withGamma(p, notCanonical[:])} },
		"its own, of a height ago": func(_ *testutil.Validator, p []byte) [][]byte { was := old; old = p; return [][]byte{was} },
		"its own, for the next height": func(v *testutil.Validator, _ []byte) [][]byte {
			return [][]byte{beacontypes.EncodeProof(v.Secret().Prove(input(n.Height() + 2)))}
		},
		"another proposer's": func(v *testutil.Validator, _ []byte) [][]byte {
			return [][]byte{beacontypes.EncodeProof(other(v).Secret().Prove(input(n.Height() + 1)))}
		},
		"possession": func(v *testutil.Validator, _ []byte) [][]byte {
			return [][]byte{beacontypes.EncodeProof(v.Secret().Prove(beacontypes.PossessionInput(v.Operator())))}
		},
	}
}

// TestFaultyProposersLoseTheirBlocks, whatever is wrong with the proof; the next proposer's block is accepted, and nobody halts.
func TestFaultyProposersLoseTheirBlocks(t *testing.T) {
	n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 10, 10, 10}})
	liar := n.Validators[1]
	turn := func() {
		for n.Next(0) != liar {
			n.Block()
			require.Zero(t, n.Round)
		}
	}
	all := faults(t, n)
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		tamper := all[name]
		lost := 0
		liar.Tamper = func(_ int, entries [][]byte) [][]byte {
			require.NotEmpty(t, entries)
			lost++
			return tamper(liar, entries[0])
		}
		turn()
		successor := n.Next(1)
		n.Block()
		require.Equal(t, 1, lost, name)
		require.Equal(t, 1, n.Round, "%s: the block is lost", name)
		require.Equal(t, successor, n.Proposer, name)
		everybodyHas(t, n)
		liar.Tamper = nil
		turn()
		n.Block()
		require.Equal(t, liar, n.Proposer, "%s: and no more than that one", name)
		everybodyHas(t, n)
	}
}

// TestForfeitingChoosesBetweenTwoValues and no more: this is all that a proposer can do, and what docs/beacon.md counts.
func TestForfeitingChoosesBetweenTwoValues(t *testing.T) {
	values := map[bool][]byte{}
	for _, forfeit := range []bool{false, true} {
		n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 10, 10, 10}})
		if forfeit {
			n.Next(0).Tamper = func(int, [][]byte) [][]byte { return nil }
		}
		next := n.Next(1)
		n.Block()
		values[forfeit] = n.Randomness().Value
		require.Equal(t, forfeit, n.Proposer == next)
		for v := range n.Validators {
			n.Validators[v].Tamper = nil
		}
		// The rotation goes on as if nothing had been forfeited: who took over is also the next height's.
		require.Equal(t, next, n.Next(0))
	}
	require.NotEqual(t, values[false], values[true])
}

// TestMinorityOfFaultyProposers: with up to a third of the power proposing nonsense in every round every height is still decided.
func TestMinorityOfFaultyProposers(t *testing.T) {
	n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 10, 10, 20, 20, 30}})
	for _, v := range n.Validators[:3] {
		v.Tamper = func(round int, entries [][]byte) [][]byte {
			return [][]byte{flip(entries[0], 8*(beacontypes.ProofTxSize-round-1))}
		}
	}
	rounds := 0
	for range 30 {
		n.Block()
		everybodyHas(t, n)
		require.Contains(t, n.Validators[3:], n.Proposer)
		rounds += n.Round
	}
	require.Positive(t, rounds)
}

// TestNoKeyFile: a validator whose node lost its key file loses its blocks, keeps voting, and proposes again once the file is back.
func TestNoKeyFile(t *testing.T) {
	n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 10, 10}})
	v := n.Validators[0]
	n.DropKeyFile(v)
	for range 9 {
		n.Block()
		require.NotEqual(t, v, n.Proposer)
		everybodyHas(t, n)
	}
	n.AddSeed(v, testutil.VRFSeed(v.Name))
	for n.Next(0) != v {
		n.Block()
	}
	n.Block()
	require.Equal(t, v, n.Proposer)
	everybodyHas(t, n)
}

func register(v *testutil.Validator, secret vrf.SecretKey) *beacontypes.MsgRegisterKey {
	key := vrfkey.Register(secret, v.Operator())
	return &beacontypes.MsgRegisterKey{Operator: v.Operator().String(), PubKey: key.PubKey, Proof: key.Proof}
}

// TestRotationWhileProposing: the old key acts until the new one does, without a block lost. Who forgets to give the node the new key
// loses its blocks from then on, until it does.
func TestRotationWhileProposing(t *testing.T) {
	n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 10, 10, 10}})
	careful, careless := n.Validators[0], n.Validators[1]
	seeds := [][]byte{testutil.VRFSeed("new, careful"), testutil.VRFSeed("new, careless")}
	for i, v := range []*testutil.Validator{careful, careless} {
		secret, err := vrf.NewSecretKey(seeds[i])
		require.NoError(t, err)
		n.Deliver(v.Account, register(v, secret))
	}
	registered := n.Height()
	n.AddSeed(careful, seeds[0])
	lost := 0
	for n.Height() < registered+beacontypes.MinActivationBlocks+20 {
		first := n.Next(0)
		acting, err := n.App().Beacon.ProposerKey(n.Ctx(), n.Height()+1, first.ConsAddress())
		require.NoError(t, err)
		n.Block()
		everybodyHas(t, n)
		if n.Round == 0 {
			continue
		}
		lost++
		require.Equal(t, careless, first, "height %d", n.Height())
		require.GreaterOrEqual(t, n.Height(), registered+beacontypes.MinActivationBlocks)
		require.NotEqual(t, first.Secret().Public(), acting)
	}
	require.Positive(t, lost)
	n.AddSeed(careless, seeds[1])
	for range 8 {
		n.Block()
		require.Zero(t, n.Round)
		everybodyHas(t, n)
	}
}

// TestLowOrderKeysCannotBeRegistered: their values anybody could compute, and more than one proof could be made for them.
func TestLowOrderKeysCannotBeRegistered(t *testing.T) {
	n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 10}})
	v := n.Validators[0]
	for i := range curve.EIGHT_TORSION {
		var point curve.CompressedEdwardsY
		point.SetEdwardsPoint(curve.EIGHT_TORSION[i])
		msg := register(v, v.Secret())
		msg.PubKey = point[:]
		res := n.Try(v.Account, msg)
		require.Equal(t, beacontypes.ErrInvalidKey.ABCICode(), res.Code, res.Log)
		require.Equal(t, beacontypes.ModuleName, res.Codespace)
	}
}

// TestBootstrapByTransactions: validators register one after the other; blocks of the others stand until more than two thirds of the power
// has acting keys, and are lost from then on.
func TestBootstrapByTransactions(t *testing.T) {
	n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 10, 10, 10}, NoKeys: true})
	for i, v := range n.Validators[:3] {
		n.Deliver(v.Account, register(v, v.Secret()))
		for range beacontypes.MinActivationBlocks + 1 {
			n.Block()
		}
		proven := map[string]bool{}
		for range 4 {
			n.Block()
			proven[n.Proposer.Name] = n.Randomness().Proven
		}
		for j, o := range n.Validators {
			got, proposed := proven[o.Name]
			switch {
			case j <= i:
				require.True(t, got, "%s has a key", o.Name)
			case i < 2:
				require.True(t, proposed, "%s makes blocks without one", o.Name)
				require.False(t, got)
			default:
				require.False(t, proposed, "%s has no key and loses its blocks", o.Name)
			}
		}
	}
}

// TestJoiningAndLeaving: a validator that joins without an acting key loses its blocks until it has one; one that leaves proves to the
// last block that CometBFT gives it.
func TestJoiningAndLeaving(t *testing.T) {
	n := testutil.NewNetwork(t, testutil.NetworkOptions{Powers: []int64{10, 10, 10}, Joining: 1})
	v := n.Validators[3]
	pk, err := codectypes.NewAnyWithValue(v.Cons.PubKey())
	require.NoError(t, err)
	bond := sdk.NewCoin(params.Denom, sdk.DefaultPowerReduction.MulRaw(10))
	n.Deliver(v.Account, &stakingtypes.MsgCreateValidator{
		Description: stakingtypes.Description{Moniker: v.Name}, ValidatorAddress: v.Operator().String(), Pubkey: pk, Value: bond,
		Commission: stakingtypes.NewCommissionRates(math.LegacyZeroDec(), math.LegacyOneDec(), math.LegacyZeroDec()), MinSelfDelegation: math.OneInt(),
	})
	until(t, n, "joins", func() bool { return n.Power(v) > 0 })
	until(t, n, "has its turn", func() bool { return n.Next(0) == v })
	n.Block()
	require.Equal(t, 1, n.Round, "and loses it")
	everybodyHas(t, n)
	n.Deliver(v.Account, register(v, v.Secret()))
	for range beacontypes.MinActivationBlocks {
		n.Block()
	}
	until(t, n, "has its turn again", func() bool { return n.Next(0) == v })
	n.Block()
	require.Equal(t, v, n.Proposer)
	everybodyHas(t, n)

	n.Deliver(v.Account, &stakingtypes.MsgUndelegate{DelegatorAddress: v.String(), ValidatorAddress: v.Operator().String(), Amount: bond})
	until(t, n, "leaves", func() bool {
		if n.Next(0) == v {
			n.Block()
			require.Equal(t, v, n.Proposer, "still in the set at height %d", n.Height())
			everybodyHas(t, n)
		}
		return n.Power(v) == 0
	})
	for range 6 {
		n.Block()
		require.Zero(t, n.Round)
		everybodyHas(t, n)
	}
}

// until makes blocks until something holds.
func until(t *testing.T, n *testutil.Network, what string, holds func() bool) {
	t.Helper()
	for range 60 {
		if holds() {
			return
		}
		n.Block()
	}
	t.Fatalf("height %d: in 60 blocks nobody %s", n.Height(), what)
}
