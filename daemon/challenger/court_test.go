package challenger_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/chain/chaintest"
	"poaid/engine"
	"poaid/engine/graphpb"
	"poaid/game"
	disputestypes "poaid/x/disputes/types"
	modelstypes "poaid/x/models/types"
	taskstypes "poaid/x/tasks/types"
)

// Windows in blocks.
const (
	challengeBlocks = 20
	claimBlocks     = 25
)

// court is x/disputes in small: it follows ADR 7 and runs game.Game, on top of chaintest's blocks and mempool.
type court struct {
	mu      sync.Mutex
	chain   *chaintest.Chain
	params  disputestypes.Params
	tick    uint64
	matters map[uint64]*matter
	news    map[int64]chain.News
	models  map[string]*registered
	blobs   map[string][]byte // by content id
	// faults, if set, is asked before every read.
	faults func(call string) error
	// broken lists what no honest party may do.
	broken []string
	moves  int // accepted
}

type registered struct {
	model   modelstypes.Model
	prog    *engine.Program
	weights *engine.Weights
}

// matter is a task with its case.
type matter struct {
	task    taskstypes.Task
	status  taskstypes.Status
	inputs  []taskstypes.NamedTensor
	bound   *engine.Inputs
	machine *game.ProgramMachine
	weights commit.Hash
	truth   commit.Hash

	cs      *disputestypes.Case
	claims  []disputestypes.Claim
	games   []disputestypes.Game
	demands []disputestypes.Demand
}

var (
	errTurn   = errors.New("not your turn")
	errStale  = errors.New("stale move")
	errState  = errors.New("wrong state")
	errParty  = errors.New("no claim")
	errSilent = errors.New("defender is not silent")
)

func (c *court) breach(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...))
}

// Save implements chaintest.Module.
func (c *court) Save() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := map[uint64]*matter{}
	for id, m := range c.matters {
		x := *m
		if m.cs != nil {
			cs := *m.cs
			x.cs = &cs
		}
		x.claims, x.games, x.demands = slices.Clone(m.claims), slices.Clone(m.games), slices.Clone(m.demands)
		kept[id] = &x
	}
	broken, moves := slices.Clone(c.broken), c.moves
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.matters, c.broken, c.moves = kept, broken, moves
	}
}

// Handle implements chaintest.Module.
func (c *court) Handle(msg sdk.Msg, height int64) (proto.Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m := msg.(type) {
	case *disputestypes.MsgClaim:
		return &disputestypes.MsgClaimResponse{}, c.claim(m.TaskId, m.Participant, m.ResultRoot, height)
	case *disputestypes.MsgAttack:
		return &disputestypes.MsgAttackResponse{}, c.attack(m, height)
	case *disputestypes.MsgDefend:
		return &disputestypes.MsgDefendResponse{}, c.defend(m, height)
	case *disputestypes.MsgMove:
		return &disputestypes.MsgMoveResponse{}, c.move(m, height)
	case *disputestypes.MsgDemandBytes:
		return &disputestypes.MsgDemandBytesResponse{}, c.demand(m, height)
	case *disputestypes.MsgProduceBytes:
		return &disputestypes.MsgProduceBytesResponse{}, c.produce(m)
	}
	return nil, fmt.Errorf("message %T", msg)
}

func (m *matter) claimOf(who string) *disputestypes.Claim {
	for i := range m.claims {
		if m.claims[i].Participant == who {
			return &m.claims[i]
		}
	}
	return nil
}

func (m *matter) living(root []byte) (n int) {
	for _, c := range m.claims {
		if bytes.Equal(c.ResultRoot, root) && !c.Beaten {
			n++
		}
	}
	return n
}

func (m *matter) stand(who string, root []byte, kind disputestypes.ClaimKind, height int64) {
	m.claims = append(m.claims, disputestypes.Claim{
		TaskId: m.task.Id, Attempt: 1, Order: uint32(len(m.claims)), Participant: who, ResultRoot: root, Kind: kind, Height: height,
	})
	if m.cs != nil {
		m.cs.Claims = uint32(len(m.claims))
	}
}

