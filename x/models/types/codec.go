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
	cdc.RegisterConcrete(Params{}, "poai/x/models/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgRegisterModel{}, "poai/MsgRegisterModel")
	legacy.RegisterAminoMsg(cdc, &MsgSetRoyalty{}, "poai/MsgSetRoyalty")
	legacy.RegisterAminoMsg(cdc, &MsgRetireModel{}, "poai/MsgRetireModel")
	legacy.RegisterAminoMsg(cdc, &MsgSetWeightsCID{}, "poai/MsgSetWeightsCID")
	legacy.RegisterAminoMsg(cdc, &MsgSetEligibility{}, "poai/MsgSetEligibility")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/models/MsgUpdateParams")
}

// RegisterInterfaces registers the messages.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgRegisterModel{}, &MsgSetRoyalty{}, &MsgRetireModel{}, &MsgSetWeightsCID{}, &MsgSetEligibility{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
