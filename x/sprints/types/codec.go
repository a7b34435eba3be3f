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
	cdc.RegisterConcrete(Params{}, "poai/x/sprints/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgCommitSprint{}, "poai/MsgCommitSprint")
	legacy.RegisterAminoMsg(cdc, &MsgOpenSprint{}, "poai/MsgOpenSprint")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/sprints/MsgUpdateParams")
}

// RegisterInterfaces registers the messages and their service.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil), &MsgCommitSprint{}, &MsgOpenSprint{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
