package chain

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"

	"github.com/cosmos/cosmos-sdk/client"
	clienttx "github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/cosmos-sdk/x/authz"
)

// Signer signs with a hot key on behalf of an operator, through x/authz when they differ.
type Signer struct {
	ring       keyring.Keyring
	name       string
	pub        cryptotypes.PubKey
	address    sdk.AccAddress
	addrText   string
	operator   string
	feeGranter sdk.AccAddress
	enc        Encoding
}

// NewSigner takes a key of the ring by name. operator is the participant's address, empty when the key is the operator's own;
// feeGranter, if set, pays the fees.
func NewSigner(ring keyring.Keyring, name, operator, feeGranter string, enc Encoding) (*Signer, error) {
	rec, err := ring.Key(name)
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	pub, err := rec.GetPubKey()
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	s := &Signer{ring: ring, name: name, pub: pub, address: sdk.AccAddress(pub.Address()), operator: operator, enc: enc}
	codec := enc.Registry.SigningContext().AddressCodec()
	if s.addrText, err = codec.BytesToString(s.address); err != nil {
		return nil, fmt.Errorf("key %q: %w", name, err)
	}
	if operator == "" {
		s.operator = s.addrText
	} else if _, err := codec.StringToBytes(operator); err != nil {
		return nil, fmt.Errorf("operator: %w", err)
	}
	if feeGranter != "" {
		if s.feeGranter, err = codec.StringToBytes(feeGranter); err != nil {
			return nil, fmt.Errorf("fee granter: %w", err)
		}
	}
	return s, nil
}

// Address is the key's own address, which pays and whose sequence counts.
func (s *Signer) Address() string { return s.addrText }

// Operator is the participant it acts for.
func (s *Signer) Operator() string { return s.operator }

// saltDomain is what the hot key signs to derive the secret of all salts. It can never be the bytes of a transaction (those begin with
// a protobuf tag) nor of an ADR-036 message (JSON).
const saltDomain = "poai/salt-secret/1"

// SaltSecret derives a secret from the key without taking the key out of the ring: the hash of a signature over a constant.
// Signatures are deterministic (RFC 6979), so the secret is the same after a restart, on any machine that has the key.
func (s *Signer) SaltSecret() ([]byte, error) {
	msg := []byte(saltDomain + "\x00" + s.operator)
	sig, _, err := s.ring.Sign(s.name, msg, signing.SignMode_SIGN_MODE_DIRECT)
	if err != nil {
		return nil, fmt.Errorf("derive salt secret with key %q: %w", s.name, err)
	}
	again, _, err := s.ring.Sign(s.name, msg, signing.SignMode_SIGN_MODE_DIRECT)
	if err != nil {
		return nil, fmt.Errorf("derive salt secret with key %q: %w", s.name, err)
	}
	if string(sig) != string(again) {
		return nil, fmt.Errorf("key %q: signatures are not deterministic, so salts could not be derived again after a restart", s.name)
	}
	secret := sha256.Sum256(sig)
	return secret[:], nil
}

// wrap puts messages of the operator into a MsgExec when the key is not the operator's own.
func (s *Signer) wrap(msgs []sdk.Msg) []sdk.Msg {
	if s.operator == s.addrText {
		return msgs
	}
	exec := authz.NewMsgExec(s.address, msgs)
	exec.Grantee = s.addrText // NewMsgExec writes it with the process-wide prefix
	return []sdk.Msg{&exec}
}

// TxOptions are what a transaction carries besides its messages.
type TxOptions struct {
	Account       Account
	Gas           uint64
	GasPrices     sdk.DecCoins
	TimeoutHeight uint64
	ChainID       string
}

func (s *Signer) factory(o TxOptions) clienttx.Factory {
	f := clienttx.Factory{}.WithTxConfig(s.enc.TxConfig).WithKeybase(s.ring).WithFromName(s.name).WithChainID(o.ChainID).
		WithAccountNumber(o.Account.Number).WithSequence(o.Account.Sequence).WithGas(o.Gas).
		WithTimeoutHeight(o.TimeoutHeight).WithSignMode(signing.SignMode_SIGN_MODE_DIRECT)
	if !o.GasPrices.IsZero() {
		f = f.WithGasPrices(o.GasPrices.String())
	}
	if s.feeGranter != nil {
		f = f.WithFeeGranter(s.feeGranter)
	}
	return f
}

// Sign builds and signs a transaction of the operator's messages.
func (s *Signer) Sign(ctx context.Context, msgs []sdk.Msg, o TxOptions) ([]byte, error) {
	b, err := s.build(msgs, o)
	if err != nil {
		return nil, err
	}
	// The context only carries cancellation here; Sign reads the address prefix from nowhere else.
	if err := clienttx.Sign(ctx, s.factory(o), s.name, b, true); err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return s.enc.TxConfig.TxEncoder()(b.GetTx())
}

// ForSimulation builds the same transaction with an empty signature.
func (s *Signer) ForSimulation(msgs []sdk.Msg, o TxOptions) ([]byte, error) {
	b, err := s.build(msgs, o)
	if err != nil {
		return nil, err
	}
	err = b.SetSignatures(signing.SignatureV2{
		PubKey: s.pub, Sequence: o.Account.Sequence,
		Data: &signing.SingleSignatureData{SignMode: signing.SignMode_SIGN_MODE_DIRECT},
	})
	if err != nil {
		return nil, err
	}
	return s.enc.TxConfig.TxEncoder()(b.GetTx())
}

func (s *Signer) build(msgs []sdk.Msg, o TxOptions) (client.TxBuilder, error) {
	if len(msgs) == 0 {
		return nil, errors.New("transaction without messages")
	}
	if o.ChainID == "" || strings.TrimSpace(o.ChainID) != o.ChainID {
		return nil, fmt.Errorf("chain id: %q", o.ChainID)
	}
	return s.factory(o).BuildUnsignedTx(s.wrap(msgs)...)
}
