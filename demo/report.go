package demo

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"cosmossdk.io/math"
	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Report is what the demo saw. Its JSON form is the contract of --json.
type Report struct {
	Tasks   []TaskReport   `json:"tasks"`
	Scores  []ScoreReport  `json:"scores"`
	Rewards []RewardReport `json:"rewards"`
	Supply  SupplyReport   `json:"supply"`
	Labels  LabelReport    `json:"labels"`
	// Disputes are the games of a scenario, Bonds what each participant lost.
	Disputes []DisputeReport `json:"disputes,omitempty"`
	Bonds    []BondReport    `json:"bonds,omitempty"`
	Seconds  float64         `json:"seconds"`
	// Failures says why the demo did not pass; empty when it did.
	Failures []string `json:"failures"`
}

// TaskReport is one task as it ended.
type TaskReport struct {
	ID        uint64   `json:"id"`
	Model     string   `json:"model"`
	State     string   `json:"state"`
	Output    string   `json:"output"`
	Units     uint64   `json:"units"`
	Fee       string   `json:"fee"`
	Worker    string   `json:"worker"`
	Committee []string `json:"committee"`
	// Forced: the worker had to seal a wrong root, and proved it.
	Forced bool `json:"forced"`

	input string
	want  string
}

// ScoreReport is a participant's score in an epoch, in units.
type ScoreReport struct {
	Participant string `json:"participant"`
	Epoch       uint64 `json:"epoch"`
	Score       string `json:"score"`
}

// RewardReport is what a participant claimed, in upoai, and the capacity it proved, in units per block.
type RewardReport struct {
	Participant string `json:"participant"`
	Claimed     string `json:"claimed"`
	Capacity    uint64 `json:"capacity"`
}

// SupplyReport shows that coins are conserved: genesis + minted − burnt = supply.
type SupplyReport struct {
	Genesis string `json:"genesis"`
	Minted  string `json:"minted"`
	Burnt   string `json:"burnt"`
	Supply  string `json:"supply"`
}

// LabelReport counts right answers among tasks whose answer is known.
type LabelReport struct {
	Right int `json:"right"`
	Known int `json:"known"`
}

// BondReport is what a participant lost of its bond, in upoai, and the capacity that it has, in units per block.
type BondReport struct {
	Participant string `json:"participant"`
	Lies        bool   `json:"lies"`
	Lost        string `json:"lost"`
	Capacity    uint64 `json:"capacity"`
}

// names turns addresses into the short names of the network.
type names map[string]string

func (n names) of(addr string) string {
	if s, ok := n[addr]; ok {
		return s
	}
	return addr
}

// JSON writes the report as one document.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// Tables writes the report for people.
func (r *Report) Tables(w io.Writer, n names) {
	if len(r.Tasks) > 0 {
		r.taskTable(w, n)
	}
	switch {
	case len(r.Disputes) > 0:
		r.disputeTables(w, n)
	case len(r.Bonds) > 0:
		r.bondTable(w, n)
	default:
		r.rewardTables(w, n)
	}
	fmt.Fprintf(w, "Supply: genesis %s + minted %s − burnt %s = %s\n",
		poai(r.Supply.Genesis), poai(r.Supply.Minted), poai(r.Supply.Burnt), poai(r.Supply.Supply))
	if r.Labels.Known > 0 {
		fmt.Fprintf(w, "Known answers: %d of %d right\n", r.Labels.Right, r.Labels.Known)
	}
}

func (r *Report) taskTable(w io.Writer, n names) {
	t := newTable(w, "Tasks", "task", "model", "input", "answer", "worker", "committee", "units", "fee", "state")
	for _, x := range r.Tasks {
		committee := make([]string, len(x.Committee))
		for i, c := range x.Committee {
			committee[i] = n.of(c)
		}
		t.AppendRow(table.Row{x.ID, x.Model, x.input, oneLine(x.Output), n.of(x.Worker), strings.Join(committee, " "), x.Units, poai(x.Fee), x.State})
	}
	t.SetColumnConfigs([]table.ColumnConfig{
		{Name: "input", WidthMax: 24, WidthMaxEnforcer: text.WrapSoft},
		{Name: "answer", WidthMax: 48, WidthMaxEnforcer: text.WrapSoft},
		{Name: "units", Align: text.AlignRight},
		{Name: "fee", Align: text.AlignRight},
	})
	t.Render()
}

func (r *Report) disputeTables(w io.Writer, n names) {
	t := newTable(w, "Disputes", "task", "plaintiff", "defendant", "rounds", "where", "op", "element", "claimed", "the chain's", "verdict", "slashed", "blocks")
	for _, d := range r.Disputes {
		t.AppendRow(table.Row{
			d.Task, n.of(d.Plaintiff), n.of(d.Defendant), d.Rounds, d.Node, d.Op, d.Element, d.claimed, d.value, d.Verdict, poai(d.Slashed), d.Blocks,
		})
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Name: "slashed", Align: text.AlignRight}})
	t.Render()
	r.bondTable(w, n)
}

func (r *Report) bondTable(w io.Writer, n names) {
	t := newTable(w, "Bonds", "participant", "lies", "lost", "capacity, units a block")
	for _, b := range r.Bonds {
		t.AppendRow(table.Row{n.of(b.Participant), b.Lies, poai(b.Lost), b.Capacity})
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Name: "lost", Align: text.AlignRight}, {Name: "capacity, units a block", Align: text.AlignRight}})
	t.Render()
}

func (r *Report) rewardTables(w io.Writer, n names) {
	t := newTable(w, "PoAI score", "epoch", "participant", "units × reliability")
	for _, x := range r.Scores {
		t.AppendRow(table.Row{x.Epoch, n.of(x.Participant), x.Score})
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Name: "units × reliability", Align: text.AlignRight}})
	t.Render()

	t = newTable(w, "Block reward claimed", "participant", "capacity, units a block", "claimed")
	for _, x := range r.Rewards {
		t.AppendRow(table.Row{n.of(x.Participant), x.Capacity, poai(x.Claimed)})
	}
	t.SetColumnConfigs([]table.ColumnConfig{{Name: "capacity, units a block", Align: text.AlignRight}, {Name: "claimed", Align: text.AlignRight}})
	t.Render()
}

func newTable(w io.Writer, title string, columns ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	t.SetStyle(style)
	t.SetTitle(title)
	t.AppendHeader(table.Row(columns))
	return t
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// poai writes an amount of upoai in poai.
func poai(amount string) string {
	v, ok := math.NewIntFromString(amount)
	if !ok {
		return amount
	}
	return millionths(v, 6) + " poai"
}

// millionths writes v/10^6 with so many decimals, at most 6; the rest is cut off.
func millionths(v math.Int, places int) string {
	s := math.LegacyNewDecFromIntWithPrec(v, 6).String()
	return s[:len(s)-math.LegacyPrecision+places]
}
