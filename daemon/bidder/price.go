package bidder

import (
	"fmt"
	"strconv"
	"strings"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"

	auctionstypes "poaid/x/auctions/types"
	taskstypes "poaid/x/tasks/types"
)

// Price is what a bidder asks: an amount per 1,000,000 units, or a part of the chain's price floor. The zero value asks nothing.
type Price struct {
	// PerUnits is the amount per 1,000,000 units in Denom, the chain's fee_denom.
	PerUnits math.Int
	Denom    string
	// FloorPpm is the part of the price floor in millionths.
	FloorPpm uint64
}

// maxFloorPpm is a hundred times the floor.
const maxFloorPpm = 100_000_000

// ParsePrice reads "800000upoai" (per 1,000,000 units) or "80%" (of the price floor when the task was submitted).
func ParsePrice(s string) (Price, error) {
	if number, ok := strings.CutSuffix(s, "%"); ok {
		d, err := math.LegacyNewDecFromStr(number)
		if err != nil || !d.IsPositive() || d.GT(math.LegacyNewDec(maxFloorPpm/10_000)) {
			return Price{}, fmt.Errorf("%q: want a part of the price floor above 0%% and up to %d%%, such as 80%%", s, maxFloorPpm/10_000)
		}
		ppm := d.MulInt64(10_000)
		if !ppm.IsInteger() {
			return Price{}, fmt.Errorf("%q: at most 4 digits after the point", s)
		}
		return Price{FloorPpm: ppm.TruncateInt().Uint64()}, nil
	}
	c, err := sdk.ParseCoinNormalized(s)
	if err != nil || !c.IsPositive() {
		return Price{}, fmt.Errorf("%q: want an amount per 1,000,000 units, such as 800000upoai, or a part of the price floor, such as 80%%", s)
	}
	return Price{PerUnits: c.Amount, Denom: c.Denom}, nil
}

// String is what ParsePrice reads.
func (p Price) String() string {
	if p.FloorPpm > 0 {
		whole, rest := p.FloorPpm/10_000, p.FloorPpm%10_000
		text := strconv.FormatUint(whole, 10)
		if rest > 0 {
			text += strings.TrimRight(fmt.Sprintf(".%04d", rest), "0")
		}
		return text + "%"
	}
	return p.PerUnits.String() + p.Denom
}

// Ask is what the whole run of a task is asked for, in the denom of its max_fee: units at the price, rounded up, and no less than the auction takes. false where that
// is more than the submitter pays.
func (p Price) Ask(task taskstypes.Task, terms auctionstypes.Terms) (math.Int, bool) {
	per := p.PerUnits
	if p.FloorPpm > 0 {
		per = ceil(task.UnitPrice.Mul(math.NewIntFromUint64(p.FloorPpm)))
	}
	ask := taskstypes.Exchange(ceil(per.Mul(math.NewIntFromUint64(task.Units))), task.Rate())
	ask = math.MaxInt(ask, terms.Least)
	return ask, ask.LTE(terms.Ceiling.Amount)
}

// ceil divides by a million, which is both what prices are for and the scale of parts.
func ceil(x math.Int) math.Int {
	return x.AddRaw(taskstypes.PriceUnits - 1).QuoRaw(taskstypes.PriceUnits)
}
