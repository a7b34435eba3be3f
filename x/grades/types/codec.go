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
	cdc.RegisterConcrete(Params{}, "poai/x/grades/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgCreateContest{}, "poai/MsgCreateContest")
	legacy.RegisterAminoMsg(cdc, &MsgFundContest{}, "poai/MsgFundContest")
	legacy.RegisterAminoMsg(cdc, &MsgCloseContest{}, "poai/MsgCloseContest")
	legacy.RegisterAminoMsg(cdc, &MsgEnter{}, "poai/MsgEnter")
	legacy.RegisterAminoMsg(cdc, &MsgLeave{}, "poai/MsgLeave")
	legacy.RegisterAminoMsg(cdc, &MsgJoinGraders{}, "poai/MsgJoinGraders")
	legacy.RegisterAminoMsg(cdc, &MsgLeaveGraders{}, "poai/MsgLeaveGraders")
	legacy.RegisterAminoMsg(cdc, &MsgSealGrades{}, "poai/MsgSealGrades")
	legacy.RegisterAminoMsg(cdc, &MsgRevealGrades{}, "poai/MsgRevealGrades")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/grades/MsgUpdateParams")
}

// RegisterInterfaces registers the messages and their service.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil), &MsgCreateContest{}, &MsgFundContest{}, &MsgCloseContest{}, &MsgEnter{}, &MsgLeave{},
		&MsgJoinGraders{}, &MsgLeaveGraders{}, &MsgSealGrades{}, &MsgRevealGrades{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
