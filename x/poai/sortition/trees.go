package sortition

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
)

// Errors of the trees.
var (
	ErrServing    = errors.New("already has a slot")
	ErrNotServing = errors.New("has no slot")
	ErrFull       = errors.New("sortition tree is full")
	ErrWeight     = errors.New("weight is too large")
	ErrCorrupt    = errors.New("sortition tree is corrupt")
)

// Trees are the sortition trees of all models.
type Trees struct {
	Slots  collections.Map[collections.Pair[string, string], uint64] // (model, participant) -> slot
	Served collections.KeySet[collections.Pair[string, string]]      // (participant, model)
	Owners collections.Map[collections.Pair[string, uint64], string] // (model, slot) -> participant
	Free   collections.KeySet[collections.Pair[string, uint64]]      // (model, slot) freed and not reused yet
	Heads  collections.Map[string, uint64]                           // model -> number of slots ever used
	Nodes  collections.Map[collections.Pair[string, uint64], []byte] // (model, level and index) -> node
	Counts collections.Map[string, uint64]                           // model -> number of slots with weight
}

// New adds the trees' maps to a schema, under prefixes that start with the given byte.
func New(sb *collections.SchemaBuilder, prefix byte) Trees {
	at := func(i byte) collections.Prefix { return collections.NewPrefix([]byte{prefix, i}) }
	names := collections.PairKeyCodec(collections.StringKey, collections.StringKey)
	numbers := collections.PairKeyCodec(collections.StringKey, collections.Uint64Key)
	return Trees{
		Slots:  collections.NewMap(sb, at(0), "sortition_slots", names, collections.Uint64Value),
		Served: collections.NewKeySet(sb, at(1), "sortition_served", names),
		Owners: collections.NewMap(sb, at(2), "sortition_owners", numbers, collections.StringValue),
		Free:   collections.NewKeySet(sb, at(3), "sortition_free", numbers),
		Heads:  collections.NewMap(sb, at(4), "sortition_heads", collections.StringKey, collections.Uint64Value),
		Nodes:  collections.NewMap(sb, at(5), "sortition_nodes", numbers, collections.BytesValue),
		Counts: collections.NewMap(sb, at(6), "sortition_counts", collections.StringKey, collections.Uint64Value),
	}
}

// Add gives a participant the lowest free slot of a model's tree.
func (t Trees) Add(ctx context.Context, model, participant string, weight uint64) (slot uint64, err error) {
	slot, err = t.freeSlot(ctx, model)
	if err != nil {
		return 0, err
	}
	return slot, t.AddAt(ctx, model, participant, slot, weight)
}

// AddAt gives a participant a certain free slot; slots passed over stay free.
func (t Trees) AddAt(ctx context.Context, model, participant string, slot, weight uint64) error {
	if slot >= MaxSlots {
		return fmt.Errorf("%w: slot %d of model %s, limit %d", ErrFull, slot, model, MaxSlots)
	}
	has, err := t.Serves(ctx, model, participant)
	if err != nil {
		return err
	}
	if has {
		return fmt.Errorf("%w: %s for model %s", ErrServing, participant, model)
	}
	if err := t.claim(ctx, model, slot); err != nil {
		return err
	}
	if err := t.Slots.Set(ctx, collections.Join(model, participant), slot); err != nil {
		return err
	}
	if err := t.Served.Set(ctx, collections.Join(participant, model)); err != nil {
		return err
	}
	if err := t.Owners.Set(ctx, collections.Join(model, slot), participant); err != nil {
		return err
	}
	return t.setWeight(ctx, model, slot, weight)
}

// Remove frees a participant's slot.
func (t Trees) Remove(ctx context.Context, model, participant string) error {
	slot, err := t.slot(ctx, model, participant)
	if err != nil {
		return err
	}
	if err := t.setWeight(ctx, model, slot, 0); err != nil {
		return err
	}
	if err := t.Slots.Remove(ctx, collections.Join(model, participant)); err != nil {
		return err
	}
	if err := t.Served.Remove(ctx, collections.Join(participant, model)); err != nil {
		return err
	}
	if err := t.Owners.Remove(ctx, collections.Join(model, slot)); err != nil {
		return err
	}
	return t.Free.Set(ctx, collections.Join(model, slot))
}

// SetWeight changes a participant's weight in one tree; 0 keeps the slot but is never drawn.
func (t Trees) SetWeight(ctx context.Context, model, participant string, weight uint64) error {
	slot, err := t.slot(ctx, model, participant)
	if err != nil {
		return err
	}
	return t.setWeight(ctx, model, slot, weight)
}

// Serves tells whether a participant has a slot.
func (t Trees) Serves(ctx context.Context, model, participant string) (bool, error) {
	return t.Slots.Has(ctx, collections.Join(model, participant))
}

