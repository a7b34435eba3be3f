package keeper

import "context"

// Prove is prove, for tests.
var Prove = prove

// NoteBond is noteBond, for tests.
func (k *Keeper) NoteBond(ctx context.Context, operator string, bond int64) error {
	return k.noteBond(ctx, operator, bond)
}
