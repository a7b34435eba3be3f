package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/types/query"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/demo/liar"
	"poaid/localnet/setup"
	disputestypes "poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

// Scenario is a demonstration of what happens to liars.
type Scenario struct {
	Name string
	// Participants is how many processes it needs.
	Participants int
	about        string
	// liars lists the participants that lie, by index. The first participant is the worker, the next three are its committee, whoever is
	// left only watches.
	liars []int
	// sprints: the lie is about leaves, not about a task.
	sprints bool
}

// Disputed tells whether the scenario ends in a game.
func (s Scenario) Disputed() bool { return !s.sprints }

// committee is the number of members.
const committee = 3

// Scenarios lists them.
func Scenarios() []Scenario {
	return []Scenario{
		{"lying-worker", 4, "a worker flips one bit inside its run; the committee is honest", []int{0}, false},
		{"lying-verifier", 4, "a member of the committee attests another root than the honest worker's", []int{1}, false},
		{"lying-majority", 5, "the worker and two of three members tell the same lie; one member and one watcher are honest", []int{0, 1, 2}, false},
		{"lying-sprinter", 5, "a participant computes nine of ten leaves of its sprints and makes up the rest; an audit finds out", []int{0}, true},
	}
}

// ScenarioNamed finds a scenario.
func ScenarioNamed(name string) (Scenario, error) {
	var names []string
	for _, s := range Scenarios() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Scenario{}, fmt.Errorf("scenario: %q, want one of %s", name, strings.Join(names, ", "))
}

func (s Scenario) lies(i int) bool {
	for _, l := range s.liars {
		if l == i {
			return true
		}
	}
	return false
}

// DisputeReport is one game about a task.
type DisputeReport struct {
	Task uint64 `json:"task"`
	// Plaintiff challenges the root that Defendant stands for.
	Plaintiff string `json:"plaintiff"`
	Defendant string `json:"defendant"`
	Rounds    uint64 `json:"rounds"`
	// Node, Op and Element are what was judged; empty where somebody fell silent.
	Node    string `json:"node"`
	Op      string `json:"op"`
	Element string `json:"element"`
	// Verdict is refuted or upheld (by the chain's own computation), silence, moot or replaced.
	Verdict string `json:"verdict"`
	// Slashed is what the loser lost, in upoai.
	Slashed string `json:"slashed"`
	// Blocks is how long it took.
	Blocks int64 `json:"blocks"`

	loser, claimed, value, line string
}

