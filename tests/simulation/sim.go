package simulation

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand"
	"slices"
	"strings"
	"testing"
	"time"

	"cosmossdk.io/collections"
	errorsmod "cosmossdk.io/errors"
	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	simtypes "github.com/cosmos/cosmos-sdk/types/simulation"
	govv1 "github.com/cosmos/cosmos-sdk/x/gov/types/v1"

	"poaid/app/params"
	"poaid/engine"
	"poaid/testutil"
	sprintstypes "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// accounts of a chain; the first validators of them are validators.
	accounts   = 30
	validators = 4
	// operations drawn for a block, at most.
	drawn      = 18
	defaultGas = 5_000_000
)

// Config of a run.
type Config struct {
	Seed   int64
	Blocks int
	// Executor of blocks and its workers: sequential, or block-stm.
	Executor string
	Workers  int
	// Progress is told how far the run is; nil: nobody.
	Progress io.Writer
}

// Sim is one chain under simulation.
type Sim struct {
	*testutil.Sprint
	Config
	Table *Table
	// Hashes of the application after every block.
	Hashes [][]byte

	tb      testing.TB
	r       *rand.Rand
	modules []Module
	kinds   []*kind
	weights int
	sims    []simtypes.Account
	byAddr  map[string]*testutil.Account
	people  []*person
	models  []*model
	runs    map[uint64]*run
	tensors map[string]*engine.Tensor   // by root, of inputs whose bytes are not on the chain
	states  map[string][]*engine.Tensor // by state root, what segments of trainings ended with
	supply  sdk.Coins
	turn    int // of the kinds of proposals
	txs     int
}

// New starts a chain.
func New(tb testing.TB, cfg Config) *Sim {
	tb.Helper()
	s := &Sim{
		Config: cfg, Table: newTable(), tb: tb, r: rand.New(rand.NewSource(cfg.Seed)), byAddr: make(map[string]*testutil.Account),
		runs: make(map[uint64]*run), tensors: make(map[string]*engine.Tensor), states: make(map[string][]*engine.Tensor),
	}
	s.kinds = s.newKinds()
	opts := testutil.Options{
		Accounts: accounts, Names: fmt.Sprintf("simulation/%d/", cfg.Seed), Bonds: []int64{40_000, 30_000, 20_000, 15_000}, Executor: cfg.Executor, Workers: cfg.Workers,
		Genesis: func(g *testutil.Genesis) {
			for _, m := range modules(s, g.App) {
				if m.Genesis != nil {
					m.Genesis(g)
				}
			}
		},
	}
	s.Sprint = testutil.NewSprint(tb, opts, func(p *sprintstypes.Params) { p.KeepWindows, p.VerifyPpm, p.DutyPpm = 3, 400_000, 200_000 })
	for _, a := range s.Accounts {
		s.byAddr[a.String()] = a
		s.sims = append(s.sims, simtypes.Account{
			PrivKey: a.Key, PubKey: a.Key.PubKey(), Address: a.Addr, ConsKey: testutil.ValidatorKey(a.Name), AddressBech32: a.String(),
		})
	}
	s.supply = s.coinsThereAre()
	s.wire()
	return s
}

// wire lists the modules anew: some of what they do holds on to keepers of the application, which a start from an export replaces.
func (s *Sim) wire() {
	s.modules, s.weights = modules(s, s.App), 0
	for _, m := range s.modules {
		for _, op := range m.Operations {
			s.weights += op.Weight
			s.Table.row(op.Name)
		}
	}
}

// Run makes all blocks, and goes on from an export in the middle.
func (s *Sim) Run() {
	s.tb.Helper()
	began := time.Now()
	for n := range s.Blocks {
		s.block()
		if n == s.Blocks/2 {
			s.rebirth()
		}
		if s.Progress != nil && (n+1)%25 == 0 {
			fmt.Fprintf(s.Progress, "block %d of %d: %d transactions, %d tasks running, %d participants, %d models, %s a block\n", n+1, s.Blocks, s.txs,
				len(s.running()), len(s.people), len(s.models), (time.Since(began) / time.Duration(n+1)).Round(time.Millisecond))
		}
	}
}

