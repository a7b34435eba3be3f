package keeper_test

import (
	"crypto/sha256"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"pgregory.net/rapid"

	"poaid/internal/vrfkey"
	"poaid/x/beacon/keeper"
	"poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
)

// started is a chain whose set CometBFT uses from height 1.
func started(t testing.TB, gs types.GenesisState, powers map[*validator]int64, order ...*validator) *fixture {
	t.Helper()
	f := newFixture(t, gs, order...)
	var set []abci.ValidatorUpdate
	for _, v := range order {
		if powers[v] > 0 {
			set = append(set, v.update(t, powers[v]))
		}
	}
	require.NoError(t, f.SetValidators(f.ctx, 1, set))
	return f
}

func TestProofsOfGenesisKeys(t *testing.T) {
	a, b := newValidator(t, 1), newValidator(t, 2)
	gs := genesis(10, a.genesisKey(0), b.genesisKey(0))
	powers := map[*validator]int64{a: 5, b: 5}
	f, g := started(t, gs, powers, a, b), started(t, gs, powers, a, b)
	seen := map[string]bool{}
	for h := int64(1); h <= 8; h++ {
		v := []*validator{a, b}[h%2]
		r := f.run(h, v)
		require.True(t, r.Proven)
		require.Equal(t, r, g.run(h, v))
		require.False(t, seen[string(r.Value)])
		seen[string(r.Value)] = true
	}
	require.NotEqual(t, f.run(9, a).Value, g.run(9, b).Value, "each proposer has a value of its own")
}

// TestValueByHand makes two values from the formula of docs/beacon.md.
func TestValueByHand(t *testing.T) {
	a := newValidator(t, 1)
	f := started(t, genesis(10, a.genesisKey(0)), map[*validator]int64{a: 1}, a)
	previous := make([]byte, types.ValueSize)
	for h := int64(1); h <= 2; h++ {
		input := append([]byte("poai/beacon/vrf/1\x00\x00\x00\x0bbeacon-test"), previous...)
		input = append(input, 0, 0, 0, 0, 0, 0, 0, byte(h))
		beta, err := vrf.Verify(a.secret.Public(), input, a.secret.Prove(input))
		require.NoError(t, err)
		want := sha256.Sum256(append(append([]byte("poai/beacon/2"), previous...), beta...))
		require.Equal(t, want[:], f.run(h, a).Value)
		previous = want[:]
	}
}

// TestNothingButTheChainCounts: with a proof, what a proposer or voters choose of a block does not change the value.
func TestNothingButTheChainCounts(t *testing.T) {
	a := newValidator(t, 1)
	value := func(variant byte) []byte {
		f := started(t, genesis(10, a.genesisKey(0)), map[*validator]int64{a: 1}, a)
		f.at(1, variant)
		f.ctx = f.ctx.WithProposer(a.addr())
		require.NoError(t, f.PreBlock(f.ctx, f.proof(a)))
		v, err := f.Randomness(f.ctx, 1)
		require.NoError(t, err)
		return v
	}
	require.Equal(t, value(1), value(2))
}

