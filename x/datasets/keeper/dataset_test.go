package keeper_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/stretchr/testify/require"

	"poaid/x/datasets/types"
)

func TestRegister(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	resp, err := f.q.Dataset(f.ctx, &types.QueryDatasetRequest{Id: "mnist"})
	require.NoError(t, err)
	m := mnist()
	require.Equal(t, types.Dataset{
		Id: "mnist", Owner: who(1), Description: m.Description, Cid: m.Cid, Licence: m.Licence, Tensors: 2, Encryption: m.Encryption, Terms: m.Terms, Height: 42,
	}, resp.Dataset)
	roots, err := f.q.Roots(f.ctx, &types.QueryRootsRequest{Id: "mnist"})
	require.NoError(t, err)
	require.Equal(t, m.Roots, roots.Roots)
	owner, err := f.q.RootOwner(f.ctx, &types.QueryRootOwnerRequest{Root: root(2)})
	require.NoError(t, err)
	require.Equal(t, "mnist", owner.Id)
	_, err = f.q.RootOwner(f.ctx, &types.QueryRootOwnerRequest{Root: root(3)})
	require.ErrorContains(t, err, "no dataset")
	_, err = f.q.Dataset(f.ctx, &types.QueryDatasetRequest{Id: "nothing"})
	require.ErrorContains(t, err, "not found")
}

func TestRegistrationsThatAreRefused(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	f.bank.blocked[acc(t, who(7)).String()] = true
	many := make([][]byte, 257)
	for i := range many {
		many[i] = []byte(fmt.Sprintf("%032d", i))
	}
	huge, ok := math.NewIntFromString("1" + strings.Repeat("0", 40))
	require.True(t, ok)
	for name, c := range map[string]struct {
		change func(m *types.MsgRegisterDataset)
		want   error
	}{
		"taken":            {func(m *types.MsgRegisterDataset) { m.Id = "mnist" }, types.ErrExists},
		"id":               {func(m *types.MsgRegisterDataset) { m.Id = "M" }, types.ErrInvalidDataset},
		"owner":            {func(m *types.MsgRegisterDataset) { m.Owner = "x" }, types.ErrInvalidAddress},
		"blocked":          {func(m *types.MsgRegisterDataset) { m.Owner = who(7) }, types.ErrInvalidAddress},
		"description":      {func(m *types.MsgRegisterDataset) { m.Description = strings.Repeat("x", 1025) }, types.ErrInvalidDataset},
		"control":          {func(m *types.MsgRegisterDataset) { m.Description = "\x07" }, types.ErrInvalidDataset},
		"cid":              {func(m *types.MsgRegisterDataset) { m.Cid = "Qm" }, types.ErrInvalidDataset},
		"no cid":           {func(m *types.MsgRegisterDataset) { m.Cid = "" }, types.ErrInvalidDataset},
		"no licence":       {func(m *types.MsgRegisterDataset) { m.Licence = "" }, types.ErrInvalidDataset},
		"licence":          {func(m *types.MsgRegisterDataset) { m.Licence = "MIT\nmore" }, types.ErrInvalidDataset},
		"licence's spaces": {func(m *types.MsgRegisterDataset) { m.Licence = " MIT" }, types.ErrInvalidDataset},
		"no roots":         {func(m *types.MsgRegisterDataset) { m.Roots = nil }, types.ErrRoot},
		"many roots":       {func(m *types.MsgRegisterDataset) { m.Roots = many }, types.ErrRoot},
		"short root":       {func(m *types.MsgRegisterDataset) { m.Roots = [][]byte{root(3)[:31]} }, types.ErrRoot},
		"root twice":       {func(m *types.MsgRegisterDataset) { m.Roots = [][]byte{root(3), root(3)} }, types.ErrRoot},
		"another's root":   {func(m *types.MsgRegisterDataset) { m.Roots = [][]byte{root(3), root(2)} }, types.ErrRootTaken},
		"no scheme":        {func(m *types.MsgRegisterDataset) { m.Encryption.Scheme = "" }, types.ErrInvalidDataset},
		"commitment":       {func(m *types.MsgRegisterDataset) { m.Encryption.KeyCommitment = root(1)[:5] }, types.ErrInvalidDataset},
		"endpoint":         {func(m *types.MsgRegisterDataset) { m.Encryption.KeyEndpoint = strings.Repeat("x", 257) }, types.ErrInvalidDataset},
		"share":            {func(m *types.MsgRegisterDataset) { m.Terms.ShareBps = 3001 }, types.ErrInvalidTerms},
		"price's denom":    {func(m *types.MsgRegisterDataset) { m.Terms.Price.Denom = "!" }, types.ErrInvalidTerms},
		"negative price":   {func(m *types.MsgRegisterDataset) { m.Terms.Price.Amount = math.NewInt(-1) }, types.ErrInvalidTerms},
		"huge price":       {func(m *types.MsgRegisterDataset) { m.Terms.Price.Amount = huge }, types.ErrInvalidTerms},
		"no time":          {func(m *types.MsgRegisterDataset) { m.Terms.GrantBlocks = 0 }, types.ErrInvalidTerms},
		"negative time":    {func(m *types.MsgRegisterDataset) { m.Terms.GrantBlocks = -1 }, types.ErrInvalidTerms},
		"long time":        {func(m *types.MsgRegisterDataset) { m.Terms.GrantBlocks = types.DefaultMaxGrantBlocks + 1 }, types.ErrInvalidTerms},
		"time, no price":   {func(m *types.MsgRegisterDataset) { m.Terms.Price = sdk.Coin{} }, types.ErrInvalidTerms},
	} {
		msg := mnist()
		msg.Id, msg.Roots = "fresh", [][]byte{root(3), root(4)}
		c.change(msg)
		require.ErrorIs(t, f.register(msg), c.want, name)
	}
	msg := mnist()
	msg.Id, msg.Roots, msg.Encryption, msg.Terms = "fresh", many[:256], nil, types.Terms{}
	require.NoError(t, f.register(msg), "everything that is optional left out")
}

