package simulation

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"cosmossdk.io/math"
	abci "github.com/cometbft/cometbft/abci/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// row counts an operation's transactions.
type row struct {
	accepted, refused, idle int
	reasons                 map[string]int
}

// Table counts what happened in a run.
type Table struct {
	rows   map[string]*row
	events map[string]int
	// minted and burnt coins, and slashed by kind of lock.
	minted, burnt sdk.Coins
	slashed       map[string]math.Int
}

func newTable() *Table {
	return &Table{
		rows: make(map[string]*row), events: make(map[string]int), slashed: make(map[string]math.Int),
	}
}

func (t *Table) row(name string) *row {
	if t.rows[name] == nil {
		t.rows[name] = &row{reasons: make(map[string]int)}
	}
	return t.rows[name]
}

// count notes a transaction, or an item of one; reason is empty where it was accepted.
func (t *Table) count(name, reason string) {
	r := t.row(name)
	if reason == "" {
		r.accepted++
		return
	}
	r.refused++
	r.reasons[reason]++
}

// idle notes that an operation had nothing to be done with.
func (t *Table) idle(name string) { t.row(name).idle++ }

// see notes events, and returns what they minted and burnt.
func (t *Table) see(events []abci.Event) (minted, burnt sdk.Coins) {
	for _, e := range events {
		switch e.Type {
		case "coinbase":
			minted = minted.Add(amountOf(e)...)
		case "burn":
			burnt = burnt.Add(amountOf(e)...)
		}
		if !strings.HasPrefix(e.Type, "poai.") {
			continue
		}
		name := e.Type[strings.LastIndex(e.Type, ".")+1:]
		if module := strings.Split(e.Type, ".")[1]; true {
			name = module + " " + strings.TrimPrefix(name, "Event")
		}
		for _, a := range e.Attributes {
			if v := strings.Trim(a.Value, `"`); isEnum(v) {
				name += " " + v
			}
		}
		t.events[name]++
		if strings.HasSuffix(e.Type, ".EventSlashed") {
			t.slash(e)
		}
	}
	t.minted, t.burnt = t.minted.Add(minted...), t.burnt.Add(burnt...)
	return minted, burnt
}

func (t *Table) slash(e abci.Event) {
	var kind string
	amount := math.ZeroInt()
	for _, a := range e.Attributes {
		switch v := strings.Trim(a.Value, `"`); a.Key {
		case "kind":
			kind = v
		case "amount":
			if n, ok := math.NewIntFromString(v); ok {
				amount = n
			}
		}
	}
	if t.slashed[kind].IsNil() {
		t.slashed[kind] = math.ZeroInt()
	}
	t.slashed[kind] = t.slashed[kind].Add(amount)
}

// amountOf is an event's amount.
func amountOf(e abci.Event) (sum sdk.Coins) {
	for _, a := range e.Attributes {
		if a.Key != "amount" {
			continue
		}
		if coins, err := sdk.ParseCoinsNormalized(a.Value); err == nil {
			sum = sum.Add(coins...)
		}
	}
	return sum
}

// isEnum tells names of enums: capitals with an underscore.
func isEnum(v string) bool {
	return strings.Contains(v, "_") && strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == "" && len(v) > 3
}

// Write prints the table.
func (t *Table) Write(w io.Writer) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "operation\ttried\taccepted\trefused\tnothing to do\trefused because\t\n")
	for _, name := range slices.Sorted(maps.Keys(t.rows)) {
		r := t.rows[name]
		fmt.Fprintf(tw, "%s\t%d\t%d\t%d\t%d\t%s\t\n", name, r.accepted+r.refused, r.accepted, r.refused, r.idle, counts(r.reasons))
	}
	fmt.Fprintf(tw, "\nevent\tcount\t\n")
	for _, name := range slices.Sorted(maps.Keys(t.events)) {
		fmt.Fprintf(tw, "%s\t%d\t\n", name, t.events[name])
	}
	tw.Flush()
	fmt.Fprintf(w, "\nminted %s, burnt %s; slashed", t.minted, t.burnt)
	for _, kind := range slices.Sorted(maps.Keys(t.slashed)) {
		fmt.Fprintf(w, " %s %s", kind, t.slashed[kind])
	}
	fmt.Fprintln(w)
}

func counts(m map[string]int) string {
	keys := slices.Sorted(maps.Keys(m))
	slices.SortStableFunc(keys, func(a, b string) int { return m[b] - m[a] })
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s ×%d", k, m[k]))
	}
	return strings.Join(parts, ", ")
}
