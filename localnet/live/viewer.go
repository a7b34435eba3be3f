package live

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	"github.com/cosmos/cosmos-sdk/types/query"

	"poaid/localnet"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	// patience with a node that does not answer.
	patience = 2 * time.Second
	page     = 200
	// maxAsked bounds how many unfinished tasks are asked for in one look.
	maxAsked = 200
)

// nodeView is how one validator stands.
type nodeView struct {
	name, rpc string
	up        bool
	height    int64
	peers     int
	// appHash is that of the height which all answering nodes have; agrees says that it is everybody's.
	appHash []byte
	agrees  bool
}

// participantView is how one participant stands.
type participantView struct {
	name        string
	bond, risk  string // poai
	working     uint32
	reliability uint64 // ppm
	units       uint64
	faults      uint64
	score, last string // units × reliability
}

// snapshot is one look at the network.
type snapshot struct {
	chainID      string
	nodes        []nodeView
	common       int64 // the height of the app hashes
	agree        bool
	rate         float64 // blocks a second
	epoch        uint64
	scored       uint64 // the last epoch with a score
	participants []participantView
	tasks        map[taskstypes.State]int
	err          error // of the queries, if any
}

// viewer asks the network how it does.
type viewer struct {
	layout *localnet.Layout
	client *localnet.Client
	rpc    []*rpchttp.HTTP

	// states of all tasks that were seen; those that have not ended are asked for again.
	states map[uint64]taskstypes.State
	newest uint64
	first  struct {
		height int64
		at     time.Time
	}
}

func newViewer(l *localnet.Layout, c *localnet.Client) (*viewer, error) {
	v := &viewer{layout: l, client: c, states: map[uint64]taskstypes.State{}}
	for _, n := range l.Nodes {
		rpc, err := rpchttp.NewWithTimeout("tcp://"+n.RPC, "/websocket", uint(patience/time.Second))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", n.Name, err)
		}
		v.rpc = append(v.rpc, rpc)
	}
	return v, nil
}

// look asks all nodes at the same time, and the chain after that.
func (v *viewer) look(ctx context.Context) *snapshot {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	s := &snapshot{chainID: v.layout.Config.ChainID, nodes: make([]nodeView, len(v.rpc))}
	v.each(func(i int) { s.nodes[i] = v.node(ctx, i) })
	for _, n := range s.nodes {
		if n.up && (s.common == 0 || n.height < s.common) {
			s.common = n.height
		}
	}
	if s.common > 0 {
		v.each(func(i int) { v.header(ctx, &s.nodes[i], i, s.common) })
	}
	s.compare()
	s.rate = v.rate(s)
	for _, ask := range []func(context.Context, *snapshot) error{v.askParticipants, v.askTasks} {
		if err := ask(ctx, s); err != nil && s.err == nil {
			s.err = err
		}
	}
	return s
}

