package chain

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	cmttypes "github.com/cometbft/cometbft/types"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	grpctypes "github.com/cosmos/cosmos-sdk/types/grpc"
	"github.com/cosmos/cosmos-sdk/types/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	gogogrpc "github.com/cosmos/gogoproto/grpc"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Encoding is how the chain writes its types.
type Encoding struct {
	Registry codectypes.InterfaceRegistry
	Codec    codec.Codec
	TxConfig client.TxConfig
}

// Config says which nodes to ask.
type Config struct {
	// Nodes are CometBFT RPC addresses, such as tcp://127.0.0.1:26657. The first is used until it fails, then the next.
	Nodes []string
	// GRPC, if set, has one gRPC address a node for queries; without it queries go through the RPC address.
	GRPC []string
	// Timeout bounds one call. 0: 15 s.
	Timeout time.Duration
	// PollInterval is how often the height is polled besides the subscription. 0: 1 s.
	PollInterval time.Duration
	Encoding     Encoding
}

// Client talks to the first node that answers. It implements Reader, Node and gogoproto's ClientConn, and is safe for concurrent use.
type Client struct {
	cfg     Config
	chainID string
	nodes   []*node

	mu      sync.Mutex
	current int
}

type node struct {
	addr string
	rpc  *rpchttp.HTTP
	conn gogogrpc.ClientConn
	grpc *grpc.ClientConn // nil when queries go through rpc
}

var (
	_ Reader = (*Client)(nil)
	_ Node   = (*Client)(nil)
)

// Dial prepares the connections and learns the chain id from the first node that answers; all nodes must be on one chain.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	if len(cfg.Nodes) == 0 {
		return nil, errors.New("nodes: none given")
	}
	if len(cfg.GRPC) > 0 && len(cfg.GRPC) != len(cfg.Nodes) {
		return nil, fmt.Errorf("grpc addresses: %d given for %d nodes", len(cfg.GRPC), len(cfg.Nodes))
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.PollInterval <= 0 {
		cfg.PollInterval = time.Second
	}
	c := &Client{cfg: cfg}
	for i, addr := range cfg.Nodes {
		n, err := newNode(cfg, i, addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("node %s: %w", addr, err), c.Close())
		}
		c.nodes = append(c.nodes, n)
	}
	err := c.call(ctx, func(ctx context.Context, n *node) error {
		st, err := n.rpc.Status(ctx)
		if err != nil {
			return err
		}
		c.chainID = st.NodeInfo.Network
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("no node answers: %w", err), c.Close())
	}
	return c, nil
}

func newNode(cfg Config, i int, addr string) (*node, error) {
	rpc, err := rpchttp.NewWithTimeout(addr, "/websocket", uint(max(1, cfg.Timeout/time.Second)))
	if err != nil {
		return nil, err
	}
	n := &node{addr: addr, rpc: rpc}
	if len(cfg.GRPC) > 0 {
		n.grpc, err = grpc.NewClient(strings.TrimPrefix(cfg.GRPC[i], "tcp://"), grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodec(codec.NewProtoCodec(cfg.Encoding.Registry).GRPCCodec()), grpc.MaxCallRecvMsgSize(64<<20)))
		if err != nil {
			return nil, err
		}
		n.conn = n.grpc
		return n, nil
	}
	n.conn = rpcConn{client.Context{}.WithClient(rpc).WithCodec(cfg.Encoding.Codec).WithInterfaceRegistry(cfg.Encoding.Registry)}
	return n, nil
}

// rpcConn sends gRPC queries as ABCI queries, so that a daemon needs only one port of its node.
type rpcConn struct{ ctx client.Context }

func (r rpcConn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	return r.ctx.WithCmdContext(ctx).Invoke(ctx, method, args, reply, opts...)
}

func (r rpcConn) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("streams are not supported")
}

// Close closes the connections.
func (c *Client) Close() error {
	var errs []error
	for _, n := range c.nodes {
		if n.grpc != nil {
			errs = append(errs, n.grpc.Close())
		}
	}
	return errors.Join(errs...)
}

// ChainID returns the id of the chain.
func (c *Client) ChainID() string { return c.chainID }

// Encoding returns the encoding it was dialled with.
func (c *Client) Encoding() Encoding { return c.cfg.Encoding }

// call runs fn on the current node and, if that cannot be reached, on the others once each. Where none can it says what each of them said.
func (c *Client) call(ctx context.Context, fn func(context.Context, *node) error) error {
	var last error
	for range c.nodes {
		c.mu.Lock()
		at := c.current
		c.mu.Unlock()
		attempt, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
		err := fn(attempt, c.nodes[at])
		cancel()
		if err == nil || ctx.Err() != nil || !unreachable(err) {
			return err
		}
		last = errors.Join(last, fmt.Errorf("node %s: %w", c.nodes[at].addr, err))
		c.mu.Lock()
		if c.current == at {
			c.current = (at + 1) % len(c.nodes)
		}
		c.mu.Unlock()
	}
	return last
}

