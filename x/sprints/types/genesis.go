package types

import (
	errorsmod "cosmossdk.io/errors"
)

// DefaultGenesis has the reference transformer and no window.
func DefaultGenesis() *GenesisState {
	program := DefaultProgram()
	return &GenesisState{Params: DefaultParams(), Program: &program}
}

// Validate checks everything that needs no other module.
func (g GenesisState) Validate() error {
	if err := g.Params.Validate(); err != nil {
		return err
	}
	if g.Season.CoinPpm > PpmOne {
		return errorsmod.Wrapf(ErrGenesis, "season.coin_ppm: %d, limit %d", g.Season.CoinPpm, PpmOne)
	}
	windows := make(map[uint64]Window, len(g.Windows))
	last := uint64(0)
	for i, w := range g.Windows {
		if err := w.validate(); err != nil {
			return errorsmod.Wrapf(err, "windows[%d]", i)
		}
		if w.Number <= last || w.Number > g.LastWindow {
			return errorsmod.Wrapf(ErrGenesis, "windows[%d]: number %d does not follow %d, or is above last_window %d", i, w.Number, last, g.LastWindow)
		}
		if w.Phase != PHASE_SETTLED && w.Number != g.LastWindow {
			return errorsmod.Wrapf(ErrGenesis, "windows[%d]: %s, but only the last one may be unsettled", i, w.Phase)
		}
		last = w.Number
		windows[last] = w
	}
	commits, err := g.validateCommits(windows)
	if err != nil {
		return err
	}
	return g.validateRest(commits)
}

func (w Window) validate() error {
	switch {
	case w.Phase < PHASE_OPEN || w.Phase > PHASE_SETTLED:
		return errorsmod.Wrapf(ErrGenesis, "phase: %d is unknown", w.Phase)
	case w.Model == "" || w.Pool == "" || w.Tokens == 0 || w.Sample == 0 || w.LeafUnits == 0:
		return errorsmod.Wrap(ErrGenesis, "model, pool, tokens, sample, leaf_units: missing")
	case len(w.Random) != 32 || len(w.AuditRandom) != 32 && w.Phase >= PHASE_SETTLING:
		return errorsmod.Wrap(ErrGenesis, "random, audit_random: want 32 bytes")
	case w.OpenHeight < 1 || w.CloseHeight <= w.OpenHeight || w.SettleHeight <= w.CloseHeight:
		return errorsmod.Wrap(ErrGenesis, "open_height, close_height, settle_height: do not ascend")
	}
	return nil
}

type commitKey struct {
	window      uint64
	participant string
}

func (g GenesisState) validateCommits(windows map[uint64]Window) (map[commitKey]Commit, error) {
	out := make(map[commitKey]Commit, len(g.Commits))
	for i, c := range g.Commits {
		key := commitKey{c.Window, c.Participant}
		_, twice := out[key]
		_, known := windows[c.Window]
		switch {
		case twice || !known || c.Participant == "":
			return nil, errorsmod.Wrapf(ErrGenesis, "commits[%d]: twice, of no window, or of nobody", i)
		case len(c.Root) != 32 || c.Count == 0 || c.AuditPpm > PpmOne || c.Lock.IsNil() || c.Lock.IsNegative():
			return nil, errorsmod.Wrapf(ErrGenesis, "commits[%d]: root, count, audit_ppm or lock", i)
		case c.State < COMMIT_STATE_PENDING || c.State > COMMIT_STATE_VOID:
			return nil, errorsmod.Wrapf(ErrGenesis, "commits[%d]: state %d is unknown", i, c.State)
		}
		out[key] = c
	}
	return out, nil
}

func (g GenesisState) validateRest(commits map[commitKey]Commit) error {
	tasks := make(map[uint64]bool, len(g.Audits))
	for i, a := range g.Audits {
		c, known := commits[commitKey{a.Window, a.Participant}]
		if !known || c.Task != a.Task || a.Task == 0 || tasks[a.Task] || a.Decided && a.Ended {
			return errorsmod.Wrapf(ErrGenesis, "audits[%d]: twice, over, or not that of a commit", i)
		}
		if a.Decided != (c.State != COMMIT_STATE_AUDITED) {
			return errorsmod.Wrapf(ErrGenesis, "audits[%d]: decided is %t, the commit is %s", i, a.Decided, c.State)
		}
		for _, root := range [][]byte{a.Opened, a.Computed} {
			if len(root) != 0 && len(root) != 32 {
				return errorsmod.Wrapf(ErrGenesis, "audits[%d]: a root of %d bytes", i, len(root))
			}
		}
		tasks[a.Task] = true
	}
	epoch := uint64(0)
	for i, s := range g.Seeded {
		if s.Epoch <= epoch || s.Model == "" || s.Base == "" {
			return errorsmod.Wrapf(ErrGenesis, "seeded[%d]: epoch %d does not follow %d, or no model or base", i, s.Epoch, epoch)
		}
		epoch = s.Epoch
	}
	proven := make(map[string]bool, len(g.Proven))
	for i, p := range g.Proven {
		if p.Participant == "" || proven[p.Participant] || p.Window == 0 || p.Window > g.LastWindow {
			return errorsmod.Wrapf(ErrGenesis, "proven[%d]: %q twice, or window %d", i, p.Participant, p.Window)
		}
		proven[p.Participant] = true
	}
	return nil
}
