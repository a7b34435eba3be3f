package types

import (
	"encoding/binary"
	"slices"

	"cosmossdk.io/collections"
)

const (
	// ModuleName names the module and its account, which holds the escrow of unfinished tasks.
	ModuleName = "tasks"
	// StoreKey is the store of the module.
	StoreKey = ModuleName
)

// Prefixes of the collections; see the state table in README.md.
var (
	ParamsKey      = collections.NewPrefix(0)
	TasksKey       = collections.NewPrefix(1)
	StatusesKey    = collections.NewPrefix(2)
	InputsKey      = collections.NewPrefix(3)
	ResultsKey     = collections.NewPrefix(4)
	PaymentsKey    = collections.NewPrefix(5)
	SeenKey        = collections.NewPrefix(7)
	DueKey         = collections.NewPrefix(8)
	RetryKey       = collections.NewPrefix(9)
	BySubmitterKey = collections.NewPrefix(10)
	ByWorkerKey    = collections.NewPrefix(11)
	JackpotKey     = collections.NewPrefix(12)
	AuditPotKey    = collections.NewPrefix(13)
	RunnersKey     = collections.NewPrefix(0x10)
	OpenKey        = collections.NewPrefix(0x11)
	PriceKey       = collections.NewPrefix(0x14)
	ReceiptsKey    = collections.NewPrefix(0x15)
)

// ResultKey is the key of a task's result in the store.
func ResultKey(task uint64) []byte { return taskKey(ResultsKey, task) }

// ReceiptKey is the key of a task's receipt in the store: what its proof is for.
func ReceiptKey(task uint64) []byte { return taskKey(ReceiptsKey, task) }

func taskKey(prefix collections.Prefix, task uint64) []byte {
	return binary.BigEndian.AppendUint64(slices.Clone(prefix.Bytes()), task)
}
