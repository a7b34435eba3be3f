// Package params_test gives every param of every module nonsense, one field at a time.
package params_test

import (
	"fmt"
	gomath "math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"poaid/testutil"
)

// validator is what params must be.
type validator interface{ Validate() error }

// wrong is a value that a field is set to.
type wrong struct {
	name  string
	value reflect.Value
}

var (
	intType  = reflect.TypeFor[math.Int]()
	decType  = reflect.TypeFor[math.LegacyDec]()
	coinType = reflect.TypeFor[sdk.Coin]()
)

// nonsense lists what a field of a type is tried with: nothing, less than nothing, and far too much.
func nonsense(t reflect.Type) (out []wrong) {
	add := func(name string, v any) { out = append(out, wrong{name, reflect.ValueOf(v).Convert(t)}) }
	huge := math.NewInt(1).Mul(math.NewIntFromUint64(1 << 63)).Mul(math.NewIntFromUint64(1 << 63)).Mul(math.NewIntFromUint64(1 << 63)).MulRaw(1 << 60)
	switch t {
	case intType:
		add("nil", math.Int{})
		add("-1", math.NewInt(-1))
		add("0", math.ZeroInt())
		add("2^249", huge)
		return out
	case decType:
		add("nil", math.LegacyDec{})
		add("-1", math.LegacyNewDec(-1))
		add("2", math.LegacyNewDec(2))
		return out
	case coinType:
		add("nil", sdk.Coin{Denom: "upoai"})
		add("-1", sdk.Coin{Denom: "upoai", Amount: math.NewInt(-1)})
		add("no denom", sdk.Coin{Amount: math.OneInt()})
		add("2^249", sdk.Coin{Denom: "upoai", Amount: huge})
		return out
	}
	switch t.Kind() {
	case reflect.Uint32:
		add("0", uint32(0))
		add("max", uint32(gomath.MaxUint32))
	case reflect.Uint64:
		add("0", uint64(0))
		add("max", uint64(gomath.MaxUint64))
	case reflect.Int32:
		add("-1", int32(-1))
		add("0", int32(0))
		add("max", int32(gomath.MaxInt32))
	case reflect.Int64:
		add("-1", int64(-1))
		add("0", int64(0))
		add("max", int64(gomath.MaxInt64))
	case reflect.String:
		add("empty", "")
		add("garbage", "\x00 !")
		add("endless", strings.Repeat("a", 100_000))
	}
	return out
}

// walk calls try for every field that is no struct, with its path.
func walk(v reflect.Value, path string, try func(path string, field reflect.Value)) {
	t := v.Type()
	if t.Kind() != reflect.Struct || t == intType || t == decType || t == coinType {
		try(path, v)
		return
	}
	for i := range v.NumField() {
		if f := t.Field(i); f.IsExported() && !strings.HasPrefix(f.Name, "XXX_") {
			walk(v.Field(i), path+"."+f.Name, try)
		}
	}
}

// lists gives a list nonsense: entries that are there twice, and one of each nonsense in each field of an entry.
func lists(path string, v reflect.Value, judge func(path string)) {
	old := v.Interface()
	set := func(name string, entries ...reflect.Value) {
		list := reflect.MakeSlice(v.Type(), 0, len(entries))
		v.Set(reflect.Append(list, entries...))
		judge(path + "=" + name)
		v.Set(reflect.ValueOf(old))
	}
	var entries []reflect.Value
	for i := range v.Len() {
		entries = append(entries, v.Index(i))
	}
	blank := reflect.New(v.Type().Elem()).Elem()
	set("none")
	set("a blank entry", append(slices.Clone(entries), blank)...)
	if len(entries) == 0 {
		return
	}
	set("an entry twice", append(slices.Clone(entries), entries[0])...)
	walk(entries[0], "", func(sub string, _ reflect.Value) {
		entry := reflect.New(v.Type().Elem()).Elem()
		entry.Set(entries[0])
		walk(entry, "", func(at string, field reflect.Value) {
			if at != sub {
				return
			}
			for _, w := range nonsense(field.Type()) {
				field.Set(w.value)
				set("[0]"+sub+"="+w.name, append([]reflect.Value{entry}, entries[1:]...)...)
			}
		})
	})
}

// modules are those of this chain, by their folders.
func modules(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob("../../x/*/module.go")
	require.NoError(t, err)
	for _, f := range files {
		names = append(names, filepath.Base(filepath.Dir(f)))
	}
	require.Contains(t, names, "tasks")
	return names
}

// paramsOf are a module's default params, ready to be changed.
func paramsOf(t *testing.T, c *testutil.Chain, module string) reflect.Value {
	t.Helper()
	bz, found := c.App.DefaultGenesis()[module]
	require.True(t, found, "module %s has no genesis", module)
	message := proto.MessageType("poai." + module + ".v1.GenesisState")
	require.NotNil(t, message, "genesis of %s", module)
	genesis := reflect.New(message.Elem())
	c.App.Codec.MustUnmarshalJSON(bz, genesis.Interface().(proto.Message))
	p := genesis.Elem().FieldByName("Params")
	require.True(t, p.IsValid(), "genesis of %s has no params", module)
	return p
}

