package localnet

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/grpc/cmtservice"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	sdk "github.com/cosmos/cosmos-sdk/types"
	txtypes "github.com/cosmos/cosmos-sdk/types/tx"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Gas of a transaction: simulated, times gasMargin percent, paid at gasPrice (upoai per 1,000 gas).
const (
	gasMargin = 140
	gasPrice  = 3
)

// Client signs with the users' keys of a network and waits until what it sent is in a block.
type Client struct {
	Conn *grpc.ClientConn

	layout   *Layout
	txConfig client.TxConfig
	registry codectypes.InterfaceRegistry
	kr       keyring.Keyring

	mu   sync.Mutex
	keys map[string]*sync.Mutex // one transaction of a key at a time, so that sequences never collide
}

// Dial connects to the first node of the network; it does not wait for the node to be up.
func Dial(l *Layout, enc Encoding) (*Client, error) {
	kr, err := keyring.New(sdk.KeyringServiceName(), keyring.BackendTest, l.Client, nil, enc.Codec)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	registry := enc.Codec.InterfaceRegistry()
	conn, err := grpc.NewClient(l.Nodes[0].GRPC, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(codec.NewProtoCodec(registry).GRPCCodec()), grpc.MaxCallRecvMsgSize(64<<20)))
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", l.Nodes[0].GRPC, err)
	}
	return &Client{Conn: conn, layout: l, txConfig: enc.TxConfig, registry: registry, kr: kr, keys: map[string]*sync.Mutex{}}, nil
}

func (c *Client) keyLock(key string) *sync.Mutex {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.keys[key] == nil {
		c.keys[key] = new(sync.Mutex)
	}
	return c.keys[key]
}

// Height returns the latest height.
func (c *Client) Height(ctx context.Context) (int64, error) {
	res, err := cmtservice.NewServiceClient(c.Conn).GetLatestBlock(ctx, &cmtservice.GetLatestBlockRequest{})
	if err != nil {
		return 0, err
	}
	return res.SdkBlock.Header.Height, nil
}

// WaitHeight waits until the chain has reached height h.
func (c *Client) WaitHeight(ctx context.Context, h int64) error {
	for {
		got, err := c.Height(ctx)
		if err == nil && got >= h {
			return nil
		}
		if werr := sleep(ctx, 100*time.Millisecond); werr != nil {
			return errors.Join(fmt.Errorf("wait for height %d: %w", h, werr), err)
		}
	}
}

// Send signs msgs with the named key, broadcasts them as one transaction and waits for its result. A transaction that
// failed on chain is an error that carries its log. Transactions of different keys may be under way at the same time.
func (c *Client) Send(ctx context.Context, key string, msgs ...sdk.Msg) (*sdk.TxResponse, error) {
	lock := c.keyLock(key)
	lock.Lock()
	defer lock.Unlock()
	bz, err := c.sign(ctx, key, msgs)
	if err != nil {
		return nil, err
	}
	svc := txtypes.NewServiceClient(c.Conn)
	res, err := svc.BroadcastTx(ctx, &txtypes.BroadcastTxRequest{TxBytes: bz, Mode: txtypes.BroadcastMode_BROADCAST_MODE_SYNC})
	if err != nil {
		return nil, fmt.Errorf("broadcast: %w", err)
	}
	if res.TxResponse.Code != 0 {
		return nil, fmt.Errorf("transaction of %s refused: %s", key, res.TxResponse.RawLog)
	}
	for {
		got, err := svc.GetTx(ctx, &txtypes.GetTxRequest{Hash: res.TxResponse.TxHash})
		switch {
		case err == nil && got.TxResponse.Code != 0:
			return nil, fmt.Errorf("transaction of %s failed: %s", key, got.TxResponse.RawLog)
		case err == nil:
			return got.TxResponse, nil
		case status.Code(err) != codes.NotFound && ctx.Err() == nil:
			return nil, fmt.Errorf("look up transaction: %w", err)
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return nil, fmt.Errorf("wait for transaction of %s: %w", key, err)
		}
	}
}

// Responses decodes the message responses of a transaction into out, one each, in order.
func Responses(res *sdk.TxResponse, out ...interface{ Unmarshal([]byte) error }) error {
	data, err := decodeHex(res.Data)
	if err != nil {
		return err
	}
	var msgData sdk.TxMsgData
	if err := msgData.Unmarshal(data); err != nil {
		return fmt.Errorf("transaction data: %w", err)
	}
	if len(msgData.MsgResponses) != len(out) {
		return fmt.Errorf("transaction has %d responses, want %d", len(msgData.MsgResponses), len(out))
	}
	for i, r := range msgData.MsgResponses {
		if err := out[i].Unmarshal(r.Value); err != nil {
			return fmt.Errorf("response %d: %w", i, err)
		}
	}
	return nil
}

func (c *Client) sign(ctx context.Context, key string, msgs []sdk.Msg) ([]byte, error) {
	rec, err := c.kr.Key(key)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", key, err)
	}
	addr, err := rec.GetAddress()
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", key, err)
	}
	number, sequence, err := c.account(ctx, addr.String())
	if err != nil {
		return nil, fmt.Errorf("account of %s: %w", key, err)
	}
	f := tx.Factory{}.WithChainID(c.layout.Config.ChainID).WithKeybase(c.kr).WithTxConfig(c.txConfig).
		WithSignMode(signing.SignMode_SIGN_MODE_DIRECT).WithAccountNumber(number).WithSequence(sequence).WithFromName(key).
		WithSimulateAndExecute(true)
	sim, err := f.BuildSimTx(msgs...)
	if err != nil {
		return nil, fmt.Errorf("build transaction of %s: %w", key, err)
	}
	est, err := txtypes.NewServiceClient(c.Conn).Simulate(ctx, &txtypes.SimulateRequest{TxBytes: sim})
	if err != nil {
		return nil, fmt.Errorf("transaction of %s: %w", key, err)
	}
	gas := est.GasInfo.GasUsed * gasMargin / 100
	f = f.WithGas(gas).WithFees(sdk.NewInt64Coin(Denom, int64(gas*gasPrice/1000)+1).String())
	txb, err := f.BuildUnsignedTx(msgs...)
	if err != nil {
		return nil, fmt.Errorf("build transaction of %s: %w", key, err)
	}
	if err := tx.Sign(ctx, f, key, txb, true); err != nil {
		return nil, fmt.Errorf("sign for %s: %w", key, err)
	}
	return c.txConfig.TxEncoder()(txb.GetTx())
}

func (c *Client) account(ctx context.Context, addr string) (number, sequence uint64, err error) {
	res, err := authtypes.NewQueryClient(c.Conn).Account(ctx, &authtypes.QueryAccountRequest{Address: addr})
	if err != nil {
		return 0, 0, err
	}
	var acc sdk.AccountI
	if err := c.registry.UnpackAny(res.Account, &acc); err != nil {
		return 0, 0, err
	}
	return acc.GetAccountNumber(), acc.GetSequence(), nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func decodeHex(s string) ([]byte, error) {
	bz, err := hex.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("transaction data: %w", err)
	}
	return bz, nil
}