func TestCheckProposal(t *testing.T) {
	a, b, c := newValidator(t, 1), newValidator(t, 2), newValidator(t, 3)
	f := started(t, genesis(10, a.genesisKey(0), b.genesisKey(0)), map[*validator]int64{a: 5, b: 5, c: 1}, a, b, c)
	f.run(1, a)
	f.proposedBy(2, a)
	good := f.proof(a)
	input, err := f.Input(f.ctx)
	require.NoError(t, err)
	flipped := append([]byte(nil), good...)
	flipped[40] ^= 1
	previous, err := f.Randomness(f.ctx, 1)
	require.NoError(t, err)
	for name, tc := range map[string]struct {
		proposer sdk.ConsAddress
		proof    []byte
		want     error
	}{
		"good":                 {a.addr(), good, nil},
		"missing":              {a.addr(), nil, types.ErrMissingProof},
		"empty":                {a.addr(), []byte{}, types.ErrInvalidProof},
		"flipped":              {a.addr(), flipped, types.ErrInvalidProof},
		"another's":            {a.addr(), b.secret.Prove(input), types.ErrInvalidProof},
		"of another proposer":  {b.addr(), good, types.ErrInvalidProof},
		"another height":       {a.addr(), a.secret.Prove(types.ProofInput(chainID, previous, 3)), types.ErrInvalidProof},
		"another chain":        {a.addr(), a.secret.Prove(types.ProofInput("other", previous, 2)), types.ErrInvalidProof},
		"another predecessor":  {a.addr(), a.secret.Prove(types.ProofInput(chainID, make([]byte, 32), 2)), types.ErrInvalidProof},
		"no key":               {c.addr(), nil, types.ErrNoKey},
		"no key but a proof":   {c.addr(), good, types.ErrInvalidProof},
		"unknown":              {newValidator(t, 9).addr(), nil, types.ErrNoKey},
		"unknown with a proof": {newValidator(t, 9).addr(), good, types.ErrInvalidProof},
	} {
		require.ErrorIs(t, f.CheckProposal(f.ctx, tc.proposer, tc.proof), tc.want, name)
	}
	// Replaying a decided block gives the same again.
	ctx := f.ctx
	cached, _ := ctx.CacheContext()
	require.NoError(t, f.PreBlock(cached, good))
	first, err := f.Randomness(cached, 2)
	require.NoError(t, err)
	require.Equal(t, first, f.run(2, a).Value)
}

// TestDecidedBlockNeverHalts: what was decided is stored, whatever its proof.
func TestDecidedBlockNeverHalts(t *testing.T) {
	a, c := newValidator(t, 1), newValidator(t, 3)
	for name, tc := range map[string]struct {
		proposer *validator
		proof    []byte
	}{
		"bad": {a, make([]byte, vrf.ProofSize)}, "missing": {a, nil}, "no key": {c, nil}, "no key but a proof": {c, make([]byte, 80)},
	} {
		f := started(t, genesis(10, a.genesisKey(0)), map[*validator]int64{a: 5, c: 1}, a, c)
		f.proposedBy(1, tc.proposer)
		require.Error(t, f.CheckProposal(f.ctx, tc.proposer.addr(), tc.proof), name)
		require.NoError(t, f.PreBlock(f.ctx, tc.proof), name)
		r, err := f.At(f.ctx, 1)
		require.NoError(t, err)
		require.False(t, r.Proven)
	}
}

// TestBootstrap: proposers without a key lose their blocks only where more than two thirds of the power has keys, so that the few who have
// one cannot stop the chain by stopping.
func TestBootstrap(t *testing.T) {
	a, b, c := newValidator(t, 1), newValidator(t, 2), newValidator(t, 3)
	for name, tc := range map[string]struct {
		keys     []types.OperatorKeys
		powers   map[*validator]int64
		required bool
	}{
		"none":              {nil, map[*validator]int64{a: 1, b: 1, c: 1}, false},
		"a third":           {[]types.OperatorKeys{a.genesisKey(0)}, map[*validator]int64{a: 1, b: 1, c: 1}, false},
		"two thirds":        {[]types.OperatorKeys{a.genesisKey(0), b.genesisKey(0)}, map[*validator]int64{a: 1, b: 1, c: 1}, false},
		"just above":        {[]types.OperatorKeys{a.genesisKey(0), b.genesisKey(0)}, map[*validator]int64{a: 34, b: 33, c: 33}, true},
		"above by one unit": {[]types.OperatorKeys{a.genesisKey(0)}, map[*validator]int64{a: 1<<59 + 1, c: 1 << 58}, true},
		"exactly, large":    {[]types.OperatorKeys{a.genesisKey(0)}, map[*validator]int64{a: 1 << 59, c: 1 << 58}, false},
		"not in the set":    {[]types.OperatorKeys{a.genesisKey(0)}, map[*validator]int64{b: 1, c: 1}, false},
		"all":               {[]types.OperatorKeys{a.genesisKey(0)}, map[*validator]int64{a: 1}, true},
	} {
		f := started(t, genesis(10, tc.keys...), tc.powers, a, b, c)
		f.proposedBy(1, c)
		if tc.required {
			require.ErrorIs(t, f.CheckProposal(f.ctx, c.addr(), nil), types.ErrNoKey, name)
			continue
		}
		require.False(t, f.run(1, c).Proven, name)
		if tc.powers[a] > 0 && len(tc.keys) > 0 {
			require.True(t, f.run(2, a).Proven, "%s: those with a key prove before all have one", name)
			f.proposedBy(3, a)
			require.ErrorIs(t, f.CheckProposal(f.ctx, a.addr(), nil), types.ErrMissingProof, name)
		}
	}
}

