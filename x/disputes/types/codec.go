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
	cdc.RegisterConcrete(Params{}, "poai/x/disputes/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgClaim{}, "poai/disputes/MsgClaim")
	legacy.RegisterAminoMsg(cdc, &MsgAttack{}, "poai/MsgAttack")
	legacy.RegisterAminoMsg(cdc, &MsgDefend{}, "poai/MsgDefend")
	legacy.RegisterAminoMsg(cdc, &MsgMove{}, "poai/MsgMove")
	legacy.RegisterAminoMsg(cdc, &MsgDemandBytes{}, "poai/MsgDemandBytes")
	legacy.RegisterAminoMsg(cdc, &MsgProduceBytes{}, "poai/MsgProduceBytes")
	legacy.RegisterAminoMsg(cdc, &MsgSettleSuspect{}, "poai/MsgSettleSuspect")
	legacy.RegisterAminoMsg(cdc, &MsgLiftQuarantine{}, "poai/MsgLiftQuarantine")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/disputes/MsgUpdateParams")
}

// RegisterInterfaces registers the messages and their service.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgClaim{},
		&MsgAttack{},
		&MsgDefend{},
		&MsgMove{},
		&MsgDemandBytes{},
		&MsgProduceBytes{},
		&MsgSettleSuspect{},
		&MsgLiftQuarantine{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