func (c *court) open(m *matter, cause string, height int64) {
	m.status.State = taskstypes.STATE_DISPUTED
	m.cs = &disputestypes.Case{
		TaskId: m.task.Id, Attempt: 1, State: disputestypes.CASE_STATE_OPEN, Cause: cause, OpenedHeight: height,
		ClaimUntil: max(m.status.Deadline, height+claimBlocks), WorkerRoot: m.status.ResultRoot, Lock: m.task.Lock,
	}
	m.cs.SupportUntil = m.cs.ClaimUntil + claimBlocks
	m.stand(m.status.Worker, m.status.ResultRoot, disputestypes.CLAIM_KIND_WORKER, height)
}

func (c *court) claim(task uint64, who string, root []byte, height int64) error {
	m, ok := c.matters[task]
	switch {
	case !ok:
		return chain.ErrNotFound
	case m.cs == nil && (m.status.State != taskstypes.STATE_REVEALED || height > m.status.Deadline || bytes.Equal(root, m.status.ResultRoot)):
		return errState
	case m.cs == nil:
		c.open(m, "claim", height)
	case m.cs.State != disputestypes.CASE_STATE_OPEN || height > m.cs.SupportUntil || m.claimOf(who) != nil:
		return errState
	}
	living := m.living(root)
	if living == 0 && height > m.cs.ClaimUntil {
		return errState
	}
	m.stand(who, root, disputestypes.CLAIM_KIND_CHALLENGE, height)
	if living > 0 {
		return nil
	}
	target := &m.claims[0]
	for i := range m.claims {
		if t := &m.claims[i]; target.Beaten && !t.Beaten && !bytes.Equal(t.ResultRoot, root) {
			target = t
		}
	}
	if target.Beaten {
		return nil
	}
	return c.begin(m, target.Participant, who, 0, height)
}

// begin opens a game.
func (c *court) begin(m *matter, defender, challenger string, stake, height int64) error {
	d, ch := m.claimOf(defender), m.claimOf(challenger)
	g := disputestypes.Game{
		TaskId: m.task.Id, Index: uint32(len(m.games) + 1), Attempt: 1, Defender: defender, Challenger: challenger,
		Root: d.ResultRoot, Rival: ch.ResultRoot, OpenedHeight: height, Stake: math.NewInt(stake),
		Rules: disputestypes.Rules{
			Arity: c.params.Arity, ClockBase: c.params.ClockBase, ClockUnitsPerTick: c.params.ClockUnitsPerTick, ClockReserve: c.params.ClockReserve,
			BurnBps: c.params.BurnBps,
		},
	}
	setup, err := disputestypes.NewSetup(g, m.machine, m.task, m.weights)
	if err != nil {
		return err
	}
	start, err := game.New(setup)
	if err != nil {
		return err
	}
	c.place(&g, start)
	if stake > 0 {
		ch.Attacking++
	}
	m.games = append(m.games, g)
	return nil
}

// place stores a position and starts its clock.
func (c *court) place(g *disputestypes.Game, at game.Game) {
	g.Position = disputestypes.EncodePosition(at.Position)
	g.Tick, g.Due = c.tick, c.tick+at.Left()
}

// resume is a game with its clock run up to now.
func (c *court) resume(m *matter, g *disputestypes.Game) (game.Game, error) {
	setup, err := disputestypes.NewSetup(*g, m.machine, m.task, m.weights)
	if err != nil {
		return game.Game{}, err
	}
	pos, err := disputestypes.DecodePosition(g.Position)
	if err != nil {
		return game.Game{}, err
	}
	return game.Resume(setup, pos).Advance(c.tick - g.Tick), nil
}

func (c *court) attack(msg *disputestypes.MsgAttack, height int64) error {
	m, ok := c.matters[msg.TaskId]
	if !ok || m.cs == nil || m.cs.State != disputestypes.CASE_STATE_OPEN {
		return errState
	}
	mine, target := m.claimOf(msg.Participant), m.claimOf(msg.Target)
	if mine == nil || target == nil || mine.Beaten || target.Beaten || bytes.Equal(mine.ResultRoot, target.ResultRoot) {
		return errParty
	}
	if mine.Attacking >= c.params.MaxParallel {
		return errors.New("too many games")
	}
	for _, g := range m.games {
		if alive(&g) && (g.Defender == msg.Target && g.Challenger == msg.Participant || g.Challenger == msg.Target && g.Defender == msg.Participant) {
			return errors.New("the same two play already")
		}
	}
	return c.begin(m, msg.Target, msg.Participant, 1_000_000, height)
}

