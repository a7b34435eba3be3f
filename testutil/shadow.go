package testutil

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	abci "github.com/cometbft/cometbft/abci/types"
	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	storetypes "github.com/cosmos/cosmos-sdk/store/v2/types"
)

// Shadow is a copy of the chain that runs every block in another way and must come to the same state. No copy but the main one
// runs CheckTx.
type Shadow struct {
	Name string
	// Executor is block-stm or sequential (the default).
	Executor string
	// Workers of block-stm; 0 means as many as the machine has cores.
	Workers int
	// PreEstimate tells block-stm which keys a transaction's fee writes.
	PreEstimate bool
	// Crash reopens the application from its committed state before every block, and throws executed blocks away.
	Crash bool
	// CacheSize of the state trees, in nodes; caches must not be seen in results.
	CacheSize int
}

// Shadows that differ from the main copy in one thing each.
var (
	shadowPlain    = Shadow{Name: "no CheckTx"}
	shadowCrash    = Shadow{Name: "crash before each block", Crash: true}
	shadowParallel = Shadow{Name: "parallel", Executor: serverconfig.BlockExecutorBlockSTM, Workers: 4}
	shadowEstimate = Shadow{Name: "parallel with estimates", Executor: serverconfig.BlockExecutorBlockSTM, Workers: 2, PreEstimate: true}
)

// AllShadows are all ways of running a block that must agree.
func AllShadows() []Shadow {
	return []Shadow{shadowPlain, shadowCrash, shadowParallel, shadowEstimate}
}

// ParallelShadow runs blocks by Block-STM with the given number of workers.
func ParallelShadow(workers int) Shadow {
	s := shadowParallel
	s.Workers = workers
	return s
}

// compare fails the test where a shadow came to another result than the main copy.
func (c *Chain) compare(n *node, want, got *abci.ResponseFinalizeBlock) {
	c.tb.Helper()
	at := fmt.Sprintf("height %d: shadow %q", c.node.app.LastBlockHeight(), n.shadow.Name)
	for i, w := range want.TxResults {
		if d := diffResult(w, got.TxResults[i]); d != "" {
			c.tb.Fatalf("%s: transaction %d: %s", at, i, d)
		}
	}
	if !reflect.DeepEqual(want.Events, got.Events) {
		c.tb.Fatalf("%s: block events differ:\n%v\n%v", at, want.Events, got.Events)
	}
	if !reflect.DeepEqual(want.ValidatorUpdates, got.ValidatorUpdates) {
		c.tb.Fatalf("%s: validator updates differ: %v and %v", at, want.ValidatorUpdates, got.ValidatorUpdates)
	}
	if !bytes.Equal(want.AppHash, got.AppHash) {
		c.tb.Fatalf("%s: app hash %X, want %X; stores that differ: %s", at, got.AppHash, want.AppHash, strings.Join(differingStores(c.node, n), ", "))
	}
}

// diffResult says how two results of a transaction differ. Logs are no part of consensus.
func diffResult(want, got *abci.ExecTxResult) string {
	switch {
	case want.Code != got.Code || want.Codespace != got.Codespace:
		return fmt.Sprintf("code %d of %q, want %d of %q: %s / %s", got.Code, got.Codespace, want.Code, want.Codespace, got.Log, want.Log)
	case want.GasUsed != got.GasUsed || want.GasWanted != got.GasWanted:
		return fmt.Sprintf("gas %d/%d, want %d/%d", got.GasUsed, got.GasWanted, want.GasUsed, want.GasWanted)
	case !bytes.Equal(want.Data, got.Data):
		return fmt.Sprintf("data %X, want %X", got.Data, want.Data)
	case !reflect.DeepEqual(want.Events, got.Events):
		return fmt.Sprintf("events\n%v\nwant\n%v", got.Events, want.Events)
	}
	return ""
}

// differingStores names the stores whose committed hashes differ.
func differingStores(a, b *node) []string {
	type committer interface {
		GetCommitInfo(version int64) (*storetypes.CommitInfo, error)
	}
	hashes := func(n *node) map[string][]byte {
		cms, ok := n.app.CommitMultiStore().(committer)
		if !ok {
			return nil
		}
		info, err := cms.GetCommitInfo(n.app.LastBlockHeight())
		if err != nil {
			return nil
		}
		m := make(map[string][]byte, len(info.StoreInfos))
		for _, s := range info.StoreInfos {
			m[s.Name] = s.CommitId.Hash
		}
		return m
	}
	var names []string
	other := hashes(b)
	for name, hash := range hashes(a) {
		if !bytes.Equal(hash, other[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
