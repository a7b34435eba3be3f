package testutil

import (
	"encoding/json"
	"reflect"

	abci "github.com/cometbft/cometbft/abci/types"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	cmttypes "github.com/cometbft/cometbft/types"
	dbm "github.com/cosmos/cosmos-db"
	sdk "github.com/cosmos/cosmos-sdk/types"

	"poaid/app"
)

// Rebirth ends the chain and has another one go on from its exported state, at its height. What the new one exports at once must be what
// it was started with. Shadows are left behind.
func (c *Chain) Rebirth() {
	c.tb.Helper()
	c.RebirthWith(nil)
}

// RebirthWith is Rebirth that shows the state at the export and the one made from it, before its first block, to compare.
func (c *Chain) RebirthWith(compare func(was, is *app.App, wasCtx, isCtx sdk.Context)) {
	c.tb.Helper()
	exported, err := c.App.Export(false, nil)
	if err != nil {
		c.tb.Fatalf("height %d: export: %v", c.Height(), err)
	}
	c.shadows = nil
	was := c.node.shadow
	n := c.start(Shadow{Name: "reborn", Executor: was.Executor, Workers: was.Workers, CacheSize: was.CacheSize}, dbm.NewMemDB())
	cp := exported.ConsensusParams
	validators := make([]abci.ValidatorUpdate, len(exported.Validators))
	for i, v := range exported.Validators {
		validators[i] = cmttypes.TM2PB.NewValidatorUpdate(v.PubKey, v.Power)
	}
	res, err := n.app.InitChain(&abci.RequestInitChain{
		ChainId: c.ChainID, Time: c.Time, InitialHeight: exported.Height, ConsensusParams: &cp, AppStateBytes: exported.AppState, Validators: validators,
	})
	if err != nil {
		c.tb.Fatalf("height %d: start from the export: %v", c.Height(), err)
	}
	ctx := n.app.NewContextLegacy(false, cmtproto.Header{ChainID: c.ChainID, Height: c.Height(), Time: c.Time})
	again, err := n.app.ExportState(ctx, nil)
	if err != nil {
		c.tb.Fatalf("height %d: export again: %v", c.Height(), err)
	}
	c.sameState(exported.AppState, again)
	if compare != nil {
		compare(c.App, n.app, c.Ctx(), ctx)
	}
	c.Time = c.Time.Add(BlockTime)
	if c.comet, err = newComet(res.Validators); err != nil {
		c.tb.Fatalf("height %d: validators of the export: %v", c.Height(), err)
	}
	req := c.request(nil)
	if err := c.comet.advance(req.Height, req.Time, c.run(n, req).ValidatorUpdates); err != nil {
		c.tb.Fatalf("height %d: CometBFT refuses the validator updates: %v", req.Height, err)
	}
	c.node, c.App = n, n.app
	if err := CheckInvariants(c.App, c.Ctx()); err != nil {
		c.tb.Fatalf("height %d: after starting from an export: %v", c.Height(), err)
	}
}

func (c *Chain) sameState(exported []byte, again map[string]json.RawMessage) {
	c.tb.Helper()
	var first map[string]json.RawMessage
	if err := json.Unmarshal(exported, &first); err != nil {
		c.tb.Fatalf("height %d: exported state: %v", c.Height(), err)
	}
	if len(first) != len(again) {
		c.tb.Fatalf("height %d: %d modules were exported, then %d", c.Height(), len(first), len(again))
	}
	for module, state := range first {
		var a, b any
		if json.Unmarshal(state, &a) != nil || json.Unmarshal(again[module], &b) != nil || !reflect.DeepEqual(a, b) {
			c.tb.Fatalf("height %d: %s was exported as\n%s\nand again as\n%s", c.Height(), module, state, again[module])
		}
	}
}
