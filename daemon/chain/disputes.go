package chain

import (
	"context"
	"fmt"
	"strings"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/query"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
	"github.com/cosmos/gogoproto/proto"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/engine"
	disputestypes "poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// News is what happened in one block that a challenger may have to act on.
type News struct {
	// Revealed are tasks whose worker revealed a result.
	Revealed []uint64
	// Demanded are tasks whose bytes somebody asked for.
	Demanded []uint64
}

// News reads the events of a block. ErrNotFound: the node does not have them (yet, or any more).
func (c *Client) News(ctx context.Context, height int64) (out News, err error) {
	var events []abci.Event
	err = c.call(ctx, func(ctx context.Context, n *node) error {
		res, err := n.rpc.BlockResults(ctx, &height)
		if err != nil {
			if notThere(err.Error()) {
				return status.Error(codes.NotFound, err.Error())
			}
			return err
		}
		events = res.FinalizeBlockEvents
		for _, tx := range res.TxsResults {
			if tx.Code == 0 {
				events = append(events, tx.Events...)
			}
		}
		return nil
	})
	if status.Code(err) == codes.NotFound {
		return out, fmt.Errorf("%w: events of block %d: %s", ErrNotFound, height, err.Error())
	}
	if err != nil {
		return out, err
	}
	return newsOf(events)
}

// notThere recognises what a node says of a block that it has dropped, or has not made yet.
func notThere(msg string) bool {
	for _, s := range []string{"is not available", "must be less than or equal", "could not find results", "not persisting finalize block responses"} {
		if strings.Contains(msg, s) {
			return true
		}
	}
	return false
}

func newsOf(events []abci.Event) (News, error) {
	var out News
	revealed := proto.MessageName(&taskstypes.EventResultRevealed{})
	demanded := proto.MessageName(&disputestypes.EventBytesDemanded{})
	for _, e := range events {
		if e.Type != revealed && e.Type != demanded {
			continue
		}
		msg, err := sdk.ParseTypedEvent(e)
		if err != nil {
			return News{}, fmt.Errorf("event %s: %w", e.Type, err)
		}
		switch m := msg.(type) {
		case *taskstypes.EventResultRevealed:
			out.Revealed = append(out.Revealed, m.TaskId)
		case *disputestypes.EventBytesDemanded:
			out.Demanded = append(out.Demanded, m.TaskId)
		}
	}
	return out, nil
}

// DisputesParams returns the params of disputes and the tick of their clocks.
func (c *Client) DisputesParams(ctx context.Context) (disputestypes.Params, uint64, error) {
	res, err := disputestypes.NewQueryClient(c).Params(ctx, &disputestypes.QueryParamsRequest{})
	if err != nil {
		return disputestypes.Params{}, 0, fmt.Errorf("params of disputes: %w", err)
	}
	return res.Params, res.Tick, nil
}

// EachCase calls fn for every case that is not closed.
func (c *Client) EachCase(ctx context.Context, fn func(disputestypes.Case) error) error {
	q := disputestypes.NewQueryClient(c)
	return each("open cases", fn, func(p *query.PageRequest) ([]disputestypes.Case, *query.PageResponse, error) {
		res, err := q.Cases(ctx, &disputestypes.QueryCasesRequest{Open: true, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Cases, res.Pagination, nil
	})
}

// Claims lists the claims of a task's last case.
func (c *Client) Claims(ctx context.Context, task uint64) ([]disputestypes.Claim, error) {
	q := disputestypes.NewQueryClient(c)
	return all(fmt.Sprintf("claims of task %d", task), func(p *query.PageRequest) ([]disputestypes.Claim, *query.PageResponse, error) {
		res, err := q.Claims(ctx, &disputestypes.QueryClaimsRequest{TaskId: task, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Claims, res.Pagination, nil
	})
}

// Games lists the games of a task.
func (c *Client) Games(ctx context.Context, task uint64) ([]disputestypes.Game, error) {
	q := disputestypes.NewQueryClient(c)
	return all(fmt.Sprintf("games of task %d", task), func(p *query.PageRequest) ([]disputestypes.Game, *query.PageResponse, error) {
		res, err := q.Games(ctx, &disputestypes.QueryGamesRequest{TaskId: task, Pagination: p})
		if err != nil {
			return nil, nil, err
		}
		return res.Games, res.Pagination, nil
	})
}

// Demands lists the demands of a task.
func (c *Client) Demands(ctx context.Context, task uint64) ([]disputestypes.Demand, error) {
	res, err := disputestypes.NewQueryClient(c).Demands(ctx, &disputestypes.QueryDemandsRequest{TaskId: task})
	if err != nil {
		return nil, fmt.Errorf("demands of task %d: %w", task, err)
	}
	return res.Demands, nil
}

// Serves lists the models that a participant serves, and how it stands.
func (c *Client) Serves(ctx context.Context, address string) (poaitypes.Participant, []string, error) {
	res, err := poaitypes.NewQueryClient(c).Participant(ctx, &poaitypes.QueryParticipantRequest{Address: address})
	if err != nil {
		return poaitypes.Participant{}, nil, fmt.Errorf("participant %s: %w", address, err)
	}
	return res.Participant, res.Models, nil
}

// CostParams are those that units are computed with.
func (c *Client) CostParams(ctx context.Context) (engine.CostParams, error) {
	res, err := modelstypes.NewQueryClient(c).Params(ctx, &modelstypes.QueryParamsRequest{})
	if err != nil {
		return engine.CostParams{}, fmt.Errorf("params of models: %w", err)
	}
	return engine.CostParams{MacsPerUnit: res.Params.MacsPerUnit, BytesPerUnit: res.Params.BytesPerUnit}, nil
}

// Balance is what an account can spend of a denom.
func (c *Client) Balance(ctx context.Context, address, denom string) (math.Int, error) {
	res, err := banktypes.NewQueryClient(c).SpendableBalanceByDenom(ctx, &banktypes.QuerySpendableBalanceByDenomRequest{Address: address, Denom: denom})
	if err != nil {
		return math.Int{}, fmt.Errorf("balance of %s: %w", address, err)
	}
	if res.Balance == nil {
		return math.ZeroInt(), nil
	}
	return res.Balance.Amount, nil
}
