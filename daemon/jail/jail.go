// Package jail sees to a participant that is in jail: it says so, and asks to be let out once the time is over, where that is wanted.
package jail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"poaid/daemon/chain"
	poaitypes "poaid/x/poai/types"
)

// Policy says from which jail a daemon leaves by itself.
type Policy string

// Policies.
const (
	// Never leaves it to the operator.
	Never Policy = "never"
	// Silence leaves the jail of a participant that did not answer in time: a daemon that runs again is the cure. Whoever is there for a lie has
	// a machine that computed something else than all others, and would do so again: its operator should look first.
	Silence Policy = "silence"
	// Always leaves both.
	Always Policy = "always"
)

// ParsePolicy reads a policy.
func ParsePolicy(s string) (Policy, error) {
	all := []Policy{Never, Silence, Always}
	if p := Policy(s); slices.Contains(all, p) {
		return p, nil
	}
	return "", fmt.Errorf("%q, want never, silence or always", s)
}

// Chain reads participants.
type Chain interface {
	Participant(ctx context.Context, address string) (poaitypes.Participant, error)
	PoaiParams(ctx context.Context) (poaitypes.Params, error)
}

// Outbox sends items; chain.Sender is one.
type Outbox interface {
	Enqueue(it chain.Item, asOf int64) bool
}

// Metrics is told where the participant is. Methods must not block.
type Metrics interface {
	// Jailed says until when it is in jail; 0: it is not.
	Jailed(until int64)
}

// every is how many blocks pass between two looks.
const every = 10

// Warden watches one participant. Only one goroutine may use it.
type Warden struct {
	chain       Chain
	out         Outbox
	participant string
	policy      Policy
	metrics     Metrics
	log         *slog.Logger
	next        int64
	said        string // what was logged last
}

// New returns a warden.
func New(c Chain, out Outbox, participant string, policy Policy, m Metrics, log *slog.Logger) *Warden {
	return &Warden{chain: c, out: out, participant: participant, policy: policy, metrics: m, log: log}
}

// Run works until ctx ends. What fails is tried again at the next height.
func (w *Warden) Run(ctx context.Context, heights <-chan int64) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case h := <-heights:
			if err := w.Tick(ctx, h); err != nil && ctx.Err() == nil {
				w.log.Warn("looking for the participant failed", "error", err)
			}
		}
	}
}

// Tick looks every few blocks, and at once when the time in jail is over.
func (w *Warden) Tick(ctx context.Context, height int64) error {
	if height < w.next {
		return nil
	}
	p, err := w.chain.Participant(ctx, w.participant)
	if errors.Is(err, chain.ErrNotFound) {
		w.next = height + every
		return nil // it has not joined yet
	}
	if err != nil {
		return err
	}
	until := p.Conduct.JailedUntil
	w.metrics.Jailed(until)
	w.next = height + every
	if until > height {
		w.next = min(w.next, until)
	}
	if !p.Jailed() {
		if w.said != "" {
			w.said = ""
			w.log.Info("out of jail", "participant", w.participant)
		}
		return nil
	}
	return w.jailed(ctx, p, height)
}

// jailed does what can be done about it.
func (w *Warden) jailed(ctx context.Context, p poaitypes.Participant, height int64) error {
	until, why := p.Conduct.JailedUntil, "silence"
	if p.Conduct.JailedForLie {
		why = "a lie"
	}
	leaves := w.policy == Always || w.policy == Silence && !p.Conduct.JailedForLie
	switch {
	case !leaves:
		w.say("in jail: nothing is drawn for it until somebody lets it out (poaid tx poai unjail)", "for", why, "until", until)
		return nil
	case height < until:
		w.say("in jail: it will ask to be let out", "for", why, "until", until)
		return nil
	}
	params, err := w.chain.PoaiParams(ctx)
	if err != nil {
		return err
	}
	if p.Bond.LT(params.MinBond) {
		w.say("in jail: its bond is too small to be let out (poaid tx poai add-bond)", "for", why, "bond", p.Bond, "min_bond", params.MinBond)
		return nil
	}
	if w.out.Enqueue(chain.Unjail(), height) {
		w.log.Info("asking to be let out of jail", "participant", w.participant, "for", why, "until", until)
	}
	if w.said == "" {
		w.said = "asked"
	}
	return nil
}

// say logs something once, until something else is said.
func (w *Warden) say(what string, args ...any) {
	now := strings.TrimSpace(what + fmt.Sprint(args...))
	if now == w.said {
		return
	}
	w.said = now
	w.log.Warn(what, append([]any{"participant", w.participant}, args...)...)
}
