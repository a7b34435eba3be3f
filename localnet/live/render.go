package live

import (
	"fmt"
	"slices"
	"strings"

	"cosmossdk.io/math"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/localnet/screen"
	taskstypes "poaid/x/tasks/types"
)

// absent tells "there is none" from a failure.
func absent(err error) bool { return status.Code(err) == codes.NotFound }

// decimal writes millionths with so many decimals, at most 6; the rest is cut off.
func decimal(v math.Int, places int) string {
	s := math.LegacyNewDecFromIntWithPrec(v, 6).String()
	if places == 0 {
		places = -1 // no point either
	}
	return s[:len(s)-math.LegacyPrecision+places]
}

func score(of map[string]string, who string) string {
	if s, ok := of[who]; ok {
		return s
	}
	return "–"
}

func newTable(columns ...any) table.Writer {
	t := table.NewWriter()
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.AppendHeader(table.Row(columns))
	return t
}

func alignRight(columns ...string) []table.ColumnConfig {
	var out []table.ColumnConfig
	for _, c := range columns {
		out = append(out, table.ColumnConfig{Name: c, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	return out
}

// render writes the snapshot as a table, and as one line.
func (s *snapshot) render() (text, summary string) {
	var b strings.Builder
	head := fmt.Sprintf("%s · height %d · %.1f blocks/s · %s", s.chainID, s.height(), s.rate, s.agreement())
	fmt.Fprintln(&b, head)
	fmt.Fprintln(&b, s.nodeTable())
	if len(s.participants) > 0 {
		fmt.Fprintln(&b, s.participantTable())
	}
	tasks := s.taskLine()
	fmt.Fprintln(&b, tasks)
	if s.err != nil {
		fmt.Fprintf(&b, "The chain does not answer: %v\n", s.err)
	}
	return b.String(), head + " · " + tasks
}

func (s *snapshot) agreement() string {
	up := 0
	for _, n := range s.nodes {
		if n.up {
			up++
		}
	}
	switch {
	case up == 0:
		return "no node answers"
	case s.agree:
		return fmt.Sprintf("%d of %d nodes up, all have the same app hash at height %d", up, len(s.nodes), s.common)
	}
	return fmt.Sprintf("%d of %d nodes up, app hashes at height %d DIFFER", up, len(s.nodes), s.common)
}

func (s *snapshot) nodeTable() string {
	t := newTable("validator", "height", "peers", fmt.Sprintf("app hash at %d", s.common), "RPC")
	for _, n := range s.nodes {
		if !n.up {
			t.AppendRow(table.Row{n.name, "down", "", "", n.rpc})
			continue
		}
		hash := "?"
		if n.appHash != nil {
			mark := "✗"
			if n.agrees {
				mark = "✓"
			}
			hash = fmt.Sprintf("%x… %s", n.appHash[:min(4, len(n.appHash))], mark)
		}
		t.AppendRow(table.Row{n.name, n.height, n.peers, hash, n.rpc})
	}
	t.SetColumnConfigs(alignRight("height", "peers"))
	return t.Render()
}

func (s *snapshot) participantTable() string {
	now, last := fmt.Sprintf("score, epoch %d", s.epoch), "last score"
	if s.scored > 0 {
		last = fmt.Sprintf("epoch %d", s.scored)
	}
	t := newTable("participant", "bond, poai", "at risk", "at work", "reliability", "units proven", "faults", now, last)
	for _, p := range s.participants {
		reliability := fmt.Sprintf("%d.%d %%", p.reliability/10_000, p.reliability/1_000%10)
		t.AppendRow(table.Row{p.name, p.bond, p.risk, p.working, reliability, p.units, p.faults, p.score, p.last})
	}
	t.SetColumnConfigs(alignRight("bond, poai", "at risk", "at work", "reliability", "units proven", "faults", now, last))
	return t.Render()
}

func (s *snapshot) taskLine() string {
	total, ended := 0, 0
	var states []taskstypes.State
	for state, n := range s.tasks {
		states = append(states, state)
		total += n
		if state >= taskstypes.STATE_FINAL {
			ended += n
		}
	}
	slices.Sort(states)
	var parts []string
	for _, state := range states {
		parts = append(parts, fmt.Sprintf("%d %s", s.tasks[state], strings.TrimPrefix(state.String(), "STATE_")))
	}
	line := fmt.Sprintf("tasks %s %d of %d ended", screen.Bar(ended, total), ended, total)
	if len(parts) > 0 {
		line += " · " + strings.Join(parts, ", ")
	}
	return line
}
