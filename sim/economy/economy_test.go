package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"poaid/engine"
	"poaid/testutil"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

// TestWhatIsComputed: the program gives what the simulation reveals, of numbers and of NaN.
func TestWhatIsComputed(t *testing.T) {
	prog, err := engine.New(relu(false), engine.DefaultLimits())
	require.NoError(t, err)
	weights, err := engine.WeightsByName(prog, nil)
	require.NoError(t, err)
	for _, msg := range []*taskstypes.MsgSubmitTask{
		{Inputs: []taskstypes.NamedTensor{testutil.EchoInput(123_456_789)}, Steps: 3},
		withNaN(&taskstypes.MsgSubmitTask{Inputs: []taskstypes.NamedTensor{testutil.EchoInput(5)}, Steps: 2}),
	} {
		in := msg.Inputs[0]
		x, err := engine.TensorFromBytes(in.Dtype, in.Shape, in.Data)
		require.NoError(t, err)
		inputs, err := prog.BindInputs(map[string]*engine.Tensor{"x": x})
		require.NoError(t, err)
		run, err := engine.NewRun(prog, weights, inputs, engine.RunOptions{Threads: 1})
		require.NoError(t, err)
		for range msg.Steps {
			require.NoError(t, run.Step(t.Context()))
		}
		got, err := testutil.RunEcho(msg.Inputs, msg.Steps, false)
		require.NoError(t, err)
		require.Equal(t, run.State("y").Bytes(), got.Outputs[0].Data)
	}
}

func TestSeats(t *testing.T) {
	equal := seats([]pool{{count: 7, share: 1. / 7}}, 3)
	require.InDelta(t, 3./7, equal[0], 1e-12)
	// Half the weight, and two with a quarter: the worker is the first in one of two cases, then it has no seat.
	got := seats([]pool{{count: 2, share: .25}, {count: 1, share: .5}}, 1)
	require.InDelta(t, .5*0+.5*2./3, got[1], 1e-12)
	require.InDelta(t, 1, got[1]+2*got[0], 1e-12)
	classes, of := classesOf([]uint64{5, 1, 5, 9})
	require.Equal(t, []pool{{1, .05}, {2, .25}, {1, .45}}, classes)
	require.Equal(t, []int{1, 0, 1, 2}, of)
}

func TestMeasures(t *testing.T) {
	require.InDelta(t, 2, slope([]float64{1, 2, 3}, []float64{2, 4, 6}), 1e-12)
	require.InDelta(t, 0, gini([]float64{.2, .3, .5}, []float64{.2, .3, .5}), 1e-12)
	require.InDelta(t, .5, gini([]float64{.5, .5}, []float64{0, 1}), 1e-12)
	require.InDelta(t, 1, correlation([]float64{1, 2, 4}, []float64{3, 5, 9}), 1e-12)
}

// TestPayFollowsCompute: in expectation every participant's share of pay, from 1 to 1,000 times of a machine, is its share of what is computed within 1 %,
// and so is the slope, for tasks of any size and however often they are audited.
func TestPayFollowsCompute(t *testing.T) {
	weights := sizes(each)
	var tasks []task
	for _, units := range []uint64{10_000, 100_000, 1_000_000, 1_000_000_000} {
		tasks = append(tasks, task{units: units, audit: auditRate(units)}, task{units: units, audit: 1})
	}
	for _, x := range append([][]task{tasks}, slices.Collect(slices.Chunk(tasks, 1))...) {
		pay, compute := expected(weights, x)
		for i := range pay {
			require.InEpsilon(t, compute[i], pay[i], .01, "participant %d, %+v", i, x)
		}
		require.InDelta(t, 1, slope(compute, pay), .01)
	}
	// Of what is computed a large share is a little less than of capacity: nobody checks itself, nor has two seats.
	capacity := make([]float64, len(weights))
	for i, w := range weights {
		capacity[i] = float64(w)
	}
	capacity = shares(capacity)
	_, compute := expected(weights, []task{{units: 1_000_000, audit: 1}})
	require.Greater(t, compute[0]/capacity[0], 1.01)
	require.Less(t, compute[len(compute)-1]/capacity[len(capacity)-1], .99)
}

// TestMarket runs a small market: weights are compute, draws follow them, and what participants have is what tasks and pools have paid.
func TestMarket(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a chain")
	}
	r := setting{sizes: sizes(2), tasks: 300, seed: 3}.run(t)
	require.GreaterOrEqual(t, r.epochs, 2)
	for i, w := range r.weights {
		require.Equal(t, sizes(2)[i]*smallest*1_000, w)
	}
	draws, fees, reward := 0, 0.0, 0.0
	for _, a := range r.accounts {
		draws, fees, reward = draws+a.drawn, fees+a.fees, reward+a.reward
		require.Zero(t, a.slashed)
		require.Zero(t, a.paid)
	}
	require.Equal(t, 300, draws)
	for _, task := range r.tasks {
		require.Equal(t, taskstypes.STATE_FINAL, task.state)
		require.True(t, task.scored)
	}
	require.InDelta(t, r.paidOut, fees, 1, "balances say what payments say")
	require.InDelta(t, r.minted, reward, 100, "all but what rounding leaves")
	compute, chi := capacityShares(r), 0.0
	for i := 0; i < len(compute); i += 2 {
		want := 300 * (compute[i] + compute[i+1])
		got := float64(r.accounts[i].drawn + r.accounts[i+1].drawn)
		chi += (got - want) * (got - want) / want
	}
	require.Less(t, chi, 50.0, "nine degrees of freedom")
	require.InDelta(t, 1, slope(computed(r), shares(pays(r))), .02)
}