func alive(g *disputestypes.Game) bool { return g.Result == disputestypes.GAME_RESULT_UNSPECIFIED }

func (m *matter) game(index uint32) *disputestypes.Game {
	if index < 1 || int(index) > len(m.games) {
		return nil
	}
	return &m.games[index-1]
}

func (c *court) defend(msg *disputestypes.MsgDefend, height int64) error {
	m, ok := c.matters[msg.TaskId]
	if !ok || m.game(msg.Game) == nil || !alive(m.game(msg.Game)) {
		return errState
	}
	g, mine := m.game(msg.Game), m.claimOf(msg.Participant)
	switch {
	case mine == nil || mine.Beaten || mine.Relieved || m.claimOf(g.Defender).Relieved || !bytes.Equal(mine.ResultRoot, g.Root) || g.Defender == msg.Participant:
		return errParty
	case game.Side(g.Position.Mover) != game.Defender || 2*(c.tick-g.Tick) < min(g.Position.MoveLeft, g.Position.TotalLeftDefender):
		return errSilent
	}
	m.claimOf(g.Defender).Relieved = true
	c.end(m, g, disputestypes.GAME_RESULT_REPLACED, "", height)
	return c.begin(m, msg.Participant, g.Challenger, 0, height)
}

func (c *court) move(msg *disputestypes.MsgMove, height int64) error {
	m, ok := c.matters[msg.TaskId]
	if !ok || m.game(msg.Game) == nil {
		return chain.ErrNotFound
	}
	g := m.game(msg.Game)
	switch {
	case !alive(g):
		return errors.New("game is over")
	case player(g, game.Side(g.Position.Mover)) != msg.Participant:
		return errTurn
	case msg.Moves != g.Moves:
		return errStale
	}
	at, err := c.resume(m, g)
	if err != nil {
		return err
	}
	if proto.Size(msg) > disputestypes.MaxMoveBytes {
		c.breach("a move of %d bytes", proto.Size(msg))
	}
	mv, err := disputestypes.DecodeMove(&msg.Move)
	if err != nil {
		return err
	}
	next, err := at.Apply(mv)
	if err != nil {
		return err
	}
	c.moves++
	g.Moves++
	c.place(g, next)
	c.settle(m, g, next, height)
	return nil
}

func player(g *disputestypes.Game, s game.Side) string {
	switch s {
	case game.Defender:
		return g.Defender
	case game.Challenger:
		return g.Challenger
	}
	return ""
}

// settle ends a game that is decided.
func (c *court) settle(m *matter, g *disputestypes.Game, at game.Game, height int64) {
	if at.Winner() == game.Nobody {
		return
	}
	result := map[game.Reason]disputestypes.GameResult{
		game.ReasonSilence: disputestypes.GAME_RESULT_SILENCE, game.ReasonRefuted: disputestypes.GAME_RESULT_REFUTED, game.ReasonUpheld: disputestypes.GAME_RESULT_UPHELD,
	}[at.Reason]
	g.Position = disputestypes.EncodePosition(at.Position)
	c.end(m, g, result, player(g, at.Winner()), height)
	loser := m.claimOf(player(g, at.Winner().Other()))
	if loser.Beaten {
		return
	}
	loser.Beaten, loser.BeatenBy, loser.BeatenIn = true, g.Winner, g.Index
	for i := range m.games {
		if x := &m.games[i]; alive(x) && (x.Defender == loser.Participant || x.Challenger == loser.Participant) {
			c.end(m, x, disputestypes.GAME_RESULT_MOOT, "", height)
		}
	}
}

func (c *court) end(m *matter, g *disputestypes.Game, how disputestypes.GameResult, winner string, height int64) {
	g.Result, g.Winner, g.EndedHeight = how, winner, height
	if g.Stake.IsPositive() {
		m.claimOf(g.Challenger).Attacking--
	}
}

