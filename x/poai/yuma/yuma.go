// Package yuma turns grades that only judgement can give into shares, so that no minority of the stake can move them.
//
// It is the Yuma consensus of Bittensor (opentensor/subtensor, docs/consensus.md) in integers. With stakes S (shares), grades W (each
// grader's row adds up to 1), κ, bonds penalty β and bond rate α:
//
//	C_j  = the largest w that graders with at least κ of the stake gave j, or more
//	W̄    = min(W, C)                                    what is above the consensus is cut
//	I_j  = Σ_i S_i·W̄_ij, normalised                     incentive: what the graded get
//	T_i  = Σ_j W̄_ij                                     trust: how much of a grader's row was left
//	W̃    = (1 − β)·W + β·W̄
//	ΔB_j = S_i·W̃_ij, normalised over graders
//	B    = α·ΔB + (1 − α)·B, normalised over graders    bonds: who found j good, and when
//	D_i  = Σ_j B_ij·I_j, normalised                     dividends: what the graders get
//
// Shares are in 1/One. Results that are shares add up to One exactly, or are all 0.
package yuma

import (
	"cmp"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// One is the whole of a share.
const One = 1_000_000_000

// MaxSide bounds graders and subjects, and so the work of one round.
const MaxSide = 1024

// ErrInput is returned for what no round can be made of.
var ErrInput = errors.New("yuma: invalid input")

// Params of a round, in 1/One.
type Params struct {
	// Kappa is the part of the stake that must support a grade; above one half, so that no minority can raise anybody.
	Kappa uint64
	// Penalty is β: 0 lets bonds follow grades as given, One as cut.
	Penalty uint64
	// Alpha is how much of the bonds is new each round.
	Alpha uint64
}

// Validate names the first field out of its limits.
func (p Params) Validate() error {
	for _, f := range []struct {
		name     string
		v, least uint64
	}{{"kappa", p.Kappa, 1}, {"penalty", p.Penalty, 0}, {"alpha", p.Alpha, 0}} {
		if f.v < f.least || f.v > One {
			return fmt.Errorf("%w: %s %d, want %d..%d", ErrInput, f.name, f.v, f.least, uint64(One))
		}
	}
	return nil
}

// Round is what a round is computed from: graders × subjects.
type Round struct {
	// Stake of each grader, in any unit; the sum must fit into 64 bits.
	Stake []uint64
	// Grades[i][j] is grader i's grade of subject j, on any scale: only proportions count. 0 where the grade is missing or masked:
	// of oneself, or from before the subject registered.
	Grades [][]uint64
	// Bonds of the round before, in 1/One; nil for none.
	Bonds [][]uint64
}

// Result of a round, in 1/One.
type Result struct {
	Consensus []uint64 // a subject
	Incentive []uint64 // a subject; adds up to One, or all 0
	Trust     []uint64 // a grader
	Dividends []uint64 // a grader; adds up to One, or all 0
	Bonds     [][]uint64
}

// Compute runs one round. ErrInput names what is wrong with p or r.
func Compute(p Params, r Round) (Result, error) {
	if err := p.Validate(); err != nil {
		return Result{}, err
	}
	total, err := r.check()
	if err != nil {
		return Result{}, err
	}
	graders, subjects := len(r.Stake), len(r.Grades[0])
	stake, w := normalise(r.Stake), matrix(graders, subjects)
	for i, row := range r.Grades {
		w[i] = normalise(row)
	}
	res := Result{
		Consensus: make([]uint64, subjects), Incentive: make([]uint64, subjects), Trust: make([]uint64, graders),
		Dividends: make([]uint64, graders), Bonds: matrix(graders, subjects),
	}
	for j := range subjects {
		c := consensus(p.Kappa, total, r.Stake, w, j)
		res.Consensus[j] = c
		fresh, old := make([]uint64, graders), make([]uint64, graders)
		for i := range graders {
			cut := min(w[i][j], c)
			res.Incentive[j] += stake[i] * cut // shares of One² over all graders: below 2^60
			res.Trust[i] += cut
			fresh[i] = stake[i] * (mul(One-p.Penalty, w[i][j]) + mul(p.Penalty, cut))
			if r.Bonds != nil {
				old[i] = r.Bonds[i][j]
			}
		}
		fresh, old = normalise(fresh), normalise(old)
		for i := range graders {
			fresh[i] = p.Alpha*fresh[i] + (One-p.Alpha)*old[i]
		}
		for i, b := range normalise(fresh) {
			res.Bonds[i][j] = b
		}
	}
	res.Incentive = normalise(res.Incentive)
	for i := range graders {
		for j := range subjects {
			res.Dividends[i] += res.Bonds[i][j] * res.Incentive[j] // over all subjects at most One²
		}
	}
	res.Dividends = normalise(res.Dividends)
	return res, nil
}

// check returns the sum of the stakes.
func (r Round) check() (total uint64, err error) {
	if len(r.Stake) == 0 || len(r.Stake) > MaxSide {
		return 0, fmt.Errorf("%w: %d graders, want 1..%d", ErrInput, len(r.Stake), MaxSide)
	}
	for i, s := range r.Stake {
		var carry uint64
		if total, carry = bits.Add64(total, s, 0); carry != 0 {
			return 0, fmt.Errorf("%w: stake[%d]: the sum exceeds 64 bits", ErrInput, i)
		}
	}
	if len(r.Grades) != len(r.Stake) {
		return 0, fmt.Errorf("%w: grades: %d rows for %d graders", ErrInput, len(r.Grades), len(r.Stake))
	}
	subjects := len(r.Grades[0])
	if subjects == 0 || subjects > MaxSide {
		return 0, fmt.Errorf("%w: %d subjects, want 1..%d", ErrInput, subjects, MaxSide)
	}
	if r.Bonds != nil && len(r.Bonds) != len(r.Stake) {
		return 0, fmt.Errorf("%w: bonds: %d rows for %d graders", ErrInput, len(r.Bonds), len(r.Stake))
	}
	for i, row := range r.Grades {
		if len(row) != subjects || r.Bonds != nil && len(r.Bonds[i]) != subjects {
			return 0, fmt.Errorf("%w: row %d has not %d subjects", ErrInput, i, subjects)
		}
		sum := uint64(0)
		for j, g := range row {
			var carry uint64
			if sum, carry = bits.Add64(sum, g, 0); carry != 0 {
				return 0, fmt.Errorf("%w: grades[%d][%d]: the row's sum exceeds 64 bits", ErrInput, i, j)
			}
			if r.Bonds != nil && r.Bonds[i][j] > One {
				return 0, fmt.Errorf("%w: bonds[%d][%d] is %d, limit %d", ErrInput, i, j, r.Bonds[i][j], uint64(One))
			}
		}
	}
	return total, nil
}

// consensus is the largest grade of subject j that at least kappa of the stake supports; stakes are compared exactly.
func consensus(kappa, total uint64, stake []uint64, w [][]uint64, j int) uint64 {
	if total == 0 {
		return 0
	}
	order := make([]int, len(stake))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(w[b][j], w[a][j]) })
	needHi, needLo := bits.Mul64(kappa, total)
	support := uint64(0)
	for _, i := range order {
		support += stake[i]
		hi, lo := bits.Mul64(support, One)
		if hi > needHi || hi == needHi && lo >= needLo {
			return w[i][j]
		}
	}
	return 0
}

// normalise scales v to add up to One by largest remainders, ties to the lowest index; all 0 stays all 0. The sum of v must fit into 64 bits.
func normalise(v []uint64) []uint64 {
	out := make([]uint64, len(v))
	sum := uint64(0)
	for _, x := range v {
		sum += x
	}
	if sum == 0 {
		return out
	}
	rest := make([]uint64, len(v))
	order := make([]int, len(v))
	left := uint64(One)
	for i, x := range v {
		hi, lo := bits.Mul64(x, One)
		out[i], rest[i] = bits.Div64(hi, lo, sum) // x ≤ sum, so the quotient is at most One
		left -= out[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for _, i := range order[:left] {
		out[i]++
	}
	return out
}

func mul(a, b uint64) uint64 { return a * b / One }

func matrix(rows, columns int) [][]uint64 {
	cells := make([]uint64, rows*columns)
	m := make([][]uint64, rows)
	for i := range m {
		m[i] = cells[i*columns : (i+1)*columns : (i+1)*columns]
	}
	return m
}