func TestRegisterAndRotate(t *testing.T) {
	a := newValidator(t, 1)
	f := started(t, genesis(1000), map[*validator]int64{a: 1}, a)
	old := *a
	fresh := *a
	fresh.secret = newValidator(t, 7).secret
	register := func(v *validator) int64 {
		key := vrfkey.Register(v.secret, v.operator)
		from, err := f.RegisterKey(f.ctx, v.name, key.PubKey, key.Proof)
		require.NoError(t, err)
		return from
	}
	require.False(t, f.run(1, a).Proven)
	require.EqualValues(t, 1+delay, register(&old))
	for h := int64(2); h <= delay; h++ {
		require.False(t, f.run(h, &old).Proven, "height %d", h)
	}
	require.True(t, f.run(delay+1, &old).Proven, "one epoch after it was registered")
	h := int64(delay + 2)
	f.run(h, &old)
	from := register(&fresh)
	for h++; h < from; h++ {
		require.True(t, f.run(h, &old).Proven, "until the new key acts")
		f.proposedBy(h, a)
	}
	f.proposedBy(h, a)
	require.ErrorIs(t, f.CheckProposal(f.ctx, a.addr(), f.proof(&old)), types.ErrInvalidProof)
	require.True(t, f.run(h, &fresh).Proven)

	// Registering again before the last one acts replaces that one and starts the wait over; the acting key goes on.
	register(&old)
	h++
	f.run(h, &fresh)
	third := *a
	third.secret = newValidator(t, 8).secret
	again := register(&third)
	require.Equal(t, h+delay, again)
	for h++; h < again; h++ {
		require.True(t, f.run(h, &fresh).Proven)
	}
	require.True(t, f.run(h, &third).Proven)

	gs, err := f.ExportGenesis(f.ctx)
	require.NoError(t, err)
	require.NoError(t, gs.Validate())
	require.Len(t, gs.Keys, 1)
}

