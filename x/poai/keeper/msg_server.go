package keeper

import (
	"context"

	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"

	"poaid/internal/events"
	"poaid/x/poai/types"
)

var _ types.MsgServer = msgServer{}

type msgServer struct{ *Keeper }

// NewMsgServer serves the messages of x/poai.
func NewMsgServer(k *Keeper) types.MsgServer { return msgServer{k} }

func emit(ctx context.Context, event proto.Message) error {
	return events.Emit(ctx, event)
}

func emitBond(ctx context.Context, p types.Participant) error {
	return emit(ctx, &types.EventBondChanged{Participant: p.Address, Bond: p.Bond.String(), Unbonding: p.Unbonding.String()})
}

// load returns what most messages need.
func (s msgServer) load(ctx context.Context, address string) (p types.Participant, params types.Params, err error) {
	if _, err = s.accountOf(address); err != nil {
		return p, params, err
	}
	if params, err = s.Keeper.Params.Get(ctx); err != nil {
		return p, params, err
	}
	p, err = s.participant(ctx, address)
	return p, params, err
}

// Join creates a participant.
func (s msgServer) Join(ctx context.Context, msg *types.MsgJoin) (*types.MsgJoinResponse, error) {
	if err := s.join(ctx, msg); err != nil {
		return nil, err
	}
	return &types.MsgJoinResponse{}, emit(ctx, &types.EventParticipantJoined{Participant: msg.Participant, Bond: msg.Bond.Amount.String()})
}