// TestParamsRefuseNonsense sets each field of each module's params to each kind of nonsense: Validate refuses it, or fine says why it makes sense.
func TestParamsRefuseNonsense(t *testing.T) {
	c := testutil.NewApp(t, testutil.Options{})
	for _, module := range modules(t) {
		p := paramsOf(t, c, module)
		v, ok := p.Addr().Interface().(validator)
		require.True(t, ok, "params of %s cannot be validated", module)
		require.NoError(t, v.Validate(), module)
		tried := 0
		judge := func(what string) {
			tried++
			panicked, err := validate(v)
			switch {
			case panicked != nil:
				t.Errorf("%s: Validate panics: %v", what, panicked)
			case err == nil && reason(what) == "":
				t.Errorf("%s: Validate takes it", what)
			case err != nil && reason(what) != "" && !strings.Contains(reason(what), "with others"):
				t.Errorf("%s: listed as fine (%s), refused: %v", what, reason(what), err)
			}
		}
		walk(p, module, func(path string, field reflect.Value) {
			old := reflect.New(field.Type()).Elem()
			old.Set(field)
			switch {
			case field.Kind() == reflect.Slice && field.Type().Elem().Kind() != reflect.Uint8:
				lists(path, field, judge)
			case field.Kind() == reflect.Pointer:
				field.SetZero()
				judge(path + "=nil")
			}
			for _, w := range nonsense(field.Type()) {
				if reflect.DeepEqual(w.value.Interface(), old.Interface()) {
					continue
				}
				field.Set(w.value)
				judge(path + "=" + w.name)
			}
			field.Set(old)
		})
		require.NoError(t, v.Validate(), "%s: put back", module)
		require.Positive(t, tried, module)
		t.Logf("%s: %d values", module, tried)
	}
}

func validate(v validator) (panicked any, err error) {
	defer func() { panicked = recover() }()
	return nil, v.Validate()
}

// reason says why a value makes sense; "" where it does not.
func reason(what string) string { return fine[what] }

// fine are values that look like nonsense and are none.
var fine = map[string]string{
	"disputes.GasPerByte=0":          "moves may be cheaper in gas; attacks are prepaid",
	"disputes.GasPerMacMilli=0":      "as GasPerByte",
	"disputes.GasPerMove=0":          "as GasPerByte",
	"auctions.DepositBps=0":          "bids need no deposit",
	"datasets.CommunityBps=0":        "the owner gets all of the price",
	"datasets.MaxShareBps=0":         "no shares for datasets",
	"delegation.MaxLeverage=0":       "nothing can be delegated",
	"rewards.MaxDelegatorBps=0":      "delegators earn nothing",
	"rewards.Table=none":             "the curve is by halving",
	"training.MinBaseShareBps=0":     "what was trained on need not have a share",
	"grades.AlphaPpb=0":              "bonds never move",
	"grades.PenaltyPpb=0":            "grades above the consensus are clipped and cost nothing more",
	"rewards.MaxEmissionCostBps=0":   "nothing is minted for runs that cost something",
	"tasks.AdversaryPpm=0":           "nobody is assumed to collude",
	"tasks.FeeRates=none":            "fees in fee_denom alone",
	"grades.AbstainSlashBps=0":       "abstaining costs nothing",
	"grades.CreateFee=0":             "contests are free",
	"grades.EntryFee=0":              "entries are free",
	"models.MaxRoyaltyBps=0":         "no royalties",
	"models.MaxVocabularyBytes=0":    "no vocabularies on chain",
	"poai.Capacity.BondPerUnit=0":    "capacity counts for nothing",
	"poai.Capacity.HalvingEpochs=0":  "capacity never halves",
	"poai.Capacity.SprintSharePpm=0": "sprints prove capacity and earn no score",
	"poai.Fault.CorrelationPpm=0":    "lies are not correlated",
	"poai.Fault.MaxTimeouts=0":       "timeouts never jail",
	"poai.Fault.RepeatPpm=0":         "repetition costs nothing extra",
	"poai.Power.ComputePpm=0":        "power by bond alone",
	"poai.Power.MinStake=0":          "no least stake",
	"poai.ReliabilityAbstainPpm=0":   "an abstention takes all reliability",
	"poai.ReliabilityFaultPpm=0":     "a lie takes all reliability",
	"poai.VerifierSharePpm=0":        "verifiers earn fees only",
	"rewards.BlockEmission=0":        "nothing is minted",
	"rewards.HalvingBlocks=max":      "emission never halves",
	"rewards.MaxEmissionPerUnit=0":   "nothing is minted",
	"rewards.VestingBlocks=0":        "claims are paid at once",
	"sprints.DutyPpm=0":              "no sprints",
	"sprints.ValuePrice=0":           "a commit locks what members of its audit do",
	"tasks.AuditAllBelowPpm=0":       "newcomers are audited as anybody",
	"tasks.AuditMinPpm=0":            "no least rate",
	"tasks.BurnBps=0":                "nothing burns",
	"tasks.MaxTip=0":                 "no tips",
	"tasks.PriceChangePpm=0":         "the price is governance's",
	"tasks.ReferenceCost=0":          "audits at the least rate",
	"tasks.TargetUnitsPerBlock=0":    "the price is governance's",
	"tasks.TimeoutSlashBps=0":        "a timeout costs no bond",
	"tasks.UnitPrice=0":              "min_fee is the fee",
	"tasks.VerifierPayBps=0":         "members are paid by block reward alone",
}

// TestNonsenseIsFound has a field without a check: the walk finds it.
func TestNonsenseIsFound(t *testing.T) {
	type inner struct{ Share uint64 }
	type params struct {
		Amount math.Int
		Inner  inner
		Name   string
	}
	p := params{Amount: math.OneInt(), Inner: inner{5}}
	seen := map[string]int{}
	walk(reflect.ValueOf(&p).Elem(), "x", func(path string, field reflect.Value) { seen[path] = len(nonsense(field.Type())) })
	require.Equal(t, map[string]int{"x.Amount": 4, "x.Inner.Share": 2, "x.Name": 3}, seen)
	_, err := os.Stat("params_test.go")
	require.NoError(t, err, "folders of modules are found beside this one")
	require.NotEmpty(t, fmt.Sprint(modules(t)))
}
