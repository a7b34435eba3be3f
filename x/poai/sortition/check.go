package sortition

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
)

// Check reads all trees and reports the first inconsistency: an inner sum that is not its child's, a weight without an owner,
// or maps that disagree, or a count of weights that is wrong.
func (t Trees) Check(ctx context.Context) error {
	err := t.Heads.Walk(ctx, nil, func(model string, slots uint64) (bool, error) { return false, t.checkSums(ctx, model, slots) })
	if err != nil {
		return err
	}
	owners := 0
	err = t.Owners.Walk(ctx, nil, func(key collections.Pair[string, uint64], participant string) (bool, error) {
		owners++
		slot, err := t.Slots.Get(ctx, collections.Join(key.K1(), participant))
		if err != nil || slot != key.K2() {
			return true, fmt.Errorf("%w: model %s: slot %d of %s is %d (%w)", ErrCorrupt, key.K1(), key.K2(), participant, slot, err)
		}
		served, err := t.Served.Has(ctx, collections.Join(participant, key.K1()))
		if err != nil || !served {
			return true, fmt.Errorf("%w: %s does not list model %s (%w)", ErrCorrupt, participant, key.K1(), err)
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	err = t.Slots.Walk(ctx, nil, func(collections.Pair[string, string], uint64) (bool, error) {
		owners--
		return false, nil
	})
	if err != nil {
		return err
	}
	if owners != 0 {
		return fmt.Errorf("%w: %d more owners than slots", ErrCorrupt, owners)
	}
	return nil
}

func (t Trees) checkSums(ctx context.Context, model string, slots uint64) error {
	weighty := uint64(0)
	err := t.Nodes.Walk(ctx, collections.NewPrefixedPairRange[string, uint64](model),
		func(key collections.Pair[string, uint64], value []byte) (bool, error) {
			n, err := decodeNode(value)
			if err != nil {
				return true, err
			}
			level, index := key.K2()>>56, key.K2()&(1<<56-1)
			if level == 0 {
				for _, w := range n {
					if w > 0 {
						weighty++
					}
				}
				return false, t.checkLeaves(ctx, model, index, n)
			}
			if level >= depth(slots) {
				return true, fmt.Errorf("%w: model %s: node at level %d, depth is %d", ErrCorrupt, model, level, depth(slots))
			}
			for i, w := range n {
				child, err := t.node(ctx, model, level-1, index*fan+uint64(i))
				if err != nil {
					return true, err
				}
				if child.sum() != w {
					return true, fmt.Errorf("%w: model %s: level %d node %d child %d is %d, sums to %d", ErrCorrupt, model, level, index, i, w, child.sum())
				}
			}
			return false, nil
		})
	if err != nil {
		return err
	}
	if n, err := t.Weighty(ctx, model); err != nil || n != weighty {
		return fmt.Errorf("%w: model %s: %d slots have weight, counted %d (%w)", ErrCorrupt, model, weighty, n, err)
	}
	return nil
}

func (t Trees) checkLeaves(ctx context.Context, model string, index uint64, n node) error {
	for i, w := range n {
		slot := index*fan + uint64(i)
		if w == 0 {
			continue
		}
		if has, err := t.Owners.Has(ctx, collections.Join(model, slot)); err != nil || !has {
			return fmt.Errorf("%w: model %s: slot %d weighs %d and has no owner (%w)", ErrCorrupt, model, slot, w, err)
		}
	}
	return nil
}
