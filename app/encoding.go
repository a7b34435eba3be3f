package app

import (
	"fmt"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/address"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	"github.com/cosmos/cosmos-sdk/std"
	authtx "github.com/cosmos/cosmos-sdk/x/auth/tx"
	"github.com/cosmos/cosmos-sdk/x/tx/signing"
	"github.com/cosmos/gogoproto/proto"

	"poaid/app/params"
)

// Encoding is how this chain writes its types.
type Encoding struct {
	Registry codectypes.InterfaceRegistry
	Codec    codec.Codec
	TxConfig client.TxConfig
	Amino    *codec.LegacyAmino
}

// newEncoding makes an encoding that knows the SDK's own types; modules add theirs.
func newEncoding() (Encoding, error) {
	reg, err := codectypes.NewInterfaceRegistryWithOptions(codectypes.InterfaceRegistryOptions{
		ProtoFiles: proto.HybridResolver,
		SigningOptions: signing.Options{
			AddressCodec:          address.NewBech32Codec(params.Bech32Prefix),
			ValidatorAddressCodec: address.NewBech32Codec(params.Bech32PrefixValAddr),
		},
	})
	if err != nil {
		return Encoding{}, fmt.Errorf("interface registry: %w", err)
	}
	cdc := codec.NewProtoCodec(reg)
	e := Encoding{Registry: reg, Codec: cdc, TxConfig: authtx.NewTxConfig(cdc, authtx.DefaultSignModes), Amino: codec.NewLegacyAmino()}
	std.RegisterLegacyAminoCodec(e.Amino)
	std.RegisterInterfaces(e.Registry)
	return e, nil
}
