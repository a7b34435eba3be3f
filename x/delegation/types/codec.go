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
	cdc.RegisterConcrete(Params{}, "poai/x/delegation/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgSetTerms{}, "poai/MsgSetTerms")
	legacy.RegisterAminoMsg(cdc, &MsgDelegate{}, "poai/MsgDelegate")
	legacy.RegisterAminoMsg(cdc, &MsgUndelegate{}, "poai/MsgUndelegate")
	legacy.RegisterAminoMsg(cdc, &MsgDissolve{}, "poai/MsgDissolve")
	legacy.RegisterAminoMsg(cdc, &MsgClaim{}, "poai/MsgClaimDelegation")
	legacy.RegisterAminoMsg(cdc, &MsgWithdraw{}, "poai/MsgWithdrawDelegation")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/delegation/MsgUpdateParams")
}

// RegisterInterfaces registers the messages.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgSetTerms{}, &MsgDelegate{}, &MsgUndelegate{}, &MsgDissolve{}, &MsgClaim{}, &MsgWithdraw{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
