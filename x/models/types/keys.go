package types

import (
	"slices"

	"cosmossdk.io/collections"
)

const (
	// ModuleName names the module and its store. It has no module account.
	ModuleName = "models"
	// StoreKey is the key of the module's store.
	StoreKey = ModuleName
)

// Prefixes of the store. README.md has the table.
var (
	ParamsKey       = collections.NewPrefix(1)
	ModelsKey       = collections.NewPrefix(2)
	ProgramsKey     = collections.NewPrefix(3)
	InterfacesKey   = collections.NewPrefix(4)
	VocabulariesKey = collections.NewPrefix(5)
	UnitsKey        = collections.NewPrefix(6)
	UnitSumsKey     = collections.NewPrefix(7)
)

// ModelKey is the key of a model's record in the store, VocabularyKey that of its vocabulary: what their proofs are for.
func ModelKey(id string) []byte { return slices.Concat(ModelsKey.Bytes(), []byte(id)) }

// VocabularyKey as above.
func VocabularyKey(id string) []byte { return slices.Concat(VocabulariesKey.Bytes(), []byte(id)) }

// Limits on what people read about a model; they are no params, because nothing is gained by changing them.
const (
	// MaxDescriptionBytes bounds the description.
	MaxDescriptionBytes = 1024
	// MaxLabels bounds the number of labels.
	MaxLabels = 4096
	// MaxLabelBytes bounds one label.
	MaxLabelBytes = 64
	// HashBytes is the length of a root or hash.
	HashBytes = 32
)
