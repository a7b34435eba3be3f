package sortition

import (
	"context"
	"errors"
	"fmt"

	"cosmossdk.io/collections"
)

// Leaf is one participant's place in a tree.
type Leaf struct {
	Slot   uint64
	Weight uint64
}

// Leaf returns a participant's leaf; found is false when it does not serve the model.
func (t Trees) Leaf(ctx context.Context, model, participant string) (leaf Leaf, found bool, err error) {
	leaf.Slot, err = t.Slots.Get(ctx, collections.Join(model, participant))
	if errors.Is(err, collections.ErrNotFound) {
		return Leaf{}, false, nil
	}
	if err != nil {
		return Leaf{}, false, err
	}
	n, err := t.node(ctx, model, 0, leaf.Slot/fan)
	leaf.Weight = n[leaf.Slot%fan]
	return leaf, true, err
}

// Draw draws one participant among those not excluded, exactly in proportion to weight. found is false when nobody is left.
// It reads one node a level and writes nothing. The leaves in exclude must be distinct and current.
func (t Trees) Draw(ctx context.Context, model string, src *Source, exclude []Leaf) (participant string, leaf Leaf, found bool, err error) {
	slots, err := t.head(ctx, model)
	if err != nil || slots == 0 {
		return "", Leaf{}, false, err
	}
	top := depth(slots) - 1
	n, err := t.node(ctx, model, top, 0)
	if err != nil {
		return "", Leaf{}, false, err
	}
	total := n.sum() - excluded(exclude, 0, fan<<(logFan*top))
	if total == 0 {
		return "", Leaf{}, false, nil
	}
	rest, index := src.Below(total), uint64(0)
	for level := top; ; level-- {
		var child uint64
		child, rest, err = n.descend(rest, index, level, exclude)
		if err != nil {
			return "", Leaf{}, false, fmt.Errorf("model %s: %w", model, err)
		}
		index = index*fan + child
		if level == 0 {
			leaf = Leaf{Slot: index, Weight: n[child]}
			break
		}
		if n, err = t.node(ctx, model, level-1, index); err != nil {
			return "", Leaf{}, false, err
		}
	}
	participant, err = t.Owners.Get(ctx, collections.Join(model, leaf.Slot))
	return participant, leaf, err == nil, err
}

// descend finds the child that the rest falls into, counting only what is not excluded.
func (n node) descend(rest, index, level uint64, exclude []Leaf) (child, left uint64, err error) {
	for child := range uint64(fan) {
		first := (index*fan + child) << (logFan * level)
		w := n[child] - excluded(exclude, first, uint64(1)<<(logFan*level))
		if rest < w {
			return child, rest, nil
		}
		rest -= w
	}
	return 0, 0, fmt.Errorf("%w: level %d, node %d", ErrCorrupt, level, index)
}

// excluded sums the weights of excluded leaves in slots first .. first+count-1.
func excluded(exclude []Leaf, first, count uint64) (sum uint64) {
	for _, l := range exclude {
		if l.Slot >= first && l.Slot-first < count {
			sum += l.Weight
		}
	}
	return sum
}
