package simulation

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"cosmossdk.io/collections"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authzkeeper "github.com/cosmos/cosmos-sdk/x/authz/keeper"
	"github.com/cosmos/cosmos-sdk/x/feegrant"
	slashingtypes "github.com/cosmos/cosmos-sdk/x/slashing/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"poaid/app"
	beacontypes "poaid/x/beacon/types"
	disputestypes "poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

// notExported are keys that an export leaves out, or that a start from one makes anew.
func notExported() map[string][][]byte {
	return map[string][][]byte{
		// Queues whose entries are merged or ordered anew, and what is only kept for IBC.
		stakingtypes.StoreKey: {
			stakingtypes.UnbondingQueueKey, stakingtypes.RedelegationQueueKey, stakingtypes.ValidatorQueueKey, stakingtypes.HistoricalInfoKey,
			stakingtypes.UnbondingIDKey, stakingtypes.UnbondingIndexKey, stakingtypes.UnbondingTypeKey, stakingtypes.ValidatorUpdatesKey,
		},
		authzkeeper.StoreKey:   {authzkeeper.GrantQueuePrefix},
		feegrant.StoreKey:      {feegrant.FeeAllowanceQueueKeyPrefix},
		slashingtypes.StoreKey: {slashingtypes.ValidatorMissedBlockBitmapKeyPrefix},
		// Validators of the next height and of that after it, which a new chain is told by its genesis; the height of the standing; whether the lane
		// of one block was full.
		beacontypes.StoreKey: {{0x04}, {0x05}, {0x06}},
		// How many slots a sortition tree has had, and how many have weight: trees are checked by x/poai's invariants.
		poaitypes.StoreKey:     {{0x10, 0x04}, {0x10, 0x06}},
		disputestypes.StoreKey: {{0x02}},
	}
}

// stale tells entries of queues that nothing follows from any more: they are dropped when their height comes, and exports leave them out.
func (s *Sim) stale(store string, key []byte) bool {
	if len(key) < 9 {
		return false
	}
	if store == poaitypes.StoreKey && key[0] == 0x10 {
		return s.unused(key)
	}
	height := int64(binary.BigEndian.Uint64(key[1:]) ^ 1<<63)
	switch {
	case store == taskstypes.StoreKey && (key[0] == 0x08 || key[0] == 0x09): // due, put off
		st, err := s.App.Tasks.Statuses.Get(s.Ctx(), binary.BigEndian.Uint64(key[9:]))
		return !s.found(err) || st.Due != height
	case store == trainingtypes.StoreKey && key[0] == 0x06: // due
		p, err := s.App.Training.Progress.Get(s.Ctx(), binary.BigEndian.Uint64(key[9:]))
		return !s.found(err) || p.Due != height
	case store == beacontypes.StoreKey && key[0] == 0x03: // keys that were replaced before they acted
		keys, err := s.App.Beacon.Keys.Get(s.Ctx(), key[9:])
		return !s.found(err) || keys.Next.ActiveFrom != height
	}
	return false
}

// unused tells what of a sortition tree follows from nothing that is exported, and is nobody's: slots that were freed behind the last one that is
// taken, and nodes over them. Trees are made anew from slots and weights; draws come out the same.
func (s *Sim) unused(key []byte) bool {
	model, number, ok := strings.Cut(string(key[2:]), "\x00")
	if !ok || len(number) != 8 {
		return false
	}
	n := binary.BigEndian.Uint64([]byte(number))
	slots := uint64(0) // up to the last one taken
	rng := collections.NewPrefixedPairRange[string, uint64](model).Descending()
	s.must(s.App.Poai.Trees.Owners.Walk(s.Ctx(), rng, func(k collections.Pair[string, uint64], _ string) (bool, error) {
		slots = k.K2() + 1
		return true, nil
	}))
	switch key[1] {
	case 0x03: // a free slot
		return n >= slots
	case 0x05: // a node: level and index
		span := uint64(16)
		for range n >> 56 {
			span *= 16
		}
		return n<<8>>8*span >= slots || n>>56 > 0 && span/16 >= slots
	}
	return false
}

// emptyNode tells nodes of sortition trees that nobody has weight in; they are as good as none.
func emptyNode(store string, p [2][]byte) bool {
	return store == poaitypes.StoreKey && bytes.HasPrefix(p[0], []byte{0x10, 0x05}) && len(bytes.Trim(p[1], "\x00")) == 0
}

// compareStores compares the state at an export with the one made from it, key by key.
func (s *Sim) compareStores(was, is *app.App, wasCtx, isCtx sdk.Context) {
	s.tb.Helper()
	keys := make(map[string]storetypes.StoreKey)
	for _, k := range is.StoreKeys() {
		keys[k.Name()] = k
	}
	var found []string
	compared := 0
	for _, k := range was.StoreKeys() {
		if _, kv := k.(*storetypes.KVStoreKey); !kv {
			continue
		}
		skip := notExported()[k.Name()]
		empty := func(p [2][]byte) bool { return emptyNode(k.Name(), p) }
		left := slices.DeleteFunc(pairs(wasCtx.KVStore(k), skip), func(p [2][]byte) bool { return empty(p) || s.stale(k.Name(), p[0]) })
		n, diffs := diff(left, slices.DeleteFunc(pairs(isCtx.KVStore(keys[k.Name()]), skip), empty))
		compared += n
		for _, d := range diffs[:min(len(diffs), 10)] {
			found = append(found, k.Name()+": "+d)
		}
	}
	if len(found) > 0 {
		slices.Sort(found)
		s.tb.Fatalf("height %d: a chain started from the export differs:\n%s", s.Height(), strings.Join(found, "\n"))
	}
	if s.Progress != nil {
		fmt.Fprintf(s.Progress, "height %d: goes on from an export; %d keys of all stores are the same\n", s.Height(), compared)
	}
}

// diff lists the keys in which two stores differ, and counts those compared.
func diff(left, right [][2][]byte) (n int, out []string) {
	for len(left) > 0 || len(right) > 0 {
		n++
		order := 0
		switch {
		case len(left) == 0:
			order = 1
		case len(right) == 0:
			order = -1
		default:
			order = bytes.Compare(left[0][0], right[0][0])
		}
		switch {
		case order < 0:
			out = append(out, fmt.Sprintf("%X is gone: %X", left[0][0], left[0][1]))
			left = left[1:]
		case order > 0:
			out = append(out, fmt.Sprintf("%X is new: %X", right[0][0], right[0][1]))
			right = right[1:]
		default:
			if !bytes.Equal(left[0][1], right[0][1]) {
				out = append(out, fmt.Sprintf("%X is %X, was %X", left[0][0], right[0][1], left[0][1]))
			}
			left, right = left[1:], right[1:]
		}
	}
	return n, out
}

// pairs are the keys and values of a store, but for keys with some prefixes.
func pairs(s storetypes.KVStore, skip [][]byte) (out [][2][]byte) {
	it := s.Iterator(nil, nil)
	defer it.Close()
	for ; it.Valid(); it.Next() {
		k := it.Key()
		if !slices.ContainsFunc(skip, func(p []byte) bool { return bytes.HasPrefix(k, p) }) {
			out = append(out, [2][]byte{bytes.Clone(k), bytes.Clone(it.Value())})
		}
	}
	return out
}