// UpdateParticipant replaces moniker, endpoint, concurrency, memory and tags. Concurrency may fall below what is active: work drawn stays due.
func (s msgServer) UpdateParticipant(ctx context.Context, msg *types.MsgUpdateParticipant) (*types.MsgUpdateParticipantResponse, error) {
	p, params, err := s.load(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(msg.Moniker, msg.Endpoint, msg.Concurrency, params); err != nil {
		return nil, err
	}
	if err := types.CheckDeclaration(msg.MemoryMib, msg.Tags); err != nil {
		return nil, err
	}
	p.Moniker, p.Endpoint, p.Concurrency = msg.Moniker, msg.Endpoint, msg.Concurrency
	p.MemoryMib, p.Tags = msg.MemoryMib, msg.Tags
	if err := s.Participants.Set(ctx, p.Address, p); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParticipantResponse{}, emit(ctx, &types.EventParticipantUpdated{Participant: p.Address})
}

// SetVRFKey sets the key that tells a worker when its error is forced.
func (s msgServer) SetVRFKey(ctx context.Context, msg *types.MsgSetVRFKey) (*types.MsgSetVRFKeyResponse, error) {
	p, params, err := s.load(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	from, err := s.setVRFKey(ctx, &p, params, msg.VrfPubKey, msg.Proof)
	if err != nil {
		return nil, err
	}
	return &types.MsgSetVRFKeyResponse{ActiveFrom: from}, nil
}

// AddBond adds to the bond.
func (s msgServer) AddBond(ctx context.Context, msg *types.MsgAddBond) (*types.MsgAddBondResponse, error) {
	p, params, err := s.load(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	account, err := s.accountOf(p.Address)
	if err != nil {
		return nil, err
	}
	if err := s.addBond(ctx, &p, account, msg.Amount, params); err != nil {
		return nil, err
	}
	return &types.MsgAddBondResponse{}, emitBond(ctx, p)
}

// Unbond starts to withdraw free bond.
func (s msgServer) Unbond(ctx context.Context, msg *types.MsgUnbond) (*types.MsgUnbondResponse, error) {
	p, params, err := s.load(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	mature, err := s.unbond(ctx, &p, msg.Amount, params)
	if err != nil {
		return nil, err
	}
	return &types.MsgUnbondResponse{MatureHeight: mature}, emitBond(ctx, p)
}

// WithdrawUnbonded pays out what has matured.
func (s msgServer) WithdrawUnbonded(ctx context.Context, msg *types.MsgWithdrawUnbonded) (*types.MsgWithdrawUnbondedResponse, error) {
	p, params, err := s.load(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	paid, err := s.withdrawUnbonded(ctx, &p, params)
	if err != nil {
		return nil, err
	}
	return &types.MsgWithdrawUnbondedResponse{Amount: paid}, emitBond(ctx, p)
}

// Serve makes the participant a candidate for models.
func (s msgServer) Serve(ctx context.Context, msg *types.MsgServe) (*types.MsgServeResponse, error) {
	p, params, err := s.load(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	if err := s.serve(ctx, &p, msg.Models, params); err != nil {
		return nil, err
	}
	if err := s.Participants.Set(ctx, p.Address, p); err != nil {
		return nil, err
	}
	return &types.MsgServeResponse{}, emit(ctx, &types.EventParticipantUpdated{Participant: p.Address})
}

// StopServing ends that.
func (s msgServer) StopServing(ctx context.Context, msg *types.MsgStopServing) (*types.MsgStopServingResponse, error) {
	p, _, err := s.load(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	if err := s.stopServing(ctx, &p, msg.Models); err != nil {
		return nil, err
	}
	if err := s.Participants.Set(ctx, p.Address, p); err != nil {
		return nil, err
	}
	return &types.MsgStopServingResponse{}, emit(ctx, &types.EventParticipantUpdated{Participant: p.Address})
}

// SealAttestations commits a batch; each item is accepted or refused on its own.
func (s msgServer) SealAttestations(ctx context.Context, msg *types.MsgSealAttestations) (*types.MsgSealAttestationsResponse, error) {
	if _, err := s.accountOf(msg.Participant); err != nil {
		return nil, err
	}
	params, err := s.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	tasks := make([]uint64, len(msg.Items))
	for i, item := range msg.Items {
		tasks[i] = item.TaskId
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	results, err := batch(params.MaxBatch, tasks, func(i int) (error, error) { return s.sealOne(sdkCtx, msg.Participant, msg.Items[i]) })
	if err != nil {
		return nil, err
	}
	return &types.MsgSealAttestationsResponse{Results: results}, nil
}

// RevealAttestations opens a batch; each item is accepted or refused on its own.
func (s msgServer) RevealAttestations(ctx context.Context, msg *types.MsgRevealAttestations) (*types.MsgRevealAttestationsResponse, error) {
	if _, err := s.accountOf(msg.Participant); err != nil {
		return nil, err
	}
	params, err := s.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	tasks := make([]uint64, len(msg.Items))
	for i, item := range msg.Items {
		tasks[i] = item.TaskId
	}
	sdkCtx := sdk.UnwrapSDKContext(ctx)
	results, err := batch(params.MaxBatch, tasks, func(i int) (error, error) { return s.revealOne(sdkCtx, msg.Participant, msg.Items[i]) })
	if err != nil {
		return nil, err
	}
	return &types.MsgRevealAttestationsResponse{Results: results}, nil
}

// Unjail lets the participant out of jail.
func (s msgServer) Unjail(ctx context.Context, msg *types.MsgUnjail) (*types.MsgUnjailResponse, error) {
	p, params, err := s.load(ctx, msg.Participant)
	if err != nil {
		return nil, err
	}
	if err := s.unjail(ctx, &p, params); err != nil {
		return nil, err
	}
	return &types.MsgUnjailResponse{}, nil
}

// Acquit takes a fault back; governance only.
func (s msgServer) Acquit(ctx context.Context, msg *types.MsgAcquit) (*types.MsgAcquitResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), s.authority, msg.Authority); err != nil {
		return nil, err
	}
	params, err := s.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	paid, err := s.acquit(ctx, msg.Participant, msg.Fault)
	if err != nil {
		return nil, err
	}
	return &types.MsgAcquitResponse{Amount: sdk.NewCoin(params.BondDenom, paid)}, nil
}

// UpdateParams replaces the params; governance only. bond_denom cannot change: bonds are held in it. Where weights
// change, everybody is weighed anew over the next blocks.
func (s msgServer) UpdateParams(ctx context.Context, msg *types.MsgUpdateParams) (*types.MsgUpdateParamsResponse, error) {
	if err := sdk.ValidateAuthority(sdk.UnwrapSDKContext(ctx), s.authority, msg.Authority); err != nil {
		return nil, err
	}
	if err := msg.Params.Validate(); err != nil {
		return nil, err
	}
	old, err := s.Keeper.Params.Get(ctx)
	if err != nil {
		return nil, err
	}
	if msg.Params.BondDenom != old.BondDenom {
		return nil, errorsmod.Wrapf(types.ErrInvalidParams, "bond_denom %q: is %q and cannot change", msg.Params.BondDenom, old.BondDenom)
	}
	if !msg.Params.WeighsAs(old) {
		if err := s.ReweighCursor.Set(ctx, ""); err != nil {
			return nil, err
		}
	}
	if err := s.Keeper.Params.Set(ctx, msg.Params); err != nil {
		return nil, err
	}
	return &types.MsgUpdateParamsResponse{}, emit(ctx, &types.EventParamsUpdated{Authority: msg.Authority})
}