func (c *court) demand(msg *disputestypes.MsgDemandBytes, height int64) error {
	m, ok := c.matters[msg.TaskId]
	if !ok || msg.Count < 1 || msg.Count > disputestypes.MaxDemandChunks {
		return errState
	}
	m.demands = append(m.demands, disputestypes.Demand{
		TaskId: msg.TaskId, Index: uint32(len(m.demands) + 1), Demander: msg.Participant, Source: msg.Source, Name: msg.Name,
		First: msg.First, Count: msg.Count, Deadline: height + 10, Fee: math.OneInt(),
	})
	n := c.news[height]
	n.Demanded = append(slices.Clone(n.Demanded), msg.TaskId)
	c.news[height] = n
	return nil
}

func (c *court) produce(msg *disputestypes.MsgProduceBytes) error {
	m, ok := c.matters[msg.TaskId]
	if !ok || msg.Demand < 1 || int(msg.Demand) > len(m.demands) {
		return chain.ErrNotFound
	}
	d := &m.demands[msg.Demand-1]
	names, under := m.machine.Inputs(), commit.Hash(m.task.InputRoot)
	if d.Source == disputestypes.SOURCE_WEIGHT {
		names, under = m.machine.Weights(), m.weights
	}
	at := slices.Index(names, d.Name)
	var dtype graphpb.DType
	var shape []int64
	if d.Source == disputestypes.SOURCE_WEIGHT {
		spec := c.models[m.task.Model].prog.WeightSpecs()[at]
		dtype, shape = spec.DType, spec.Shape
	} else {
		x := m.bound.Tensors()[at]
		dtype, shape = x.DType(), x.Shape()
	}
	hashes := func(list [][]byte) (out []commit.Hash) {
		for _, b := range list {
			out = append(out, commit.Hash(b))
		}
		return out
	}
	entry := commit.Named{Name: d.Name, Root: commit.Hash(msg.TensorRoot)}
	if err := commit.VerifyNamed(under, uint64(len(names)), uint64(at), []commit.Named{entry}, hashes(msg.Member)); err != nil {
		return err
	}
	if msg.Range.First != d.First {
		return errors.New("other chunks")
	}
	if err := commit.VerifyTensorRange(entry.Root, uint8(dtype), shape, d.First, msg.Range.Data, hashes(msg.Range.Siblings)); err != nil {
		return err
	}
	d.Producer = msg.Producer
	return nil
}

// EndBlock implements chaintest.Module.
func (c *court) EndBlock(height int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tick++
	for _, id := range slices.Sorted(maps.Keys(c.matters)) {
		m := c.matters[id]
		if m.cs == nil || m.cs.State != disputestypes.CASE_STATE_OPEN {
			if m.cs == nil && m.status.State == taskstypes.STATE_REVEALED && height > m.status.Deadline {
				m.status.State = taskstypes.STATE_FINAL
			}
			continue
		}
		c.runClocks(m, height)
		c.decide(m, height)
	}
}

func (c *court) runClocks(m *matter, height int64) {
	for i := range m.games {
		g := &m.games[i]
		if !alive(g) || g.Due >= c.tick {
			continue
		}
		at, err := c.resume(m, g)
		if err != nil {
			c.breach("game %d/%d: %v", m.task.Id, g.Index, err)
			continue
		}
		c.settle(m, g, at, height)
	}
}

// decide ends a case, or pairs its oldest claims when nobody plays.
func (c *court) decide(m *matter, height int64) {
	var roots [][]byte
	running := 0
	var heads []string
	for _, cl := range m.claims {
		if !cl.Beaten && !slices.ContainsFunc(roots, func(r []byte) bool { return bytes.Equal(r, cl.ResultRoot) }) {
			roots, heads = append(roots, cl.ResultRoot), append(heads, cl.Participant)
		}
	}
	for i := range m.games {
		if alive(&m.games[i]) {
			running++
		}
	}
	m.cs.Roots, m.cs.Running = uint32(len(roots)), uint32(running)
	switch {
	case running > 0:
	case len(roots) > 1:
		if err := c.begin(m, heads[0], heads[1], 0, height); err != nil {
			c.breach("pairing in %d: %v", m.task.Id, err)
		}
	case height > m.cs.SupportUntil:
		m.cs.State, m.cs.ClosedHeight = disputestypes.CASE_STATE_CLOSED, height
		m.status.State = taskstypes.STATE_REFUNDED
		if len(roots) == 1 {
			m.cs.ValidRoot = roots[0]
			if bytes.Equal(roots[0], m.status.ResultRoot) {
				m.status.State = taskstypes.STATE_FINAL
			}
		}
	}
}
