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
	cdc.RegisterConcrete(Params{}, "poai/x/tasks/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgSubmitTask{}, "poai/MsgSubmitTask")
	legacy.RegisterAminoMsg(cdc, &MsgCancelTask{}, "poai/MsgCancelTask")
	legacy.RegisterAminoMsg(cdc, &MsgSealResults{}, "poai/MsgSealResults")
	legacy.RegisterAminoMsg(cdc, &MsgRevealResults{}, "poai/MsgRevealResults")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/tasks/MsgUpdateParams")
}

// RegisterInterfaces registers the messages and their service.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgSubmitTask{},
		&MsgCancelTask{},
		&MsgSealResults{},
		&MsgRevealResults{},
		&MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
