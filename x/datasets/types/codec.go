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
	cdc.RegisterConcrete(Params{}, "poai/x/datasets/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgRegisterDataset{}, "poai/MsgRegisterDataset")
	legacy.RegisterAminoMsg(cdc, &MsgSetTerms{}, "poai/MsgSetDatasetTerms")
	legacy.RegisterAminoMsg(cdc, &MsgAllowProgram{}, "poai/MsgAllowProgram")
	legacy.RegisterAminoMsg(cdc, &MsgDisallowProgram{}, "poai/MsgDisallowProgram")
	legacy.RegisterAminoMsg(cdc, &MsgBuyAccess{}, "poai/MsgBuyAccess")
	legacy.RegisterAminoMsg(cdc, &MsgRetireDataset{}, "poai/MsgRetireDataset")
	legacy.RegisterAminoMsg(cdc, &MsgStrikeRoots{}, "poai/MsgStrikeRoots")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/datasets/MsgUpdateParams")
}

// RegisterInterfaces registers the messages.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgRegisterDataset{}, &MsgSetTerms{}, &MsgAllowProgram{}, &MsgDisallowProgram{}, &MsgBuyAccess{}, &MsgRetireDataset{},
		&MsgStrikeRoots{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
