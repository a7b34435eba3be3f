// Package rpcnode puts CometBFT's RPC interface in front of a test chain, so that what asks nodes (clients, daemons, commands) runs against the
// whole application, block by block, without processes and without waiting.
package rpcnode

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtbytes "github.com/cometbft/cometbft/libs/bytes"
	cmtlog "github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/p2p"
	ctypes "github.com/cometbft/cometbft/rpc/core/types"
	rpcserver "github.com/cometbft/cometbft/rpc/jsonrpc/server"
	rpctypes "github.com/cometbft/cometbft/rpc/jsonrpc/types"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/cosmos-sdk/client"
	sdkerrors "github.com/cosmos/cosmos-sdk/types/errors"

	"poaid/testutil"
)

// Node serves a chain. All of it that touches the chain goes one at a time.
type Node struct {
	// Addr is the RPC address.
	Addr string

	mu      sync.Mutex
	chain   *testutil.Chain
	mempool [][]byte
	known   map[[32]byte]*ctypes.ResultTx // nil: in the mempool
	blocks  map[int64]*ctypes.ResultBlockResults
	polls   int
}

// TB is what New needs of testing.TB.
type TB interface {
	testutil.TB
	Cleanup(fn func())
}

// New serves a chain until the test ends. The chain must have been made with NoCheckTx: the node checks what it takes.
func New(tb TB, c *testutil.Chain) *Node {
	tb.Helper()
	n := &Node{chain: c, known: map[[32]byte]*ctypes.ResultTx{}, blocks: map[int64]*ctypes.ResultBlockResults{}}
	c.App.RegisterTxService(client.Context{}.WithCodec(c.App.Codec).WithInterfaceRegistry(c.App.Registry).WithTxConfig(c.App.TxConfig))
	mux := http.NewServeMux()
	rpcserver.RegisterRPCFuncs(mux, map[string]*rpcserver.RPCFunc{
		"status":            rpcserver.NewRPCFunc(n.status, ""),
		"abci_query":        rpcserver.NewRPCFunc(n.query, "path,data,height,prove"),
		"broadcast_tx_sync": rpcserver.NewRPCFunc(n.broadcast, "tx"),
		"tx":                rpcserver.NewRPCFunc(n.tx, "hash,prove"),
		"block_results":     rpcserver.NewRPCFunc(n.results, "height"),
	}, cmtlog.NewNopLogger())
	srv := httptest.NewServer(mux)
	tb.Cleanup(srv.Close)
	n.Addr = srv.URL
	return n
}

// Do runs f while nothing else touches the chain.
func (n *Node) Do(f func(c *testutil.Chain)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(n.chain)
}

// Asked tells how many transactions wait for a block, and how often the height was asked for so far: what a clock that waits for those who use the chain goes by.
func (n *Node) Asked() (pending, polls int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.mempool), n.polls
}

// Block makes a block of all that was broadcast and returns its height.
func (n *Node) Block() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	txs := n.mempool
	n.mempool = nil
	res := n.chain.Block(txs...)
	for i, r := range res.TxResults {
		hash := sha256.Sum256(txs[i])
		n.known[hash] = &ctypes.ResultTx{Hash: hash[:], Height: n.chain.Height(), Index: uint32(i), TxResult: *r, Tx: txs[i]}
	}
	h := n.chain.Height()
	n.blocks[h] = &ctypes.ResultBlockResults{Height: h, TxsResults: res.TxResults, FinalizeBlockEvents: res.Events}
	return h
}

func (n *Node) status(*rpctypes.Context) (*ctypes.ResultStatus, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.polls++
	return &ctypes.ResultStatus{
		NodeInfo: p2p.DefaultNodeInfo{Network: n.chain.ChainID},
		SyncInfo: ctypes.SyncInfo{LatestBlockHeight: n.chain.Height(), LatestBlockTime: n.chain.Time},
	}, nil
}

func (n *Node) query(ctx *rpctypes.Context, path string, data cmtbytes.HexBytes, height int64, prove bool) (*ctypes.ResultABCIQuery, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	res, err := n.chain.App.Query(ctx.Context(), &abci.RequestQuery{Path: path, Data: data, Height: height, Prove: prove})
	if err != nil {
		return nil, err
	}
	return &ctypes.ResultABCIQuery{Response: *res}, nil
}

func (n *Node) broadcast(_ *rpctypes.Context, tx cmttypes.Tx) (*ctypes.ResultBroadcastTx, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	hash := sha256.Sum256(tx)
	if _, known := n.known[hash]; known {
		return &ctypes.ResultBroadcastTx{Code: sdkerrors.ErrTxInMempoolCache.ABCICode(), Codespace: sdkerrors.RootCodespace, Hash: hash[:]}, nil
	}
	res, err := n.chain.App.CheckTx(&abci.RequestCheckTx{Tx: tx, Type: abci.CheckTxType_New})
	if err != nil {
		return nil, err
	}
	if res.Code == 0 {
		n.mempool = append(n.mempool, tx)
		n.known[hash] = nil
	}
	return &ctypes.ResultBroadcastTx{Code: res.Code, Log: res.Log, Codespace: res.Codespace, Hash: hash[:]}, nil
}

func (n *Node) tx(_ *rpctypes.Context, hash []byte, _ bool) (*ctypes.ResultTx, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(hash) != sha256.Size {
		return nil, errors.New("hash: want 32 bytes")
	}
	if res := n.known[[32]byte(hash)]; res != nil {
		return res, nil
	}
	return nil, fmt.Errorf("tx (%X) not found", hash)
}

// results are what a block did; of blocks that are older than the node nothing is known.
func (n *Node) results(_ *rpctypes.Context, height int64) (*ctypes.ResultBlockResults, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch res := n.blocks[height]; {
	case res != nil:
		return res, nil
	case height > n.chain.Height():
		return nil, fmt.Errorf("height %d must be less than or equal to the current blockchain height %d", height, n.chain.Height())
	}
	return &ctypes.ResultBlockResults{Height: height}, nil
}
