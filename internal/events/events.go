// Package events emits typed events without the SDK's way through JSON and a map, which costs more than the state changes that a small
// event is about. What comes out is what EventManager.EmitTypedEvent would have emitted, byte for byte.
package events

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
)

// Emit emits a typed event. Events with fields other than strings, integers, bools, enums and bytes take the SDK's way.
func Emit(ctx context.Context, event proto.Message) error {
	e, err := New(event)
	if err != nil {
		return err
	}
	sdk.UnwrapSDKContext(ctx).EventManager().EmitEvent(e)
	return nil
}

// New makes the event.
func New(event proto.Message) (sdk.Event, error) {
	v := reflect.ValueOf(event)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		return sdk.Event{}, fmt.Errorf("event: %T, want a pointer to a message", event)
	}
	p := planOf(v.Type())
	if p == nil {
		return sdk.TypedEventToEvent(event)
	}
	attrs := make([]sdk.Attribute, len(p.fields))
	for i, f := range p.fields {
		attrs[i] = sdk.NewAttribute(f.name, f.encode(v.Elem().Field(f.index)))
	}
	return sdk.NewEvent(proto.MessageName(event), attrs...), nil
}

// plan says how the fields of an event type are encoded, sorted by name.
type plan struct{ fields []field }

type field struct {
	name   string
	index  int
	encode func(reflect.Value) string
}

// plans are what was worked out, by type: nil for types that take the SDK's way. They depend on the types alone, so that every node has the
// same.
var plans sync.Map

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := makePlan(t.Elem())
	plans.Store(t, p)
	return p
}

func makePlan(t reflect.Type) *plan {
	if t.Kind() != reflect.Struct {
		return nil
	}
	p := &plan{}
	for i := range t.NumField() {
		sf := t.Field(i)
		name := protoName(sf.Tag.Get("protobuf"))
		encode := encoder(sf.Type)
		if name == "" || encode == nil || sf.Tag.Get("protobuf_oneof") != "" {
			return nil
		}
		p.fields = append(p.fields, field{name: name, index: i, encode: encode})
	}
	slices.SortFunc(p.fields, func(a, b field) int { return strings.Compare(a.name, b.name) })
	return p
}

func protoName(tag string) string {
	for part := range strings.SplitSeq(tag, ",") {
		if name, ok := strings.CutPrefix(part, "name="); ok {
			return name
		}
	}
	return ""
}

var (
	stringerType = reflect.TypeFor[fmt.Stringer]()
	bytesType    = reflect.TypeFor[[]byte]()
)

// encoder gives the JSON of a kind of field as protobuf has it: 64-bit integers and enums in quotes.
func encoder(t reflect.Type) func(reflect.Value) string {
	switch {
	case t == bytesType:
		return func(v reflect.Value) string {
			if v.IsNil() {
				return "null"
			}
			return `"` + base64.StdEncoding.EncodeToString(v.Bytes()) + `"`
		}
	case t.Kind() == reflect.Int32 && t.Implements(stringerType):
		return func(v reflect.Value) string {
			name := v.Interface().(fmt.Stringer).String()
			if c := name[0]; c == '-' || c >= '0' && c <= '9' {
				return name // a value without a name
			}
			return `"` + name + `"`
		}
	case t.PkgPath() != "" || t.Implements(stringerType):
		return nil // a custom type
	}
	switch t.Kind() {
	case reflect.String:
		return func(v reflect.Value) string { return quote(v.String()) }
	case reflect.Bool:
		return func(v reflect.Value) string { return strconv.FormatBool(v.Bool()) }
	case reflect.Int64:
		return func(v reflect.Value) string { return `"` + strconv.FormatInt(v.Int(), 10) + `"` }
	case reflect.Uint64:
		return func(v reflect.Value) string { return `"` + strconv.FormatUint(v.Uint(), 10) + `"` }
	case reflect.Int32:
		return func(v reflect.Value) string { return strconv.FormatInt(v.Int(), 10) }
	case reflect.Uint32:
		return func(v reflect.Value) string { return strconv.FormatUint(v.Uint(), 10) }
	}
	return nil
}

// quote is a JSON string. Plain text, which nearly everything is, is not looked at twice.
func quote(s string) string {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			b, err := json.Marshal(s)
			if err != nil { // strings can always be encoded
				panic(err)
			}
			return string(b)
		}
	}
	return `"` + s + `"`
}
