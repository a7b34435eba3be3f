package testutil

import (
	"context"
	"fmt"

	"github.com/cosmos/cosmos-sdk/crypto/keys/secp256k1"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	authsigning "github.com/cosmos/cosmos-sdk/x/auth/signing"

	"poaid/app/params"
)

// DefaultGas is the gas limit of transactions that say nothing else. It is what one message may need, not what it pays for:
// fees are charged at params.MinGasPrice.
const DefaultGas = 1_000_000

// Account is a key with its place on the chain.
type Account struct {
	Name string
	Key  cryptotypes.PrivKey
	Addr sdk.AccAddress
	// Number and Sequence are the next transaction's. Tx moves Sequence; Block corrects it where a transaction failed.
	Number, Sequence uint64
}

// String is the bech32 address.
func (a *Account) String() string { return a.Addr.String() }

// NewAccount derives a key from a name, so that the same test has the same addresses every time.
func NewAccount(name string) *Account {
	key := secp256k1.GenPrivKeyFromSecret([]byte("poaid/testutil/" + name))
	return &Account{Name: name, Key: key, Addr: sdk.AccAddress(key.PubKey().Address())}
}

// Coins are n upoai.
func Coins(n int64) sdk.Coins { return sdk.NewCoins(sdk.NewInt64Coin(params.Denom, n)) }

// Poai are n poai.
func Poai(n int64) sdk.Coins { return Coins(n * 1_000_000) }

// TxOptions change what Tx signs. The zero value means DefaultGas at the default price.
type TxOptions struct {
	Gas uint64
	Fee sdk.Coins // nil: Gas × the default price
	// Wrong* sign something else than what is sent, for tests of refusals.
	WrongChainID string
}

// Tx signs messages with from's next sequence.
func (c *Chain) Tx(from *Account, msgs ...sdk.Msg) []byte {
	c.tb.Helper()
	return c.TxWith(from, TxOptions{}, msgs...)
}

// TxWith is Tx with options.
func (c *Chain) TxWith(from *Account, o TxOptions, msgs ...sdk.Msg) []byte {
	c.tb.Helper()
	bz, err := c.sign(from, o, msgs)
	if err != nil {
		c.tb.Fatalf("sign transaction of %s: %v", from.Name, err)
	}
	from.Sequence++
	c.senders = append(c.senders, from)
	return bz
}

func (c *Chain) sign(from *Account, o TxOptions, msgs []sdk.Msg) ([]byte, error) {
	if o.Gas == 0 {
		o.Gas = DefaultGas
	}
	if o.Fee == nil {
		o.Fee = Coins(int64(o.Gas) / 400) // params.MinGasPrice
	}
	chainID := c.ChainID
	if o.WrongChainID != "" {
		chainID = o.WrongChainID
	}
	cfg := c.App.TxConfig
	b := cfg.NewTxBuilder()
	if err := b.SetMsgs(msgs...); err != nil {
		return nil, err
	}
	b.SetGasLimit(o.Gas)
	b.SetFeeAmount(o.Fee)
	sig := signing.SignatureV2{
		PubKey: from.Key.PubKey(), Sequence: from.Sequence,
		Data: &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT},
	}
	if err := b.SetSignatures(sig); err != nil {
		return nil, err
	}
	data := authsigning.SignerData{
		ChainID: chainID, AccountNumber: from.Number, Sequence: from.Sequence, PubKey: from.Key.PubKey(), Address: from.String(),
	}
	bz, err := authsigning.GetSignBytesAdapter(context.Background(), cfg.SignModeHandler(), signing.SignMode_SIGN_MODE_DIRECT, data, b.GetTx())
	if err != nil {
		return nil, fmt.Errorf("sign bytes: %w", err)
	}
	raw, err := from.Key.Sign(bz)
	if err != nil {
		return nil, err
	}
	sig.Data = &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT, Signature: raw}
	if err := b.SetSignatures(sig); err != nil {
		return nil, err
	}
	return cfg.TxEncoder()(b.GetTx())
}
