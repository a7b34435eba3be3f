package chain

import (
	"context"
	"fmt"

	cmtcrypto "github.com/cometbft/cometbft/proto/tendermint/crypto"
	rpcclient "github.com/cometbft/cometbft/rpc/client"
	cmttypes "github.com/cometbft/cometbft/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// validatorsPage is the most validators that a node tells at a time.
const validatorsPage = 100

// Prove reads a key of a store as of a height, with its proof; without value where there is none.
func (c *Client) Prove(ctx context.Context, store string, key []byte, height int64) (value []byte, proof *cmtcrypto.ProofOps, err error) {
	err = c.call(ctx, func(ctx context.Context, n *node) error {
		res, err := n.rpc.ABCIQueryWithOptions(ctx, "/store/"+store+"/key", key, rpcclient.ABCIQueryOptions{Height: height, Prove: true})
		if err != nil {
			return err
		}
		r := res.Response
		if !r.IsOK() {
			return status.Errorf(codes.FailedPrecondition, "store %s at height %d: %s", store, height, r.Log)
		}
		if r.Height != height {
			return status.Errorf(codes.FailedPrecondition, "store %s: asked for height %d, got %d", store, height, r.Height)
		}
		value, proof = r.Value, r.ProofOps
		return nil
	})
	return value, proof, err
}

// SignedHeader returns the header of a height with the signatures for it.
func (c *Client) SignedHeader(ctx context.Context, height int64) (header *cmttypes.SignedHeader, err error) {
	err = c.call(ctx, func(ctx context.Context, n *node) error {
		res, err := n.rpc.Commit(ctx, &height)
		if err != nil {
			return err
		}
		if res.Header == nil || res.Commit == nil {
			return status.Errorf(codes.NotFound, "the node has no block %d", height)
		}
		header = &res.SignedHeader
		return nil
	})
	return header, err
}

// Validators returns the validators of a height in the order of their set.
func (c *Client) Validators(ctx context.Context, height int64) (out []*cmttypes.Validator, err error) {
	err = c.call(ctx, func(ctx context.Context, n *node) error {
		out = nil
		for page := 1; ; page++ {
			size := validatorsPage
			res, err := n.rpc.Validators(ctx, &height, &page, &size)
			if err != nil {
				return err
			}
			out = append(out, res.Validators...)
			if len(out) >= res.Total || len(res.Validators) == 0 {
				return nil
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("validators of height %d: %w", height, err)
	}
	return out, nil
}
