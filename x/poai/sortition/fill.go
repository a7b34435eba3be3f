package sortition

import (
	"context"
	"fmt"

	"cosmossdk.io/collections"
)

// Fill gives participants the slots 0, 1, 2, … of a model that has none, and writes every node once: for states made at one go, where adding one
// participant after the other would write each node sixteen times.
func (t Trees) Fill(ctx context.Context, model string, participants []string, weights []uint64) error {
	if len(participants) != len(weights) || uint64(len(participants)) > MaxSlots {
		return fmt.Errorf("%w: model %s: %d participants, %d weights, limit %d", ErrFull, model, len(participants), len(weights), MaxSlots)
	}
	slots, err := t.head(ctx, model)
	if err != nil {
		return err
	}
	if slots != 0 {
		return fmt.Errorf("%w: model %s has %d slots already", ErrServing, model, slots)
	}
	if len(participants) == 0 {
		return nil
	}
	for i, p := range participants {
		if weights[i] > MaxWeight {
			return fmt.Errorf("%w: %d, limit %d", ErrWeight, weights[i], MaxWeight)
		}
		has, err := t.Serves(ctx, model, p)
		if err != nil {
			return err
		}
		if has {
			return fmt.Errorf("%w: %s for model %s", ErrServing, p, model)
		}
		if err := t.own(ctx, model, p, uint64(i)); err != nil {
			return err
		}
	}
	if err := t.Heads.Set(ctx, model, uint64(len(participants))); err != nil {
		return err
	}
	weighty := uint64(0)
	for _, w := range weights {
		if w > 0 {
			weighty++
		}
	}
	if err := t.Counts.Set(ctx, model, weighty); err != nil {
		return err
	}
	values := weights
	for level := range depth(uint64(len(participants))) {
		if values, err = t.fillLevel(ctx, model, level, values); err != nil {
			return err
		}
	}
	return nil
}

// own writes who has a slot.
func (t Trees) own(ctx context.Context, model, participant string, slot uint64) error {
	if err := t.Slots.Set(ctx, collections.Join(model, participant), slot); err != nil {
		return err
	}
	if err := t.Served.Set(ctx, collections.Join(participant, model)); err != nil {
		return err
	}
	return t.Owners.Set(ctx, collections.Join(model, slot), participant)
}

// fillLevel writes the nodes over values and returns their sums.
func (t Trees) fillLevel(ctx context.Context, model string, level uint64, values []uint64) (sums []uint64, err error) {
	for index := 0; index*fan < len(values); index++ {
		var n node
		copy(n[:], values[index*fan:])
		sums = append(sums, n.sum())
		if n == (node{}) {
			continue
		}
		if err := t.Nodes.Set(ctx, collections.Join(model, nodeKey(level, uint64(index))), n.encode()); err != nil {
			return nil, err
		}
	}
	return sums, nil
}
