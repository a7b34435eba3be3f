package types

import (
	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
)

// Times is n times a coin; none for 0.
func Times(c sdk.Coin, n uint64) sdk.Coins {
	return sdk.NewCoins(sdk.NewCoin(c.Denom, c.Amount.Mul(math.NewIntFromUint64(n))))
}