// TestNewTermsAreChecked as those of a registration are, and stored in one form only.
func TestNewTermsAreChecked(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	for name, change := range map[string]func(t *types.Terms){
		"share_bps":    func(t *types.Terms) { t.ShareBps = 3001 },
		"grant_blocks": func(t *types.Terms) { t.GrantBlocks = types.DefaultMaxGrantBlocks + 1 },
		"price":        func(t *types.Terms) { t.Price.Amount = math.NewInt(-1) },
	} {
		terms := priced()
		change(&terms)
		err := f.terms(terms)
		require.ErrorIs(t, err, types.ErrInvalidTerms, name)
		require.ErrorContains(t, err, name)
	}
	terms := priced()
	terms.ShareBps, terms.GrantBlocks = 3000, types.DefaultMaxGrantBlocks
	require.NoError(t, f.terms(terms), "the limits themselves")
	require.NoError(t, f.terms(types.Terms{Price: sdk.NewInt64Coin(denom, 0)}))
	d, err := f.k.GetDataset(f.ctx, "mnist")
	require.NoError(t, err)
	require.Equal(t, types.Terms{}.Normal(), d.Terms, "no price is written in one way")
}

func TestOwnersOnly(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	for name, do := range map[string]func(ctx context.Context, owner, id string) error{
		"terms": func(ctx context.Context, owner, id string) error {
			_, err := f.msg.SetTerms(ctx, &types.MsgSetTerms{Owner: owner, Id: id, Terms: priced()})
			return err
		},
		"allow": func(ctx context.Context, owner, id string) error {
			_, err := f.msg.AllowProgram(ctx, &types.MsgAllowProgram{Owner: owner, Id: id, ProgramHash: root(5)})
			return err
		},
		"disallow": func(ctx context.Context, owner, id string) error {
			_, err := f.msg.DisallowProgram(ctx, &types.MsgDisallowProgram{Owner: owner, Id: id, ProgramHash: root(5)})
			return err
		},
		"retire": func(ctx context.Context, owner, id string) error {
			_, err := f.msg.RetireDataset(ctx, &types.MsgRetireDataset{Owner: owner, Id: id})
			return err
		},
	} {
		require.ErrorIs(t, do(f.ctx, who(2), "mnist"), types.ErrNotOwner, name)
		require.ErrorIs(t, do(f.ctx, who(1), "nothing"), types.ErrNotFound, name)
		require.ErrorIs(t, do(f.ctx, "", "mnist"), types.ErrInvalidAddress, name)
	}
}

func TestStrikeRoots(t *testing.T) {
	f := fixture(t)
	require.NoError(t, f.register(mnist()))
	strike := func(who string, roots ...[]byte) error {
		return f.try(func(ctx context.Context) error {
			_, err := f.msg.StrikeRoots(ctx, &types.MsgStrikeRoots{Authority: who, Id: "mnist", Roots: roots})
			return err
		})
	}
	require.Error(t, strike(who(1), root(1)), "governance only")
	require.ErrorIs(t, strike(authority), types.ErrRoot)
	require.ErrorIs(t, strike(authority, root(3)), types.ErrRoot)
	require.ErrorIs(t, strike(authority, root(1), root(1)), types.ErrRoot)
	require.NoError(t, strike(authority, root(1)))
	second := mnist()
	second.Id, second.Owner, second.Roots = "real", who(2), [][]byte{root(1)}
	require.NoError(t, f.register(second), "whom it belongs to has it now")
	d, err := f.k.GetDataset(f.ctx, "mnist")
	require.NoError(t, err)
	require.Equal(t, uint32(1), d.Tensors)
}

func TestParams(t *testing.T) {
	f := fixture(t)
	for _, change := range []func(p *types.Params){
		func(p *types.Params) { p.MaxRoots = 0 },
		func(p *types.Params) { p.MaxRoots = 4097 },
		func(p *types.Params) { p.MaxShareBps = 10_001 },
		func(p *types.Params) { p.CommunityBps = 10_001 },
		func(p *types.Params) { p.MaxGrantBlocks = 0 },
		func(p *types.Params) { p.MaxGrantBlocks = -5 },
		func(p *types.Params) { p.MaxGrantBlocks = 1<<40 + 1 },
	} {
		p := types.DefaultParams()
		change(&p)
		_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: authority, Params: p})
		require.ErrorIs(t, err, types.ErrInvalidParams)
	}
	_, err := f.msg.UpdateParams(f.ctx, &types.MsgUpdateParams{Authority: who(1), Params: types.DefaultParams()})
	require.Error(t, err)
}
