package types

import (
	errorsmod "cosmossdk.io/errors"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/commit"
	"poaid/x/beacon/vrf"
)

// DefaultGenesis has no tasks.
func DefaultGenesis() *GenesisState {
	return &GenesisState{Params: DefaultParams()}
}

// Validate checks everything that needs no other module.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	last := uint64(0)
	ids := make(map[uint64]bool, len(g.Tasks))
	for i, t := range g.Tasks {
		if t.Task.Id <= last {
			return errorsmod.Wrapf(ErrGenesis, "tasks[%d]: id %d does not follow %d", i, t.Task.Id, last)
		}
		last = t.Task.Id
		ids[last] = true
		if err := t.validate(); err != nil {
			return errorsmod.Wrapf(err, "tasks[%d]", i)
		}
	}
	for i, s := range g.Seen {
		if !ids[s.TaskId] || s.Model == "" || len(s.InputRoot) != 32 {
			return errorsmod.Wrapf(ErrGenesis, "seen[%d]: task %d is unknown, or model or root is malformed", i, s.TaskId)
		}
	}
	if err := sdk.Coins(g.AuditPot).Validate(); err != nil {
		return errorsmod.Wrapf(ErrGenesis, "audit_pot: %s", err)
	}
	if err := sdk.Coins(g.Jackpot).Validate(); err != nil {
		return errorsmod.Wrapf(ErrGenesis, "jackpot: %s", err)
	}
	if p := g.Price; p != nil && (p.Floor.IsNil() || p.Floor.IsNegative() || p.Floor.BigInt().BitLen() > MaxPriceBits) {
		return errorsmod.Wrapf(ErrGenesis, "price.floor: %s, want 0..2^%d", p.Floor, MaxPriceBits)
	}
	return nil
}

func (t GenesisTask) validate() error {
	switch {
	case t.Task.Submitter == "" || t.Task.Model == "":
		return errorsmod.Wrap(ErrGenesis, "submitter or model: empty")
	case !t.Task.hasValidEscrow():
		return errorsmod.Wrap(ErrGenesis, "max_fee: not a positive coin, or not none of a task that a module opened")
	case (t.Task.StartStep == 0) != (len(t.Task.StartRoot) == 0) || t.Task.StartStep > 0 && t.Task.StartStep >= t.Task.Steps:
		return errorsmod.Wrapf(ErrGenesis, "start_step, start_root: %d of %d steps, %d bytes", t.Task.StartStep, t.Task.Steps, len(t.Task.StartRoot))
	case len(t.Task.StartRoot) != 0 && len(t.Task.StartRoot) != commit.Size:
		return errorsmod.Wrapf(ErrGenesis, "start_root: %d bytes, want %d", len(t.Task.StartRoot), commit.Size)
	case t.Task.Fee.IsNil() || t.Task.Lock.IsNil() || t.Task.UnitPrice.IsNil():
		return errorsmod.Wrap(ErrGenesis, "fee, lock or unit_price: missing")
	case t.Task.AuditPpm > PpmOne || t.Task.ForcedErrorPpm > PpmOne || t.Status.AuditPpm > PpmOne || t.Task.JackpotBps > BpsOne:
		return errorsmod.Wrap(ErrGenesis, "audit_ppm, forced_error_ppm or jackpot_bps: more than one")
	case len(t.Status.VrfKey) != 0 && (len(t.Status.VrfKey) != vrf.PublicKeySize || len(t.Status.VrfInput) != commit.Size):
		return errorsmod.Wrap(ErrGenesis, "vrf_key or vrf_input: malformed")
	case t.Task.VerifierPayBps > maxVerifierPayBps || t.Task.BurnBps > BpsOne:
		return errorsmod.Wrapf(ErrGenesis, "verifier_pay_bps or burn_bps: more than %d or %d", maxVerifierPayBps, BpsOne)
	case t.Task.MaxInlineOutputBytes > maxOutputBytes || t.Task.MaxInlineOutputBytes < StopBytes && !t.Status.State.Ended():
		return errorsmod.Wrapf(ErrGenesis, "max_inline_output_bytes: %d, want %d..%d", t.Task.MaxInlineOutputBytes, StopBytes, maxOutputBytes)
	case t.Status.State < STATE_OPEN || t.Status.State > STATE_REFUNDED:
		return errorsmod.Wrapf(ErrGenesis, "state: %d is unknown", t.Status.State)
	case t.Status.State.Active() && t.Status.Worker == "":
		return errorsmod.Wrapf(ErrGenesis, "worker: missing in %s", t.Status.State)
	case t.Task.Auctioned() != (t.Task.Auction != nil) || t.Task.Race() != (t.Task.Redundancy > 0):
		return errorsmod.Wrap(ErrGenesis, "auction or redundancy: does not go with the allocation")
	case uint32(len(t.Runners)) != t.Status.Runners && !t.Status.Pruned || len(t.Runners) > 0 && t.Status.Runners >= t.Task.Redundancy:
		return errorsmod.Wrapf(ErrGenesis, "runners: %d, the status says %d", len(t.Runners), t.Status.Runners)
	case t.Status.Price != nil && (t.Status.Price.IsNegative() || t.Status.Price.GT(t.Task.MaxFee.Amount)):
		return errorsmod.Wrapf(ErrGenesis, "price: %s of %s", t.Status.Price, t.Task.MaxFee)
	case t.Payment != nil && !t.Status.State.Ended():
		return errorsmod.Wrapf(ErrGenesis, "payment: present in %s", t.Status.State)
	case t.Task.Tip.IsNil() || t.Task.Tip.IsNegative() || t.Task.FeeRate.IsNil() || !t.Task.FeeRate.IsPositive():
		return errorsmod.Wrap(ErrGenesis, "tip or fee_rate: missing or negative")
	case (t.Receipt != nil) != (t.Status.State == STATE_FINAL):
		return errorsmod.Wrapf(ErrGenesis, "receipt: want one in %s and nowhere else, it is %s", STATE_FINAL, t.Status.State)
	}
	if t.Payment != nil {
		if err := t.Payment.Check(t.Task.MaxFee.Amount); err != nil {
			return errorsmod.Wrapf(ErrGenesis, "payment: %s", err)
		}
	}
	if t.Receipt != nil {
		return t.Receipt.Validate()
	}
	return nil
}

// Ended tells whether nothing but payment and pruning can happen any more.
func (s State) Ended() bool { return s >= STATE_FINAL }

// Active tells whether the task is in the hands of a worker.
func (s State) Active() bool { return s >= STATE_ASSIGNED && s <= STATE_DISPUTED }
