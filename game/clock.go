package game

import (
	"errors"
	"fmt"
	"math/bits"
)

// Clocks says how long the parties may take. Time is in blocks in which a dispute move could have been made: the chain
// does not count a block whose lane for such moves was full.
type Clocks struct {
	// Base is what every move has in any case.
	Base uint64
	// Rate is how many units a party is expected to re-execute in a block.
	Rate uint64
	// Reserve is what a party may be late in all of its moves together, beyond the re-execution that they need.
	Reserve uint64
}

func (c Clocks) check() error {
	if c.Base == 0 || c.Rate == 0 || c.Reserve < c.Base || c.Reserve > 1<<40 {
		return fmt.Errorf("clocks: base %d, rate %d, reserve %d: want base and rate at least 1, reserve at least base, all at most 2^40", c.Base, c.Rate, c.Reserve)
	}
	return nil
}

// MaxUnits is the most that a run may cost if every step is as dear as the dearest. What accepts runs must see to it, or no game can be
// played about them.
const MaxUnits = 1 << 56

var errClock = errors.New("clocks: the run's units exceed 2^56")

// price sets what a step is taken to cost: the bound of the dearest one, asked for once a game.
func (g Game) price() (Game, error) {
	units, err := g.Machine.Units(g.Steps - 1)
	if err != nil {
		return g, err
	}
	if hi, lo := bits.Mul64(units, g.Steps-g.Start); hi != 0 || lo > MaxUnits {
		return g, errClock
	}
	g.StepUnits = units
	return g, nil
}

// work is how many blocks it takes to re-execute so many steps.
func (g *Game) work(steps uint64) uint64 { return g.StepUnits*steps/g.Clocks.Rate + 1 }

// wind sets the clock of the move that is due: a constant and the re-execution of the range in question. From the nodes
// on that is one step.
func (g Game) wind() Game {
	g.MoveLeft = g.Clocks.Base + g.work(g.To-g.From)
	return g
}

// totalClock is what each side has for the whole game: the reserve, and the re-execution of every range that the longest
// game comes to. The result root and the first bisection are both about all steps from Start on.
func (g *Game) totalClock() uint64 {
	steps := g.Steps - g.Start
	total := g.Clocks.Reserve + g.work(steps)
	for range g.MaxRounds() + 1 { // C moves once more than D: it also judges
		total += g.work(steps)
		steps = (steps + g.Arity - 1) / g.Arity
	}
	return total
}

// Left is for how many blocks the mover can still wait.
func (g Game) Left() uint64 {
	if g.Phase == PhaseOver {
		return 0
	}
	return min(g.MoveLeft, g.TotalLeft[g.Mover-Defender])
}

// Advance lets blocks pass. Whoever waits for longer than is left loses by silence.
func (g Game) Advance(blocks uint64) Game {
	if g.Phase == PhaseOver || blocks == 0 {
		return g
	}
	left := g.Left()
	if blocks > left {
		g.Elapsed += left + 1
		return g.over(g.Mover.Other(), ReasonSilence)
	}
	g.Elapsed += blocks
	g.MoveLeft -= blocks
	g.TotalLeft[g.Mover-Defender] -= blocks
	return g
}
