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
	cdc.RegisterConcrete(Params{}, "poai/x/auctions/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgBid{}, "poai/MsgBid")
	legacy.RegisterAminoMsg(cdc, &MsgSealBid{}, "poai/MsgSealBid")
	legacy.RegisterAminoMsg(cdc, &MsgRevealBid{}, "poai/MsgRevealBid")
	legacy.RegisterAminoMsg(cdc, &MsgWithdrawBids{}, "poai/MsgWithdrawBids")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/auctions/MsgUpdateParams")
}

// RegisterInterfaces registers the messages and their service.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil), &MsgBid{}, &MsgSealBid{}, &MsgRevealBid{}, &MsgWithdrawBids{}, &MsgUpdateParams{})
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
