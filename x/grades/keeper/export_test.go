package keeper

import "cosmossdk.io/collections"

// SlotKeyOf makes a key.
func SlotKeyOf(contest, index uint64) SlotKey { return collections.Join(contest, index) }
