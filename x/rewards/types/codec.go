package types

import (
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/codec/legacy"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/msgservice"
)

// RegisterLegacyAminoCodec registers the messages for amino JSON signing.
func RegisterLegacyAminoCodec(cdc *codec.LegacyAmino) {
	cdc.RegisterConcrete(Params{}, "poai/x/rewards/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgClaim{}, "poai/MsgClaim")
	legacy.RegisterAminoMsg(cdc, &MsgRelease{}, "poai/MsgRelease")
	legacy.RegisterAminoMsg(cdc, &MsgClaimFor{}, "poai/MsgClaimFor")
	legacy.RegisterAminoMsg(cdc, &MsgReleaseFor{}, "poai/MsgReleaseFor")
	legacy.RegisterAminoMsg(cdc, &MsgSetAutoBond{}, "poai/MsgSetAutoBond")
	legacy.RegisterAminoMsg(cdc, &MsgSweep{}, "poai/MsgSweepRewards")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/rewards/MsgUpdateParams")
}

// RegisterInterfaces registers the messages.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgClaim{}, &MsgRelease{}, &MsgClaimFor{}, &MsgReleaseFor{}, &MsgSetAutoBond{}, &MsgSweep{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
