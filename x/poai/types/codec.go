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
	cdc.RegisterConcrete(Params{}, "poai/x/poai/Params", nil)
	legacy.RegisterAminoMsg(cdc, &MsgJoin{}, "poai/MsgJoin")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParticipant{}, "poai/MsgUpdateParticipant")
	legacy.RegisterAminoMsg(cdc, &MsgAddBond{}, "poai/MsgAddBond")
	legacy.RegisterAminoMsg(cdc, &MsgSetVRFKey{}, "poai/MsgSetVRFKey")
	legacy.RegisterAminoMsg(cdc, &MsgUnbond{}, "poai/MsgUnbond")
	legacy.RegisterAminoMsg(cdc, &MsgWithdrawUnbonded{}, "poai/MsgWithdrawUnbonded")
	legacy.RegisterAminoMsg(cdc, &MsgServe{}, "poai/MsgServe")
	legacy.RegisterAminoMsg(cdc, &MsgStopServing{}, "poai/MsgStopServing")
	legacy.RegisterAminoMsg(cdc, &MsgSealAttestations{}, "poai/MsgSealAttestations")
	legacy.RegisterAminoMsg(cdc, &MsgRevealAttestations{}, "poai/MsgRevealAttestations")
	legacy.RegisterAminoMsg(cdc, &MsgUnjail{}, "poai/MsgUnjail")
	legacy.RegisterAminoMsg(cdc, &MsgAcquit{}, "poai/MsgAcquit")
	legacy.RegisterAminoMsg(cdc, &MsgUpdateParams{}, "poai/x/poai/MsgUpdateParams")
}

// RegisterInterfaces registers the messages.
func RegisterInterfaces(registry codectypes.InterfaceRegistry) {
	registry.RegisterImplementations((*sdk.Msg)(nil),
		&MsgJoin{}, &MsgUpdateParticipant{}, &MsgAddBond{}, &MsgUnbond{}, &MsgWithdrawUnbonded{},
		&MsgServe{}, &MsgStopServing{}, &MsgSealAttestations{}, &MsgRevealAttestations{}, &MsgSetVRFKey{}, &MsgUnjail{}, &MsgAcquit{}, &MsgUpdateParams{},
	)
	msgservice.RegisterMsgServiceDesc(registry, &_Msg_serviceDesc)
}