func TestRegisterRefuses(t *testing.T) {
	a, b, stranger := newValidator(t, 1), newValidator(t, 2), newValidator(t, 3)
	f := started(t, genesis(10), map[*validator]int64{a: 1}, a, b)
	m := keeper.NewMsgServer(f.Keeper)
	key := vrfkey.Register(a.secret, a.operator)
	for name, tc := range map[string]struct {
		operator      string
		pubKey, proof []byte
		want          error
		text          string
	}{
		"stranger":        {stranger.name, vrfkey.Register(stranger.secret, stranger.operator).PubKey, key.Proof, types.ErrNoValidator, "operator"},
		"no address":      {"x", key.PubKey, key.Proof, types.ErrNoValidator, "operator"},
		"short key":       {a.name, key.PubKey[1:], key.Proof, types.ErrInvalidKey, "pub_key: 31 bytes, must be 32"},
		"short proof":     {a.name, key.PubKey, key.Proof[1:], types.ErrInvalidKey, "proof: 79 bytes, must be 80"},
		"another's":       {b.name, key.PubKey, key.Proof, types.ErrInvalidKey, "possession"},
		"of another key":  {a.name, b.secret.Public(), key.Proof, types.ErrInvalidKey, "possession"},
		"small order key": {a.name, append([]byte{1}, make([]byte, 31)...), key.Proof, types.ErrInvalidKey, "possession"},
	} {
		_, err := m.RegisterKey(f.ctx, &types.MsgRegisterKey{Operator: tc.operator, PubKey: tc.pubKey, Proof: tc.proof})
		require.ErrorIs(t, err, tc.want, name)
		require.ErrorContains(t, err, tc.text, name)
	}
	res, err := m.RegisterKey(f.ctx, &types.MsgRegisterKey{Operator: a.name, PubKey: key.PubKey, Proof: key.Proof})
	require.NoError(t, err)
	require.Equal(t, f.ctx.BlockHeight()+delay, res.ActiveFrom)
}

func TestUpdateParams(t *testing.T) {
	f := newFixture(t, genesis(10))
	m := keeper.NewMsgServer(f.Keeper)
	p := types.Params{History: 20, ActivationBlocks: 60}
	_, err := m.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: "other", Params: p})
	require.Error(t, err)
	_, err = m.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: types.Params{}})
	require.ErrorIs(t, err, types.ErrInvalidParams)
	_, err = m.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: p})
	require.NoError(t, err)
	got, err := f.Params.Get(f.ctx)
	require.NoError(t, err)
	require.Equal(t, p, got)
}

// TestSetFollowsCometBFT: an update that block h returns holds at h+2. Before that the joining validator proposes nothing, and the leaving
// one still does, even if x/staking has forgotten it.
func TestSetFollowsCometBFT(t *testing.T) {
	a, b := newValidator(t, 1), newValidator(t, 2)
	f := started(t, genesis(10, a.genesisKey(0), b.genesisKey(0)), map[*validator]int64{a: 1}, a, b)
	f.run(1, a, b.update(t, 10), a.update(t, 0))
	f.staking.validators = []*validator{b}
	require.True(t, f.run(2, a).Proven)
	key, err := f.ProposerKey(f.ctx, 3, a.addr())
	require.NoError(t, err)
	require.Nil(t, key)
	f.proposedBy(3, a)
	require.ErrorIs(t, f.CheckProposal(f.ctx, a.addr(), nil), types.ErrNoKey)
	require.True(t, f.run(3, b).Proven)
}

// TestStandingIsWhatACountWouldSay compares the kept standing with a model of the set, through random joins, leaves and registrations.
func TestStandingIsWhatACountWouldSay(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var vals []*validator
		for i := range 5 {
			vals = append(vals, newValidator(t, byte(i+1)))
		}
		f := started(t, genesis(10), map[*validator]int64{vals[0]: 3}, vals...)
		q := keeper.NewQueryServer(f.Keeper)
		type change struct {
			v     *validator
			power int64
		}
		set := map[*validator]int64{vals[0]: 3}
		pending := map[int64][]change{}
		acting := map[*validator]int64{}
		for h := int64(1); h <= delay+20; h++ {
			f.at(h, 1)
			var updates []abci.ValidatorUpdate
			for _, v := range vals[1:] {
				switch rapid.IntRange(0, 30).Draw(rt, "what") {
				case 0:
					power := rapid.Int64Range(0, 5).Draw(rt, "power")
					updates = append(updates, v.update(t, power))
					pending[h+2] = append(pending[h+2], change{v, power})
				case 1:
					if acting[v] == 0 {
						key := vrfkey.Register(v.secret, v.operator)
						from, err := f.RegisterKey(f.ctx, v.name, key.PubKey, key.Proof)
						require.NoError(rt, err)
						acting[v] = from
					}
				}
			}
			require.NoError(rt, f.EndBlock(f.ctx, updates))
			for _, c := range pending[h+1] {
				set[c.v] = c.power
			}
			var total, keyed int64
			for v, power := range set {
				total += power
				if acting[v] > 0 && acting[v] <= h+1 {
					keyed += power
				}
			}
			res, err := q.Status(f.ctx, nil)
			require.NoError(rt, err)
			require.Equal(rt, total, res.Standing.TotalPower, "height %d", h)
			require.Equal(rt, keyed, res.Standing.KeyedPower, "height %d", h)
			require.Equal(rt, 3*keyed > 2*total, res.Required)
		}
	})
}

