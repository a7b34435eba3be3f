// Package chaintest has a chain for tests of daemons: small, in memory, moved on block by block, with a mempool that checks sequences
// and with faults wherever a real network has them. It accepts the same signed transactions as the real one.
package chaintest

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	"github.com/cosmos/cosmos-sdk/std"
	sdk "github.com/cosmos/cosmos-sdk/types"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	authtypes "github.com/cosmos/cosmos-sdk/x/auth/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"
	"github.com/cosmos/gogoproto/proto"

	"poaid/daemon/chain"
	disputestypes "poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
	sprintstypes "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
)

// Prefix of addresses.
const Prefix = "poai"

// Encoding returns the encoding of the chain's messages.
func Encoding() (chain.Encoding, error) {
	reg, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: signing.Options{
			AddressCodec: address.NewBech32Codec(Prefix), ValidatorAddressCodec: address.NewBech32Codec(Prefix + "valoper"),
		},
	})
	if err != nil {
		return chain.Encoding{}, err
	}
	std.RegisterInterfaces(reg)
	authtypes.RegisterInterfaces(reg)
	authz.RegisterInterfaces(reg)
	reg.RegisterImplementations((*sdk.Msg)(nil), &taskstypes.MsgSealResults{}, &taskstypes.MsgRevealResults{},
		&poaitypes.MsgSealAttestations{}, &poaitypes.MsgRevealAttestations{})
	disputestypes.RegisterInterfaces(reg)
	sprintstypes.RegisterInterfaces(reg)
	cdc := codec.NewProtoCodec(reg)
	return chain.Encoding{Registry: reg, Codec: cdc, TxConfig: authtx.NewTxConfig(cdc, authtx.DefaultSignModes)}, nil
}

// Key makes a key in a ring in memory.
func Key(enc chain.Encoding, name string) (keyring.Keyring, error) {
	ring := keyring.NewInMemory(enc.Codec)
	_, _, err := ring.NewMnemonic(name, keyring.English, sdk.FullFundraiserPath, keyring.DefaultBIP39Passphrase, hd.Secp256k1)
	return ring, err
}