// Models lists what a participant serves, in order.
func (t Trees) Models(ctx context.Context, participant string) (models []string, err error) {
	err = t.Served.Walk(ctx, collections.NewPrefixedPairRange[string, string](participant),
		func(key collections.Pair[string, string]) (bool, error) {
			models = append(models, key.K2())
			return false, nil
		})
	return models, err
}

// Total is the sum of a model's weights.
func (t Trees) Total(ctx context.Context, model string) (uint64, error) {
	slots, err := t.head(ctx, model)
	if err != nil || slots == 0 {
		return 0, err
	}
	root, err := t.node(ctx, model, depth(slots)-1, 0)
	return root.sum(), err
}

// Weighty is how many of a model's participants have weight.
func (t Trees) Weighty(ctx context.Context, model string) (uint64, error) {
	n, err := t.Counts.Get(ctx, model)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, nil
	}
	return n, err
}

// count keeps the number of slots with weight when one of them changes.
func (t Trees) count(ctx context.Context, model string, from, to uint64) error {
	if (from == 0) == (to == 0) {
		return nil
	}
	n, err := t.Weighty(ctx, model)
	if err != nil {
		return err
	}
	if to > 0 {
		return t.Counts.Set(ctx, model, n+1)
	}
	if n == 0 {
		return fmt.Errorf("%w: model %s: no slot has weight, one loses it", ErrCorrupt, model)
	}
	return t.Counts.Set(ctx, model, n-1)
}

func (t Trees) slot(ctx context.Context, model, participant string) (uint64, error) {
	slot, err := t.Slots.Get(ctx, collections.Join(model, participant))
	if errors.Is(err, collections.ErrNotFound) {
		return 0, fmt.Errorf("%w: %s for model %s", ErrNotServing, participant, model)
	}
	return slot, err
}

func (t Trees) freeSlot(ctx context.Context, model string) (uint64, error) {
	iter, err := t.Free.Iterate(ctx, collections.NewPrefixedPairRange[string, uint64](model))
	if err != nil {
		return 0, err
	}
	defer iter.Close()
	if !iter.Valid() {
		return t.head(ctx, model)
	}
	key, err := iter.Key()
	return key.K2(), err
}

// claim takes a slot out of the free ones, growing the tree where the slot lies beyond it.
func (t Trees) claim(ctx context.Context, model string, slot uint64) error {
	slots, err := t.head(ctx, model)
	if err != nil {
		return err
	}
	if slot < slots {
		free, err := t.Free.Has(ctx, collections.Join(model, slot))
		if err != nil {
			return err
		}
		if !free {
			return fmt.Errorf("%w: slot %d of model %s is taken", ErrServing, slot, model)
		}
		return t.Free.Remove(ctx, collections.Join(model, slot))
	}
	for s := slots; s < slot; s++ {
		if err := t.Free.Set(ctx, collections.Join(model, s)); err != nil {
			return err
		}
	}
	if slots > 0 {
		if err := t.grow(ctx, model, depth(slots), depth(slot+1)); err != nil {
			return err
		}
	}
	return t.Heads.Set(ctx, model, slot+1)
}

// grow puts new roots above the old one.
func (t Trees) grow(ctx context.Context, model string, from, to uint64) error {
	root, err := t.node(ctx, model, from-1, 0)
	if err != nil {
		return err
	}
	for level := from; level < to; level++ {
		root = node{root.sum()}
		if err := t.Nodes.Set(ctx, collections.Join(model, nodeKey(level, 0)), root.encode()); err != nil {
			return err
		}
	}
	return nil
}

func (t Trees) setWeight(ctx context.Context, model string, slot, weight uint64) error {
	if weight > MaxWeight {
		return fmt.Errorf("%w: %d, limit %d", ErrWeight, weight, MaxWeight)
	}
	slots, err := t.head(ctx, model)
	if err != nil {
		return err
	}
	child, value := slot, weight
	for level := range depth(slots) {
		n, err := t.node(ctx, model, level, child/fan)
		if err != nil {
			return err
		}
		if n[child%fan] == value {
			return nil // sums above are right already
		}
		if level == 0 {
			if err := t.count(ctx, model, n[child%fan], value); err != nil {
				return err
			}
		}
		n[child%fan] = value
		child /= fan
		if err := t.Nodes.Set(ctx, collections.Join(model, nodeKey(level, child)), n.encode()); err != nil {
			return err
		}
		value = n.sum()
	}
	return nil
}

func (t Trees) head(ctx context.Context, model string) (uint64, error) {
	slots, err := t.Heads.Get(ctx, model)
	if errors.Is(err, collections.ErrNotFound) {
		return 0, nil
	}
	return slots, err
}

// node is all zeros where none is stored.
func (t Trees) node(ctx context.Context, model string, level, index uint64) (node, error) {
	b, err := t.Nodes.Get(ctx, collections.Join(model, nodeKey(level, index)))
	if errors.Is(err, collections.ErrNotFound) {
		return node{}, nil
	}
	if err != nil {
		return node{}, err
	}
	return decodeNode(b)
}
