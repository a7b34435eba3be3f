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
	cdc.RegisterConcrete(Params{}, "poai/x/lineage/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgSettle{}, "poai/MsgSettleLineage")
	legacy.RegisterAminoMsg(cdc, &MsgClaim{}, "poai/MsgClaimLineage")
	legacy.RegisterAminoMsg(cdc, &MsgCollect{}, "poai/MsgCollectLineage")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/lineage/MsgUpdateParams")
}

// RegisterInterfaces registers the messages.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil), &MsgSettle{}, &MsgClaim{}, &MsgCollect{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
