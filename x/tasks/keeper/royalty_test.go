package keeper_test

import (
	"context"
	"testing"

	sdk "github.com/cosmos/cosmos-sdk/types"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/stretchr/testify/require"

	"poaid/x/tasks/types"
)

// fakeLineage takes the royalties of models that descend from something.
type fakeLineage struct {
	bank  fakeBank
	takes map[string]bool
}

var _ types.LineageKeeper = fakeLineage{}

func (l fakeLineage) Royalty(ctx context.Context, model, from string, amount sdk.Coin) (string, error) {
	if !l.takes[model] {
		return "", nil
	}
	return lineageAccount(), l.bank.SendCoinsFromModuleToModule(ctx, from, "lineage", sdk.NewCoins(amount))
}

func lineageAccount() string {
	s, err := fakeAccounts{}.AddressCodec().BytesToString(authtypes.NewModuleAddress("lineage"))
	if err != nil {
		panic(err)
	}
	return s
}

func TestRoyaltyGoesUpTheLineage(t *testing.T) {
	for _, descends := range []bool{false, true} {
		f := fixture(t)
		f.audits(false)
		f.keeper.SetLineage(fakeLineage{f.bank, map[string]bool{"story": descends, "digits": true}})
		id, _ := f.revealed(storyMsg(f.who(9), 16, 3, 4, 5)) // fee 16,000, royalty 800
		f.until(id, types.STATE_FINAL)
		holder := lineageAccount()
		owner, taken := int64(800), int64(0)
		recipient := address(100)
		if descends {
			owner, taken, recipient = 0, 800, holder
		}
		require.Equal(t, owner, f.balance(address(100)).Int64())
		require.Equal(t, taken, f.balance(holder).Int64())
		pay := f.payment(id)
		require.Equal(t, int64(800), pay.Royalty.Int64())
		found := 0
		for _, flow := range pay.Flows {
			if flow.Purpose == types.PURPOSE_ROYALTY {
				found++
				require.Equal(t, recipient, flow.Recipient)
			}
		}
		require.Equal(t, 1, found)
	}
}
