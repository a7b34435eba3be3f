package receipt_test

import (
	"context"
	"testing"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"

	"poaid/receipt"
	"poaid/testutil"
	taskstypes "poaid/x/tasks/types"
)

// chainSource reads from a chain of the real application; its headers are signed by keys of the test.
type chainSource struct {
	*testutil.Chain
	vals signers
}

func (c chainSource) Height(context.Context) (int64, error) { return c.Chain.Height() + 1, nil }

func (c chainSource) Prove(ctx context.Context, store string, key []byte, height int64) ([]byte, *cmtcrypto.ProofOps, error) {
	res, err := c.App.Query(ctx, &abci.RequestQuery{Path: "/store/" + store + "/key", Data: key, Height: height, Prove: true})
	if err != nil {
		return nil, nil, err
	}
	return res.Value, res.ProofOps, nil
}

func (c chainSource) SignedHeader(_ context.Context, height int64) (*cmttypes.SignedHeader, error) {
	return c.vals.sign(c.ChainID, height, c.App.LastCommitID().Hash), nil
}

func (c chainSource) Validators(context.Context, int64) ([]*cmttypes.Validator, error) {
	return c.vals.set().Validators, nil
}

// TestReceiptsOfTheApplication runs a task on the whole application, from submission to FINAL, and proves its output to somebody who has nothing but the
// validators; pruning the task takes nothing from its receipt.
func TestReceiptsOfTheApplication(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{Accounts: 7})
	c.RegisterEcho(c.Accounts[1])
	crew := c.NewCrew(c.Accounts[2:6]...)
	alice := c.Accounts[6]
	crew.Work(c.Tx(alice, testutil.SubmitEcho(alice, 12345)))
	id := testutil.TaskIDs(c, alice)[0]
	src := chainSource{c, newSigners(3, 4, 5)}
	_, err := receipt.Export(t.Context(), src, id)
	require.ErrorIs(t, err, receipt.ErrNotFound)
	st := crew.WorkUntil(id, taskstypes.STATE_FINAL, 60)
	f, err := receipt.ReadValidators(t.Context(), src, 0)
	require.NoError(t, err)
	trust, err := f.Trust(time.Hour)
	require.NoError(t, err)
	check := func() {
		b, err := receipt.Export(t.Context(), src, id)
		require.NoError(t, err)
		s, err := receipt.Verify(b, trust, testutil.EchoInput(12345).Data)
		require.NoError(t, err)
		require.Equal(t, &receipt.Match{Output: "y", How: receipt.AsBytes}, s.Match)
		require.Equal(t, st.Worker, s.Receipt.Worker)
		require.Equal(t, st.ResultRoot, s.Receipt.ResultRoot)
		require.Equal(t, testutil.EchoModel, s.Model.Id)
		_, err = receipt.Verify(b, trust, testutil.EchoInput(12346).Data)
		require.ErrorIs(t, err, receipt.ErrContent)
	}
	check()
	for range 200 {
		if c.Block(); pruned(t, c, id) {
			break
		}
	}
	require.True(t, pruned(t, c, id))
	check()
}

func pruned(t *testing.T, c *testutil.Chain, id uint64) bool {
	t.Helper()
	_, st, err := c.App.Tasks.GetTask(c.Ctx(), id)
	require.NoError(t, err)
	return st.Pruned
}