func (s *Sim) rebirth() {
	s.RebirthWith(s.compareStores)
	s.Hashes = append(s.Hashes, s.App.LastCommitID().Hash)
	s.supply = s.coinsThereAre()
	s.wire()
}

// block makes one block: what is due, and what is drawn.
func (s *Sim) block() {
	s.tb.Helper()
	s.forget()
	var actions []Action
	for _, m := range s.modules {
		if m.Duties != nil {
			actions = append(actions, m.Duties(s)...)
		}
	}
	for range s.r.Intn(drawn + 1) {
		op := s.draw()
		a := op.Do(s)
		if a == nil {
			s.Table.idle(op.Name)
			continue
		}
		a.Refused = a.Refused || op.Refused
		if a.Name == "" {
			a.Name = op.Name
		}
		actions = append(actions, *a)
	}
	s.unrest()
	txs := make([][]byte, len(actions))
	for i, a := range actions {
		if a.Gas == 0 {
			a.Gas = defaultGas
		}
		txs[i] = s.TxWith(a.From, testutil.TxOptions{Gas: a.Gas}, a.Msgs...)
	}
	res := s.Block(txs...)
	s.txs += len(txs)
	s.Hashes = append(s.Hashes, res.AppHash)
	events := res.Events
	for i, r := range res.TxResults {
		s.result(&actions[i], r)
		events = append(events, r.Events...)
	}
	s.books(events)
}

// draw an operation by weight.
func (s *Sim) draw() Operation {
	at := s.r.Intn(s.weights)
	for _, m := range s.modules {
		for _, op := range m.Operations {
			if at -= op.Weight; at < 0 {
				return op
			}
		}
	}
	panic("weights do not add up")
}

// result counts what became of a transaction.
func (s *Sim) result(a *Action, r *abci.ExecTxResult) {
	s.tb.Helper()
	if a.Then != nil {
		a.Then(r.Code == 0)
	}
	if r.Code != 0 {
		s.Table.count(a.Name, fmt.Sprintf("%s %d", r.Codespace, r.Code))
		// Whatever a user sends, our modules answer with an error of their own.
		if own(a.Msgs) && (r.Codespace == errorsmod.UndefinedCodespace || r.Codespace == "collections") {
			s.tb.Fatalf("height %d: %s was refused without a reason of its own: %s", s.Height(), a.Name, r.Log)
		}
		if a.Must != nil && a.Must(r.Codespace, r.Code) {
			s.tb.Fatalf("height %d: %s of an honest party was refused: %s", s.Height(), a.Name, r.Log)
		}
		return
	}
	if a.Refused {
		s.tb.Fatalf("height %d: %s was accepted: %v", s.Height(), a.Name, a.Msgs)
	}
	if items := s.items(r.Data); len(items) > 0 {
		for _, refused := range items {
			s.Table.count(a.Name, refused)
		}
		return
	}
	s.Table.count(a.Name, "")
}

// own tells messages of this chain's modules.
func own(msgs []sdk.Msg) bool { return strings.HasPrefix(sdk.MsgTypeURL(msgs[0]), "/poai.") }

// books compares the supply of every denomination with what was minted and burnt, and runs the modules' checks.
func (s *Sim) books(events []abci.Event) {
	s.tb.Helper()
	for _, e := range events {
		// What a module gives up on in a branch of its own, it announces so. Only one such failure is meant: no window of sprints while an op is quarantined.
		failed := strings.HasPrefix(e.Type, "poai.") && (strings.HasSuffix(e.Type, ".EventTransitionFailed") || strings.HasSuffix(e.Type, ".EventStepFailed"))
		if failed && !strings.Contains(fmt.Sprint(e), "op is quarantined") {
			s.tb.Fatalf("height %d: %v", s.Height(), e)
		}
	}
	minted, burnt := s.Table.see(events)
	supply := s.coinsThereAre()
	if want := s.supply.Add(minted...).Sub(burnt...); !supply.Equal(want) {
		s.tb.Fatalf("height %d: supply is %s, was %s, minted %s, burnt %s", s.Height(), supply, s.supply, minted, burnt)
	}
	s.supply = supply
	for _, m := range s.modules {
		if m.Check == nil {
			continue
		}
		if err := m.Check(s); err != nil {
			s.tb.Fatalf("height %d: %s: %v", s.Height(), m.Name, err)
		}
	}
}

