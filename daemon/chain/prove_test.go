package chain_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/crypto/ed25519"
	cmtbytes "github.com/cometbft/cometbft/libs/bytes"
	cmtlog "github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/p2p"
	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	rpcserver "github.com/cometbft/cometbft/rpc/jsonrpc/server"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"

	"poaid/daemon/chain"
	"poaid/daemon/chain/chaintest"
)

// archive is a node's RPC interface, as far as proofs go: it keeps height 7 of one store and the validators of that height.
type archive struct {
	validators []*cmttypes.Validator
	pages      int
	lies       bool // answers for another height than it was asked for
}

func (a *archive) routes() map[string]*rpcserver.RPCFunc {
	return map[string]*rpcserver.RPCFunc{
		"status": rpcserver.NewRPCFunc(func(*rpctypes.Context) (*ctypes.ResultStatus, error) {
			return &ctypes.ResultStatus{NodeInfo: p2p.DefaultNodeInfo{Network: "archive-1"}}, nil
		}, ""),
		"abci_query": rpcserver.NewRPCFunc(a.query, "path,data,height,prove"),
		"commit":     rpcserver.NewRPCFunc(a.commit, "height"),
		"validators": rpcserver.NewRPCFunc(a.page, "height,page,per_page"),
	}
}

func (a *archive) query(_ *rpctypes.Context, path string, data cmtbytes.HexBytes, height int64, prove bool) (*ctypes.ResultABCIQuery, error) {
	res := abci.ResponseQuery{Height: height}
	switch {
	case path != "/store/tasks/key" || !prove:
		return nil, errors.New("unexpected query of " + path)
	case height != 7:
		res.Code, res.Log = 18, "version does not exist"
	case string(data) == "key":
		res.Value, res.ProofOps = []byte("value"), &cmtcrypto.ProofOps{Ops: []cmtcrypto.ProofOp{{Type: "ics23:iavl", Key: data}}}
	default:
		res.ProofOps = &cmtcrypto.ProofOps{Ops: []cmtcrypto.ProofOp{{Type: "ics23:iavl", Key: data}}}
	}
	if a.lies {
		res.Height++
	}
	return &ctypes.ResultABCIQuery{Response: res}, nil
}

func (a *archive) commit(_ *rpctypes.Context, height *int64) (*ctypes.ResultCommit, error) {
	if *height != 7 {
		return &ctypes.ResultCommit{}, nil // what a node says that has pruned the block
	}
	return &ctypes.ResultCommit{SignedHeader: cmttypes.SignedHeader{Header: &cmttypes.Header{ChainID: "archive-1", Height: 7}, Commit: &cmttypes.Commit{Height: 7}}}, nil
}

func (a *archive) page(_ *rpctypes.Context, height *int64, page, size *int) (*ctypes.ResultValidators, error) {
	if *height != 7 {
		return nil, fmt.Errorf("could not find validator set for height #%d", *height)
	}
	if *size != 100 {
		return nil, fmt.Errorf("page of %d", *size)
	}
	a.pages++
	from := (*page - 1) * *size
	part := a.validators[from:min(from+*size, len(a.validators))]
	return &ctypes.ResultValidators{BlockHeight: 7, Validators: part, Count: len(part), Total: len(a.validators)}, nil
}

// dialArchive puts a node that is down in front of the archive, so that every call has to find the second one.
func dialArchive(t *testing.T, a *archive) *chain.Client {
	t.Helper()
	mux := http.NewServeMux()
	rpcserver.RegisterRPCFuncs(mux, a.routes(), cmtlog.NewNopLogger())
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	down := httptest.NewServer(mux)
	down.Close()
	enc, err := chaintest.Encoding()
	require.NoError(t, err)
	c, err := chain.Dial(t.Context(), chain.Config{Nodes: []string{down.URL, srv.URL}, Encoding: enc})
	require.NoError(t, err)
	require.Equal(t, "archive-1", c.ChainID())
	return c
}

// TestProve: a value comes with its proof, a missing one with a proof that it is missing; a height that the node does not have, or answers wrongly for, is an error.
func TestProve(t *testing.T) {
	a := &archive{}
	c := dialArchive(t, a)
	value, proof, err := c.Prove(t.Context(), "tasks", []byte("key"), 7)
	require.NoError(t, err)
	require.Equal(t, "value", string(value))
	require.Equal(t, "ics23:iavl", proof.Ops[0].Type)
	require.Equal(t, "key", string(proof.Ops[0].Key))

	value, proof, err = c.Prove(t.Context(), "tasks", []byte("none"), 7)
	require.NoError(t, err)
	require.Empty(t, value)
	require.Len(t, proof.Ops, 1)

	_, _, err = c.Prove(t.Context(), "tasks", []byte("key"), 8)
	require.ErrorContains(t, err, "version does not exist")
	a.lies = true
	_, _, err = c.Prove(t.Context(), "tasks", []byte("key"), 7)
	require.ErrorContains(t, err, "asked for height 7, got 8")
}

// TestSignedHeader: a header comes with the commit for it; a block that the node does not have is an error.
func TestSignedHeader(t *testing.T) {
	c := dialArchive(t, &archive{})
	h, err := c.SignedHeader(t.Context(), 7)
	require.NoError(t, err)
	require.EqualValues(t, 7, h.Height)
	require.EqualValues(t, 7, h.Commit.Height)
	_, err = c.SignedHeader(t.Context(), 8)
	require.ErrorContains(t, err, "no block 8")
}

// TestValidators: all of them, in their order, page by page.
func TestValidators(t *testing.T) {
	for _, n := range []int{1, 100, 101, 250} {
		a := &archive{}
		for i := range n {
			a.validators = append(a.validators, cmttypes.NewValidator(ed25519.GenPrivKeyFromSecret(fmt.Appendf(nil, "v%d", i)).PubKey(), int64(i+1)))
		}
		got, err := dialArchive(t, a).Validators(t.Context(), 7)
		require.NoError(t, err)
		require.Len(t, got, n)
		for i, v := range got {
			require.Equal(t, a.validators[i].Address, v.Address)
			require.Equal(t, a.validators[i].VotingPower, v.VotingPower)
		}
		require.Equal(t, (n+99)/100, a.pages)
	}
	_, err := dialArchive(t, &archive{}).Validators(t.Context(), 8)
	require.ErrorContains(t, err, "validators of height 8")
	require.ErrorContains(t, err, "could not find")
}
