package events_test

import (
	"reflect"
	"strings"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"poaid/internal/events"
	_ "poaid/x/auctions/types"
	_ "poaid/x/beacon/types"
	_ "poaid/x/datasets/types"
	_ "poaid/x/disputes/types"
	_ "poaid/x/lineage/types"
	_ "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	_ "poaid/x/rewards/types"
	_ "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

// eventTypes are all typed events of the chain.
func eventTypes(t *testing.T) []reflect.Type {
	t.Helper()
	files, err := proto.MergedRegistry()
	require.NoError(t, err)
	var out []reflect.Type
	for _, pkg := range []string{"auctions", "beacon", "datasets", "disputes", "lineage", "models", "poai", "rewards", "sprints", "tasks"} {
		path := "poai/" + pkg + "/v1/events.proto"
		file, err := files.FindFileByPath(path)
		if err != nil {
			continue // a module without events
		}
		for i := range file.Messages().Len() {
			name := string(file.Messages().Get(i).FullName())
			typ := proto.MessageType(name)
			require.NotNil(t, typ, name)
			out = append(out, typ)
		}
	}
	require.GreaterOrEqual(t, len(out), 39)
	return out
}

// fill sets the fields that have a plain type.
func fill(t *rapid.T, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch {
		case f.Type() == reflect.TypeFor[[]byte]():
			f.SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "bytes"))
			if rapid.Bool().Draw(t, "nil") {
				f.Set(reflect.Zero(f.Type()))
			}
		case f.Kind() == reflect.String:
			f.SetString(strings.ToValidUTF8(rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~<>&"\\]{0,20}`)).Draw(t, "string"), ""))
		case f.Kind() == reflect.Int32 && f.Type().PkgPath() != "":
			f.SetInt(rapid.Int64Range(-2, 12).Draw(t, "enum"))
		case f.CanInt():
			f.SetInt(rapid.Int64Range(-1<<31, 1<<31-1).Draw(t, "int"))
		case f.CanUint():
			f.SetUint(rapid.Uint64Range(0, 1<<32-1).Draw(t, "uint"))
		case f.Kind() == reflect.Bool:
			f.SetBool(rapid.Bool().Draw(t, "bool"))
		}
	}
}

// TestAsTheSDK compares with the SDK for every event type of the chain and any values.
func TestAsTheSDK(t *testing.T) {
	for _, typ := range eventTypes(t) {
		t.Run(typ.Elem().Name(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				v := reflect.New(typ.Elem())
				fill(t, v.Elem())
				msg := v.Interface().(proto.Message)
				want, wantErr := sdk.TypedEventToEvent(msg)
				got, err := events.New(msg)
				require.Equal(t, wantErr == nil, err == nil)
				require.Equal(t, want, got)
			})
		})
	}
	_, err := events.New((*taskstypes.EventTaskState)(nil))
	require.Error(t, err)
}

func BenchmarkEvent(b *testing.B) {
	msg := &poaitypes.EventSeatChanged{TaskId: 1 << 40, Seat: 3, Participant: strings.Repeat("p", 43), State: poaitypes.SEAT_STATE_SEALED}
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			if _, err := events.New(msg); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sdk", func(b *testing.B) {
		for b.Loop() {
			if _, err := sdk.TypedEventToEvent(msg); err != nil {
				b.Fatal(err)
			}
		}
	})
}
