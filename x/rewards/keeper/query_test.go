package keeper_test

import (
	"testing"

	"github.com/cosmos/cosmos-sdk/types/query"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/x/rewards/types"
)

// claimable reads all pages and returns the epochs listed.
func (f *fix) claimable(i int, page query.PageRequest) (epochs []uint64, pages int) {
	for {
		resp, err := f.q.Claimable(f.ctx, &types.QueryClaimableRequest{Participant: who(i), Pagination: &page})
		require.NoError(f.t, err)
		sum := resp.Total.Sub(resp.Total)
		for _, c := range resp.Claimable {
			epochs = append(epochs, c.Epoch)
			sum = sum.Add(c.Amount)
		}
		require.Equal(f.t, sum, resp.Total)
		pages++
		if page.Key = resp.Pagination.NextKey; page.Key == nil {
			return epochs, pages
		}
	}
}

func TestClaimablePages(t *testing.T) {
	f := fixture(t)
	for e := uint64(1); e <= 12; e++ {
		if e%3 == 0 {
			f.close(e, int64(e), int64(e), 0, 1)
		} else {
			f.close(e, int64(e), int64(e), 1, 1)
		}
	}
	f.mustClaim(0, 2, 5)
	want := []uint64{1, 4, 7, 8, 10, 11}
	epochs, pages := f.claimable(0, query.PageRequest{})
	require.Equal(t, want, epochs)
	require.Equal(t, 1, pages)
	epochs, pages = f.claimable(0, query.PageRequest{Limit: 2})
	require.Equal(t, want, epochs)
	require.Equal(t, 4, pages, "the last page finds that epoch 12 is not for this participant")
	epochs, _ = f.claimable(0, query.PageRequest{Limit: 4, Reverse: true})
	require.Equal(t, []uint64{11, 10, 8, 7, 4, 1}, epochs)

	// After a lie nothing closed so far is claimable.
	require.NoError(t, f.k.Hooks().AfterLieProven(f.ctx, who(0)))
	epochs, _ = f.claimable(0, query.PageRequest{})
	require.Empty(t, epochs)
	v, err := f.q.Vesting(f.ctx, &types.QueryVestingRequest{Participant: who(0)})
	require.NoError(t, err)
	require.True(t, v.Lied)
	require.Equal(t, uint64(12), v.ForfeitedEpoch)
}

// One page looks at a bounded number of epochs, even when it finds nothing.
func TestClaimableScanIsBounded(t *testing.T) {
	f := fixture(t)
	const epochs = types.MaxClaimableScan + 50
	for e := uint64(1); e <= epochs; e++ {
		f.close(e, int64(e), int64(e), 0, 1)
	}
	f.close(epochs+1, 1, 1, 1)
	f.poai.reads = 0
	resp, err := f.q.Claimable(f.ctx, &types.QueryClaimableRequest{Participant: who(0)})
	require.NoError(t, err)
	require.Empty(t, resp.Claimable)
	require.Equal(t, types.MaxClaimableScan, f.poai.reads)
	found, pages := f.claimable(0, query.PageRequest{})
	require.Equal(t, []uint64{epochs + 1}, found)
	require.Equal(t, 2, pages)
}

func TestClaimableRefusesBadPages(t *testing.T) {
	f := fixture(t)
	for name, page := range map[string]query.PageRequest{
		"offset":      {Offset: 1},
		"count_total": {CountTotal: true},
		"limit":       {Limit: types.MaxClaimableScan + 1},
		"key":         {Key: []byte{1}},
	} {
		_, err := f.q.Claimable(f.ctx, &types.QueryClaimableRequest{Participant: who(0), Pagination: &page})
		require.ErrorIs(t, err, types.ErrInvalidRequest, name)
		require.ErrorContains(t, err, name)
	}
	_, err := f.q.Claimable(f.ctx, &types.QueryClaimableRequest{Participant: "x"})
	require.ErrorIs(t, err, types.ErrInvalidAddress)
}

func TestPlainQueries(t *testing.T) {
	f := fixture(t).at(99)
	f.close(1, 1, 10, 1)
	f.close(2, 11, 20, 1)
	supply, err := f.q.Supply(f.ctx, &types.QuerySupplyRequest{})
	require.NoError(t, err)
	require.Equal(t, int64(20_000), supply.Supply.Minted.Int64())
	require.Equal(t, "500upoai", supply.BlockEmission.String(), "of the next block, which is past the halving")
	pools, err := f.q.Pools(f.ctx, &types.QueryPoolsRequest{Pagination: &query.PageRequest{Limit: 1, Reverse: true}})
	require.NoError(t, err)
	require.Len(t, pools.Pools, 1)
	require.Equal(t, uint64(2), pools.Pools[0].Epoch)
	pool, err := f.q.Pool(f.ctx, &types.QueryPoolRequest{Epoch: 1})
	require.NoError(t, err)
	require.Equal(t, int64(9000), pool.Pool.Pool.Int64())
	_, err = f.q.Pool(f.ctx, &types.QueryPoolRequest{Epoch: 3})
	require.Equal(t, codes.NotFound, status.Code(err))
	p, err := f.q.Params(f.ctx, &types.QueryParamsRequest{})
	require.NoError(t, err)
	require.Equal(t, params(), p.Params)
}
