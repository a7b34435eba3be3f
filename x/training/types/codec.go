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
	cdc.RegisterConcrete(Params{}, "poai/x/training/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgCreateJob{}, "poai/MsgCreateJob")
	legacy.RegisterAminoMsg(cdc, &MsgFundJob{}, "poai/MsgFundJob")
	legacy.RegisterAminoMsg(cdc, &MsgResumeJob{}, "poai/MsgResumeJob")
	legacy.RegisterAminoMsg(cdc, &MsgCancelJob{}, "poai/MsgCancelJob")
	legacy.RegisterAminoMsg(cdc, &MsgFinishJob{}, "poai/MsgFinishJob")
	legacy.RegisterAminoMsg(cdc, &MsgRegisterRecipe{}, "poai/MsgRegisterRecipe")
	legacy.RegisterAminoMsg(cdc, &MsgRemoveRecipe{}, "poai/MsgRemoveRecipe")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/training/MsgUpdateParams")
}

// RegisterInterfaces registers the messages and their service.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil), &MsgCreateJob{}, &MsgFundJob{}, &MsgResumeJob{}, &MsgCancelJob{}, &MsgFinishJob{},
		&MsgRegisterRecipe{}, &MsgRemoveRecipe{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