func TestKeyQueries(t *testing.T) {
	a, b := newValidator(t, 1), newValidator(t, 2)
	f := started(t, genesis(10, a.genesisKey(0), b.genesisKey(9)), map[*validator]int64{a: 3, b: 1}, a, b)
	q := keeper.NewQueryServer(f.Keeper)
	f.run(1, a)
	res, err := q.Randomness(f.ctx, &types.QueryRandomnessRequest{})
	require.NoError(t, err)
	require.Equal(t, types.SourceVRF, res.Source)
	key, err := q.Key(f.ctx, &types.QueryKeyRequest{Operator: a.name})
	require.NoError(t, err)
	require.Equal(t, a.secret.Public(), key.Acting)
	key, err = q.Key(f.ctx, &types.QueryKeyRequest{Operator: b.name})
	require.NoError(t, err)
	require.Nil(t, key.Acting)
	require.Equal(t, b.secret.Public(), key.Keys.Next.PubKey)
	_, err = q.Key(f.ctx, &types.QueryKeyRequest{Operator: newValidator(t, 3).name})
	require.Equal(t, codes.NotFound, status.Code(err))
	_, err = q.Key(f.ctx, &types.QueryKeyRequest{Operator: "x"})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	all, err := q.Keys(f.ctx, &types.QueryKeysRequest{})
	require.NoError(t, err)
	require.Len(t, all.Keys, 2)
	st, err := q.Status(f.ctx, &types.QueryStatusRequest{})
	require.NoError(t, err)
	require.Equal(t, &types.QueryStatusResponse{
		Scheme: vrf.Suite, Standing: types.Standing{Height: 1, TotalPower: 4, KeyedPower: 3}, Required: true, SafeDelay: 1,
	}, st)
}

// BenchmarkBlock is what the beacon costs a validator in a block: judging the proposal, storing its value, and moving the set on. Where the
// set changed its power is counted again.
func BenchmarkBlock(b *testing.B) {
	for _, c := range []struct {
		name       string
		validators int
		changes    bool
	}{{"1", 1, false}, {"100", 100, false}, {"100, set changes", 100, true}} {
		b.Run(c.name, func(b *testing.B) { benchmarkBlock(b, c.validators, c.changes) })
	}
}

func benchmarkBlock(b *testing.B, validators int, changes bool) {
	b.Helper()
	var vals []*validator
	powers := map[*validator]int64{}
	gs := genesis(100)
	for i := range validators {
		v := newValidator(b, byte(i+1))
		vals, powers[v] = append(vals, v), 10
		types.AddKeys(&gs, v.genesisKey(0))
	}
	f := started(b, gs, powers, vals...)
	h := int64(0)
	for b.Loop() {
		h++
		b.StopTimer()
		v := vals[h%int64(validators)]
		f.proposedBy(h, v)
		proof := f.proof(v)
		var updates []abci.ValidatorUpdate
		if changes {
			updates = append(updates, v.update(b, 10+h%2))
		}
		b.StartTimer()
		require.NoError(b, f.CheckProposal(f.ctx, v.addr(), proof))
		require.NoError(b, f.PreBlock(f.ctx, proof))
		require.NoError(b, f.EndBlock(f.ctx, updates))
	}
}
