package types

import (
	"cosmossdk.io/math"

	"poaid/internal/split"
)

// maxVerifierPayBps: checking a run costs what the run costs, so twice its pay is ample.
const maxVerifierPayBps = 2 * BpsOne

// Parts is what is left of a fee after royalty and jackpot, by where it goes.
type Parts struct {
	Worker math.Int
	// Audits is for the pot that members are paid from.
	Audits math.Int
	// Runners is for all runners that a race may have, each an equal part.
	Runners math.Int
	Burn    math.Int
}

// partTerms are what parts follow from.
type partTerms struct {
	burnBps, verifierPayBps, auditPpm, seats, runners uint32
}

// parts shares an amount so that everybody who computed the run is paid for it: once what burns is off, the worker has 1 part, each runner v, and the pot
// v·p·k, from which each of k seats is paid v where there is an audit, which has the probability p (docs/adr/0018). Nothing is lost by rounding.
func (x partTerms) parts(rest math.Int) Parts {
	burn := share(rest, x.burnBps)
	v := uint64(x.verifierPayBps)
	by := split.Weighted(rest.Sub(burn), PpmOne*BpsOne, v*uint64(x.auditPpm)*uint64(x.seats), v*PpmOne*uint64(x.runners))
	return Parts{Worker: by[0], Audits: by[1], Runners: by[2], Burn: burn}
}

// PartsOf shares what is left of the fee of a run that was audited with probability auditPpm by that many seats.
func (t Task) PartsOf(rest math.Int, auditPpm, seats uint32) Parts {
	return partTerms{burnBps: t.BurnBps, verifierPayBps: t.VerifierPayBps, auditPpm: auditPpm, seats: seats, runners: t.MaxRunners()}.parts(rest)
}

// MaxRunners is how many beside the worker may bring a result to a race.
func (t Task) MaxRunners() uint32 {
	if !t.Race() {
		return 0
	}
	return t.Redundancy - 1
}