// TestNobodyEarnsMore plays every strategy in a small market, by those who have four fifths of all compute. Two earn more than honest work, as the
// document says: where a run may mint more than it costs, and where an eligible model's answers are known without computing.
func TestNobodyEarnsMore(t *testing.T) {
	if testing.Short() {
		t.Skip("runs chains")
	}
	base := setting{sizes: sizes(2), tasks: 120, seed: 5, group: 4}
	honest := map[market]result{}
	for _, s := range strategies() {
		t.Run(s.name, func(t *testing.T) {
			base.market, base.play = s.market, nil
			if _, done := honest[s.market]; !done {
				honest[s.market] = base.run(t)
			}
			base.play = &s
			o := compare(base, honest[s.market], base.run(t))
			t.Logf("%+.3f: %+v instead of %+v", o.gain()/1e6, o.plays, o.honest)
			if s.uncapped() || s.captive && strings.Contains(s.name, "known answers") {
				require.Greater(t, o.plays.net(), o.honest.net())
				return
			}
			if s.copies { // how many errors were forced is luck in so small a market: what it loses by each is tested below
				require.Positive(t, o.plays.slashed)
				require.Less(t, o.plays.cost, o.honest.cost)
				return
			}
			require.Less(t, o.plays.net(), o.honest.net())
			require.Equal(t, s.submits != nil, o.submitted > 0)
		})
	}
}

func (s strategy) uncapped() bool { return s.market.uncapped }

// TestWashingLoses with the default params: whatever the weight, the rate of audits, the fee and whoever owns the model, if computing costs no less than
// reference_cost.
func TestWashingLoses(t *testing.T) {
	most, freely := math.Inf(-1), math.Inf(-1)
	visitAll := func(visit func(w wash)) {
		for weight := 0.0; weight <= 1; weight += 1. / 64 {
			for _, audit := range []float64{.02, .1, .22, .33, 1} {
				for _, price := range []float64{0, .01, .1, 1, 10} {
					for _, owns := range []bool{false, true} {
						w := defaults(weight)
						w.audit, w.price, w.owns = audit, price, owns
						visit(w)
					}
				}
			}
		}
	}
	visitAll(func(w wash) {
		most = max(most, w.net())
		w.rewards.MaxEmissionCostBps = 0
		freely = max(freely, w.net())
	})
	require.LessOrEqual(t, most, 0.0)
	require.Greater(t, freely, 1.5, "without the limit it would pay")
	// Nor with twenty seats, all of whose score counts in full.
	w := defaults(1)
	w.audit, w.owns, w.tasks.CommitteeSize = 1, true, 20
	require.LessOrEqual(t, w.net(), 0.0)
}

// TestKnownAnswers: who need not compute at all washes with profit where it serves an eligible model alone. What its capacity may be credited in an
// epoch bounds that to about what honest work at full load earns; and a limit of 9 % of a run's cost would stop it.
func TestKnownAnswers(t *testing.T) {
	w := defaults(1)
	w.owns, w.cost = true, 0
	require.Positive(t, w.net())
	for _, audit := range []float64{.02, .1, .22, .33, 1} {
		w.audit = audit
		credited := 1 + 3*verifierShare()*audit // of each unit asked for
		perCapacity := w.net() * slack() / credited
		require.Less(t, perCapacity, 1.05*workerNets(), "audit %v", audit)
		low := w
		low.rewards.MaxEmissionCostBps = 900
		require.Negative(t, low.net(), "audit %v", audit)
	}
}

// TestCopyingLoses in expectation, though half of what is slashed comes back to friends on the same committee, in tasks of every size.
func TestCopyingLoses(t *testing.T) {
	p := taskstypes.DefaultParams()
	for _, units := range []uint64{1_000, 100_000, 500_000, 1_000_000_000} {
		lock, _ := p.Risk(units, royaltyBps, false)
		saved := float64(units) * float64(p.ReferenceCost.Int64()) / taskstypes.PriceUnits
		lost := float64(lock.Int64()) * float64(p.ForcedErrorPpm) / taskstypes.PpmOne / 2
		require.LessOrEqual(t, saved, lost, "%d units", units)
	}
}

// TestTablesOfTheDocument: those that follow from params.
func TestTablesOfTheDocument(t *testing.T) {
	doc, err := os.ReadFile("../../docs/economics.md")
	require.NoError(t, err)
	for _, table := range []table{sizeTable(), washTable(), unitTable()} {
		var b strings.Builder
		table.write(&b)
		require.Contains(t, string(doc), b.String(), "run go run ./sim/economy and copy this table")
	}
	text := string(doc)
	require.Contains(t, text, fmt.Sprintf("%.2f upoai", unitEmission(taskstypes.DefaultParams(), rewardstypes.DefaultParams())))
	for _, picture := range []string{pictureShares, pictureLorenz, pictureWash, pictureStrategies} {
		require.Contains(t, text, "(img/"+picture+")")
		_, err := os.Stat("../../docs/img/" + picture)
		require.NoError(t, err)
	}
}

func TestMachine(t *testing.T) {
	m := newMachine(10)
	require.False(t, m.ready(1, 15))
	require.False(t, m.ready(2, 5))
	require.True(t, m.ready(3, 0))
	m.tick()
	require.False(t, m.ready(1, 15))
	m.tick()
	require.True(t, m.ready(1, 15))
	require.True(t, m.ready(2, 5))
	require.EqualValues(t, 20, m.ran)
}