// play is the job of a scenario.
func (r *runner) play(ctx context.Context) error {
	r.screen.Step("scenario %s: %s", r.Scenario.Name, r.Scenario.about)
	if r.Scenario.sprints {
		return r.playSprints(ctx)
	}
	for _, step := range []func(context.Context) error{
		r.set.Join, r.register, r.startScenario, r.submitOne, r.drawCommittee, r.watchDispute, r.checkScenario,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// startScenario starts the processes. Only the worker serves the model, so that it is the one that is drawn.
func (r *runner) startScenario(ctx context.Context) error {
	for i := range r.layout.Participants {
		args := []string{"--watch-rate", "1", "--watch-models", setup.Digits}
		role := "honest"
		if r.Scenario.lies(i) {
			args, role = []string{"--lie", liar.Bit}, "lies"
		}
		if _, err := r.net.StartParticipant(i, args...); err != nil {
			return err
		}
		r.screen.Step("%s started: %s, %s", r.layout.Participants[i].Name, [...]string{"worker", "member", "watcher"}[rank(i)], role)
	}
	return r.serve(ctx, 0)
}

// rank is the part of participant i: worker, member, watcher.
func rank(i int) int {
	switch {
	case i == 0:
		return 0
	case i <= committee:
		return 1
	}
	return 2
}

func (r *runner) serve(ctx context.Context, i int) error { return r.set.Serve(ctx, i, setup.Digits) }

// submitOne submits one picture and waits until the worker has it.
func (r *runner) submitOne(ctx context.Context) error {
	t, err := r.set.DigitTask(ctx, 0)
	if err != nil {
		return err
	}
	if err := r.set.Submit(ctx, t); err != nil {
		return err
	}
	r.tasks = []*submitted{{Task: t}}
	r.screen.Step("task %d submitted: the %s", t.ID, t.Input)
	return r.await(ctx, "assigned", func(v *taskstypes.QueryTaskResponse) bool { return v.Status.Worker != "" })
}

// await polls the task.
func (r *runner) await(ctx context.Context, what string, done func(*taskstypes.QueryTaskResponse) bool) error {
	q := taskstypes.NewQueryClient(r.client.Conn)
	return setup.Poll(ctx, 150*time.Millisecond, func() (bool, error) {
		v, err := q.Task(ctx, &taskstypes.QueryTaskRequest{Id: r.tasks[0].ID})
		if err != nil {
			return false, fmt.Errorf("task %d: %w", r.tasks[0].ID, err)
		}
		r.tasks[0].view = v
		r.screen.Status(fmt.Sprintf("waiting until the task is %s: %s", what, stateName(v.Status.State)))
		return done(v), nil
	})
}

// drawCommittee lets the members serve the model, which makes them the ones that are drawn.
func (r *runner) drawCommittee(ctx context.Context) error {
	r.screen.Step("assigned to %s", r.names.of(r.tasks[0].view.Status.Worker))
	for i := 1; i <= committee; i++ {
		if err := r.serve(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// watchDispute tells the game move by move, until the task has ended. In the end everybody who watched serves too, so that the task does not
// go to liars alone.
func (r *runner) watchDispute(ctx context.Context) error {
	q := disputestypes.NewQueryClient(r.client.Conn)
	told, serving := map[uint32]uint64{}, false
	return r.await(ctx, "argued about and done", func(v *taskstypes.QueryTaskResponse) bool {
		games, err := q.Games(ctx, &disputestypes.QueryGamesRequest{TaskId: r.tasks[0].ID, Pagination: &query.PageRequest{Limit: 100}})
		if err != nil {
			return false // asked again
		}
		for _, g := range games.Games {
			r.tell(told, g)
		}
		if v.Status.Attempt > 1 && !serving {
			for i := committee + 1; i < len(r.layout.Participants); i++ {
				if err := r.serve(ctx, i); err != nil {
					return false
				}
			}
			serving = true
		}
		return isEnd(v.Status.State)
	})
}

// tell shows what is new in a game; told holds its moves, and whether its end was told.
func (r *runner) tell(told map[uint32]uint64, g disputestypes.Game) {
	const over = 1 << 32
	before, seen := told[g.Index]
	if !seen {
		r.screen.Step("game %d: %s challenges the root of %s", g.Index, r.names.of(g.Challenger), r.names.of(g.Defender))
	}
	if g.Moves > before%over {
		r.screen.Step("game %d, move %d: %s", g.Index, g.Moves, g.LastMove)
	}
	told[g.Index] = g.Moves | before&over
	if g.Winner != "" && before < over {
		r.screen.Step("game %d: %s won (%s)", g.Index, r.names.of(g.Winner), verdict(g.Result))
		told[g.Index] |= over
	}
}

func verdict(r disputestypes.GameResult) string {
	return strings.ToLower(strings.TrimPrefix(r.String(), "GAME_RESULT_"))
}

// checkScenario fills the report and names everything that is not as it must be.
func (r *runner) checkScenario(ctx context.Context) error {
	rep := r.tasks[0].reportOf()
	r.report.Tasks = append(r.report.Tasks, rep)
	switch {
	case rep.State == "FINAL" && rep.Output != rep.want:
		r.fail("a lie became final: task %d is %q, want %q", rep.ID, rep.Output, rep.want)
	case rep.State != "FINAL" && rep.State != "EXPIRED":
		r.fail("task %d is %s", rep.ID, rep.State)
	}
	r.report.Labels = LabelReport{Known: 1}
	if rep.Output == rep.want {
		r.report.Labels.Right = 1
	}
	burnt, err := r.disputes(ctx)
	if err != nil {
		return err
	}
	q := poaitypes.NewQueryClient(r.client.Conn)
	for i, p := range r.layout.Participants {
		res, err := q.Participant(ctx, &poaitypes.QueryParticipantRequest{Address: p.Operator})
		if err != nil {
			return fmt.Errorf("participant %s: %w", p.Name, err)
		}
		lost := math.NewInt(setup.Bond * 1_000_000).Sub(res.Participant.Bond)
		if r.Scenario.lies(i) != lost.IsPositive() {
			r.fail("%s lies: %t, and lost %s", p.Name, r.Scenario.lies(i), lost)
		}
		r.report.Bonds = append(r.report.Bonds, BondReport{Participant: p.Operator, Lies: r.Scenario.lies(i), Lost: lost.String()})
		burnt = burnt.Add(lost.AddRaw(1).QuoRaw(2)) // half of every slash burns
	}
	return r.checkSupply(ctx, burnt)
}

// disputes reports all games, and returns what of their stakes was burnt.
func (r *runner) disputes(ctx context.Context) (math.Int, error) {
	q := disputestypes.NewQueryClient(r.client.Conn)
	burnt, id := math.ZeroInt(), r.tasks[0].ID
	c, err := q.Case(ctx, &disputestypes.QueryCaseRequest{TaskId: id})
	if status.Code(errors.Unwrap(err)) == codes.NotFound || status.Code(err) == codes.NotFound {
		r.fail("there was no dispute about task %d", id)
		return burnt, nil
	}
	if err != nil {
		return burnt, fmt.Errorf("case of task %d: %w", id, err)
	}
	games, err := q.Games(ctx, &disputestypes.QueryGamesRequest{TaskId: id, Pagination: &query.PageRequest{Limit: 1000}})
	if err != nil {
		return burnt, fmt.Errorf("games of task %d: %w", id, err)
	}
	for _, g := range games.Games {
		one, err := q.Game(ctx, &disputestypes.QueryGameRequest{TaskId: id, Index: g.Index})
		if err != nil {
			return burnt, fmt.Errorf("game %d of task %d: %w", g.Index, id, err)
		}
		d := DisputeReport{
			Task: id, Plaintiff: g.Challenger, Defendant: g.Defender, Rounds: g.Position.Rounds, Node: one.Story.Where, Op: one.Story.Op,
			Element: one.Story.Element, Verdict: verdict(g.Result), Slashed: "0", Blocks: g.EndedHeight - g.OpenedHeight,
			claimed: one.Story.Claimed, value: one.Story.Value, line: one.Story.Line,
		}
		switch g.Winner {
		case g.Defender:
			d.loser = g.Challenger
			burnt = burnt.Add(g.Stake).SubRaw(int64(min(g.Rules.MoveFee*g.Position.Rounds, g.Stake.Uint64())))
		case g.Challenger:
			d.loser = g.Defender
		}
		if i := r.index(d.loser); i >= 0 && r.Scenario.lies(i) {
			d.Slashed = c.Case.Lock.String()
		}
		r.report.Disputes = append(r.report.Disputes, d)
	}
	if len(r.report.Disputes) == 0 {
		r.fail("no game was played")
	}
	return burnt, nil
}

// index finds a participant, −1 for nobody.
func (r *runner) index(operator string) int {
	for i, p := range r.layout.Participants {
		if p.Operator == operator {
			return i
		}
	}
	return -1
}