// coinsThereAre is the supply of every denomination.
func (s *Sim) coinsThereAre() sdk.Coins {
	supply := sdk.NewMapCoins(nil)
	s.App.Bank.IterateTotalSupply(s.Ctx(), func(c sdk.Coin) bool {
		supply.Add(c)
		return false
	})
	return supply.ToCoins()
}

// Report prints what happened, and what became of tasks.
func (s *Sim) Report(w io.Writer) {
	s.Table.Write(w)
	states := make(map[string]int)
	s.must(s.App.Tasks.Statuses.Walk(s.Ctx(), nil, func(_ uint64, st taskstypes.Status) (bool, error) {
		states[st.State.String()]++
		return false, nil
	}))
	fmt.Fprintf(w, "tasks: %s\n", counts(states))
	proposals := make(map[string]int)
	s.must(s.App.Gov.Proposals.Walk(s.Ctx(), nil, func(_ uint64, p govv1.Proposal) (bool, error) {
		proposals[p.Status.String()]++
		if p.FailedReason != "" {
			proposals[p.Summary+": "+p.FailedReason]++
		}
		return false, nil
	}))
	fmt.Fprintf(w, "proposals: %s\n", counts(proposals))
	if rare := append(s.Missing(), s.notSeen(func(m Module) []string { return m.Rare })...); len(rare) > 0 {
		fmt.Fprintf(w, "did not happen in this run: %s\n", strings.Join(rare, ", "))
	}
}

// notSeen are those of the modules' events that never happened.
func (s *Sim) notSeen(of func(Module) []string) (out []string) {
	for _, m := range s.modules {
		for _, e := range of(m) {
			if s.Table.events[e] == 0 {
				out = append(out, e)
			}
		}
	}
	return out
}

// Missing lists operations that were never accepted, and milestones never reached.
func (s *Sim) Missing() (missing []string) {
	for _, m := range s.modules {
		for _, op := range m.Operations {
			if r := s.Table.row(op.Name); !op.Either && (r.accepted == 0 && !op.Refused || r.refused == 0 && op.Refused) {
				missing = append(missing, op.Name)
			}
		}
	}
	return append(missing, s.notSeen(func(m Module) []string { return m.Milestones })...)
}

// chance is true in so many of a million cases; the same case has always the same answer, whoever asks when.
func (s *Sim) chance(ppm uint64, parts ...any) bool { return s.pick(1_000_000, parts...) < ppm }

// pick is a number below n that a case always has.
func (s *Sim) pick(n uint64, parts ...any) uint64 {
	h := fnv.New64a()
	fmt.Fprint(h, s.Seed)
	for _, p := range parts {
		fmt.Fprintf(h, "/%v", p)
	}
	x := h.Sum64()
	x ^= x >> 31
	x *= 0x9E3779B97F4A7C15
	return (x ^ x>>32) % n
}

// must ends the test where reading the state failed.
func (s *Sim) must(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatalf("height %d: %v", s.Height(), err)
	}
}

// found tells whether something is stored.
func (s *Sim) found(err error) bool {
	s.tb.Helper()
	if errors.Is(err, collections.ErrNotFound) {
		return false
	}
	s.must(err)
	return true
}

// anybody is an account that is not a validator's, drawn at random.
func (s *Sim) anybody() *testutil.Account {
	return s.Accounts[validators+s.r.Intn(accounts-validators)]
}

// second is another denomination that fees can be paid in.
const second = "uusd"

// coins of the chain from least up to most, drawn at random.
func (s *Sim) coins(least, most int64) sdk.Coin {
	return sdk.NewInt64Coin(params.Denom, least+s.r.Int63n(most-least+1))
}

func any1[T any](s *Sim, list []T) (x T, ok bool) {
	if len(list) == 0 {
		return x, false
	}
	return list[s.r.Intn(len(list))], true
}

// authority is who may change params.
func (s *Sim) authority() string { return s.App.Gov.GetAuthority() }

// byAddress finds a participant.
func (s *Sim) byAddress(addr string) *person {
	i := slices.IndexFunc(s.people, func(p *person) bool { return p.String() == addr })
	if i < 0 {
		return nil
	}
	return s.people[i]
}
