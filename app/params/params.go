// Package params holds what every part of poaid must agree on: denominations, the address prefix and gas prices.
package params

import (
	"sync"

	cmttypes "github.com/cometbft/cometbft/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	banktypes "github.com/cosmos/cosmos-sdk/x/bank/types"
)

const (
	// Bech32Prefix starts every account address.
	Bech32Prefix = "poai"
	// CoinType is the SLIP-44 coin type of derived keys, the one every Cosmos wallet knows.
	CoinType = 118
	// Denom is the base denomination; 10^Exponent of it are one DisplayDenom.
	Denom = "upoai"
	// DisplayDenom is what people read and write.
	DisplayDenom = "poai"
	// Exponent of DisplayDenom.
	Exponent = 6
	// MinGasPrice is the default of minimum-gas-prices in app.toml, in Denom a unit of gas.
	MinGasPrice = "0.0025"
)

// Bech32 prefixes of the address kinds.
const (
	Bech32PrefixAccPub  = Bech32Prefix + sdk.PrefixPublic
	Bech32PrefixValAddr = Bech32Prefix + sdk.PrefixValidator + sdk.PrefixOperator
	Bech32PrefixValPub  = Bech32PrefixValAddr + sdk.PrefixPublic
	Bech32PrefixConAddr = Bech32Prefix + sdk.PrefixValidator + sdk.PrefixConsensus
	Bech32PrefixConPub  = Bech32PrefixConAddr + sdk.PrefixPublic
)

var once sync.Once

// Configure sets the SDK's process-wide settings (address prefixes, coin type, bond denomination) and seals them. It may be
// called any number of times; app.New and the command line call it before anything reads an address.
func Configure() {
	once.Do(func() {
		sdk.DefaultBondDenom = Denom
		cfg := sdk.GetConfig()
		cfg.SetBech32PrefixForAccount(Bech32Prefix, Bech32PrefixAccPub)
		cfg.SetBech32PrefixForValidator(Bech32PrefixValAddr, Bech32PrefixValPub)
		cfg.SetBech32PrefixForConsensusNode(Bech32PrefixConAddr, Bech32PrefixConPub)
		cfg.SetCoinType(CoinType)
		cfg.Seal()
	})
}

// DenomMetadata describes the denomination for wallets.
func DenomMetadata() banktypes.Metadata {
	return banktypes.Metadata{
		Name:        "Proof of AI",
		Symbol:      "POAI",
		Description: "The coin of the poaid chain: it pays for AI work and is earned by proving it.",
		Base:        Denom,
		Display:     DisplayDenom,
		DenomUnits: []*banktypes.DenomUnit{
			{Denom: Denom, Exponent: 0, Aliases: []string{"micropoai"}},
			{Denom: DisplayDenom, Exponent: Exponent},
		},
	}
}

// Limits of a block, enforced by the application (app/lane). 4 MiB reach the other validators well within a block's time. The gas bounds
// what a block may cost to execute: some 3,000 small transactions, or 100 full batches.
const (
	BlockTxBytes = 4 << 20
	BlockGas     = 300_000_000
)

// ConsensusParams of a new chain. CometBFT's own limits of a block are off: it would cut what it shows to a proposer in order of arrival,
// and so hide the moves of disputes behind other transactions.
func ConsensusParams() *cmttypes.ConsensusParams {
	p := cmttypes.DefaultConsensusParams()
	p.Block.MaxBytes = -1
	p.Block.MaxGas = -1
	return p
}