func (v *viewer) each(f func(i int)) {
	var wg sync.WaitGroup
	for i := range v.rpc {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func (v *viewer) node(ctx context.Context, i int) nodeView {
	n := nodeView{name: v.layout.Nodes[i].Name, rpc: v.layout.Nodes[i].RPC}
	st, err := v.rpc[i].Status(ctx)
	if err != nil {
		return n
	}
	n.up, n.height = true, st.SyncInfo.LatestBlockHeight
	if info, err := v.rpc[i].NetInfo(ctx); err == nil {
		n.peers = info.NPeers
	}
	return n
}

// header reads what the node has at a height. A header's app hash is that of the state before its block.
func (v *viewer) header(ctx context.Context, n *nodeView, i int, height int64) {
	if !n.up {
		return
	}
	if h, err := v.rpc[i].Header(ctx, &height); err == nil && h.Header != nil {
		n.appHash = h.Header.AppHash
	}
}

// compare finds out who agrees with most.
func (s *snapshot) compare() {
	votes := map[string]int{}
	var most []byte
	for _, n := range s.nodes {
		if n.appHash == nil {
			continue
		}
		votes[string(n.appHash)]++
		if votes[string(n.appHash)] > votes[string(most)] {
			most = n.appHash
		}
	}
	s.agree = len(votes) == 1
	for i := range s.nodes {
		s.nodes[i].agrees = s.nodes[i].appHash != nil && bytes.Equal(s.nodes[i].appHash, most)
	}
}

// height is the highest of any node.
func (s *snapshot) height() int64 {
	h := int64(0)
	for _, n := range s.nodes {
		h = max(h, n.height)
	}
	return h
}

// rate is that since the first look.
func (v *viewer) rate(s *snapshot) float64 {
	h := s.height()
	if v.first.at.IsZero() && h > 0 {
		v.first.at, v.first.height = time.Now(), h
	}
	took := time.Since(v.first.at).Seconds()
	if h <= v.first.height || took <= 0 {
		return 0
	}
	return float64(h-v.first.height) / took
}

func (v *viewer) askParticipants(ctx context.Context, s *snapshot) error {
	if len(v.layout.Participants) == 0 {
		return nil
	}
	q := poaitypes.NewQueryClient(v.client.Conn)
	e, err := q.Epoch(ctx, &poaitypes.QueryEpochRequest{})
	if err != nil {
		return fmt.Errorf("epoch: %w", err)
	}
	s.epoch = e.Epoch.Number
	running, _, err := v.scores(ctx, s.epoch)
	if err != nil {
		return err
	}
	last, scored, err := v.scores(ctx, 0)
	if err != nil {
		return err
	}
	s.scored = scored
	for _, p := range v.layout.Participants {
		res, err := q.Participant(ctx, &poaitypes.QueryParticipantRequest{Address: p.Operator})
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
		x := res.Participant
		s.participants = append(s.participants, participantView{
			name: p.Name, bond: decimal(x.Bond, 0), risk: decimal(x.Locked, 0), working: x.Active, reliability: x.ReliabilityPpm,
			units: x.UnitsProven, faults: x.Faults, score: score(running, p.Operator), last: score(last, p.Operator),
		})
	}
	return nil
}

// scores are those of an epoch; 0 means the last one that has any.
func (v *viewer) scores(ctx context.Context, epoch uint64) (map[string]string, uint64, error) {
	scores := map[string]string{}
	req := &poaitypes.QueryScoresRequest{Epoch: epoch, Pagination: &query.PageRequest{Limit: page}}
	for {
		res, err := poaitypes.NewQueryClient(v.client.Conn).Scores(ctx, req)
		if err != nil {
			if absent(err) {
				return scores, 0, nil
			}
			return nil, 0, fmt.Errorf("scores: %w", err)
		}
		for _, x := range res.Scores {
			scores[x.Participant] = decimal(x.Score, 1)
		}
		if len(res.Pagination.GetNextKey()) == 0 {
			return scores, res.Epoch.Number, nil
		}
		req.Epoch, req.Pagination.Key = res.Epoch.Number, res.Pagination.NextKey
	}
}

// askTasks reads new tasks, newest first until one is known, and asks again for those that have not ended.
func (v *viewer) askTasks(ctx context.Context, s *snapshot) error {
	q := taskstypes.NewQueryClient(v.client.Conn)
	defer func() {
		s.tasks = map[taskstypes.State]int{}
		for _, state := range v.states {
			s.tasks[state]++
		}
	}()
	var open []uint64
	for id, state := range v.states {
		if state < taskstypes.STATE_FINAL {
			open = append(open, id)
		}
	}
	slices.Sort(open)
	for _, id := range open[:min(len(open), maxAsked)] {
		res, err := q.Task(ctx, &taskstypes.QueryTaskRequest{Id: id})
		if err != nil {
			return fmt.Errorf("task %d: %w", id, err)
		}
		v.states[id] = res.Status.State
	}
	newest := v.newest
	req := &taskstypes.QueryTasksRequest{Pagination: &query.PageRequest{Limit: page, Reverse: true}}
	for {
		res, err := q.Tasks(ctx, req)
		if err != nil {
			return fmt.Errorf("tasks: %w", err)
		}
		for _, t := range res.Tasks {
			if t.Task.Id <= v.newest {
				v.newest = newest
				return nil
			}
			v.states[t.Task.Id] = t.Status.State
			newest = max(newest, t.Task.Id)
		}
		if len(res.Pagination.GetNextKey()) == 0 {
			v.newest = newest
			return nil
		}
		req.Pagination.Key = res.Pagination.NextKey
	}
}