// unreachable tells a node that cannot answer from one that answers with an error.
func unreachable(err error) bool {
	st, ok := status.FromError(err)
	if !ok {
		return true
	}
	return st.Code() == codes.Unavailable || st.Code() == codes.DeadlineExceeded || st.Code() == codes.Unknown && isTransport(st.Message())
}

// isTransport looks for what net/http says, since the SDK flattens errors of the RPC client into text.
func isTransport(msg string) bool {
	for _, s := range []string{"connection refused", "EOF", "connection reset", "deadline exceeded", "no such host", "post failed"} {
		if strings.Contains(msg, s) {
			return true
		}
	}
	return false
}

// Invoke implements gogoproto's ClientConn: with failover, and NotFound as ErrNotFound.
func (c *Client) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	err := c.call(ctx, func(ctx context.Context, n *node) error { return n.conn.Invoke(ctx, method, args, reply, opts...) })
	if st, ok := status.FromError(err); ok && st.Code() == codes.NotFound {
		return fmt.Errorf("%w: %s", ErrNotFound, st.Message())
	}
	return err
}

// NewStream implements gogoproto's ClientConn; streams are not supported.
func (c *Client) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("streams are not supported")
}

// Height returns the newest committed height.
func (c *Client) Height(ctx context.Context) (h int64, err error) {
	err = c.call(ctx, func(ctx context.Context, n *node) error {
		st, err := n.rpc.Status(ctx)
		if err == nil {
			h = st.SyncInfo.LatestBlockHeight
		}
		return err
	})
	return h, err
}

// Account implements Node.
func (c *Client) Account(ctx context.Context, address string) (Account, error) {
	var header metadata.MD
	res, err := authtypes.NewQueryClient(c).Account(ctx, &authtypes.QueryAccountRequest{Address: address}, grpc.Header(&header))
	if err != nil {
		return Account{}, fmt.Errorf("account %s: %w", address, err)
	}
	var acc sdk.AccountI
	if err := c.cfg.Encoding.Registry.UnpackAny(res.Account, &acc); err != nil {
		return Account{}, fmt.Errorf("account %s: %w", address, err)
	}
	out := Account{Number: acc.GetAccountNumber(), Sequence: acc.GetSequence()}
	if v := header.Get(grpctypes.GRPCBlockHeightHeader); len(v) == 1 {
		if out.Height, err = strconv.ParseInt(v[0], 10, 64); err != nil {
			return Account{}, fmt.Errorf("account %s: height: %w", address, err)
		}
	}
	return out, nil
}

// Simulate implements Node.
func (c *Client) Simulate(ctx context.Context, txBytes []byte) (uint64, error) {
	res, err := tx.NewServiceClient(c).Simulate(ctx, &tx.SimulateRequest{TxBytes: txBytes})
	if err != nil {
		return 0, err
	}
	return res.GasInfo.GasUsed, nil
}

// Broadcast implements Node.
func (c *Client) Broadcast(ctx context.Context, txBytes []byte) (out TxResult, err error) {
	err = c.call(ctx, func(ctx context.Context, n *node) error {
		res, err := n.rpc.BroadcastTxSync(ctx, txBytes)
		if refused := client.CheckCometError(err, cmttypes.Tx(txBytes)); refused != nil {
			out = TxResult{Code: refused.Code, Codespace: refused.Codespace, Log: err.Error()}
			return nil
		}
		if err != nil {
			return err
		}
		out = TxResult{Code: res.Code, Codespace: res.Codespace, Log: res.Log}
		return nil
	})
	return out, err
}

// Tx implements Node.
func (c *Client) Tx(ctx context.Context, hash []byte) (out TxResult, err error) {
	err = c.call(ctx, func(ctx context.Context, n *node) error {
		res, err := n.rpc.Tx(ctx, hash, false)
		switch {
		case err != nil && (strings.Contains(err.Error(), "not found") || strings.Contains(err.Error(), "indexing is disabled")):
			return status.Error(codes.NotFound, err.Error())
		case err != nil:
			return err
		}
		r := res.TxResult
		out = TxResult{Code: r.Code, Codespace: r.Codespace, Log: r.Log, Data: r.Data, Height: res.Height, GasUsed: r.GasUsed}
		return nil
	})
	if status.Code(err) == codes.NotFound {
		return out, fmt.Errorf("%w: transaction %X", ErrNotFound, hash)
	}
	return out, err
}
