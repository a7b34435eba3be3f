package tasks

import (
	"testing"

	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/codec"
	codectypes "github.com/cosmos/cosmos-sdk/codec/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/reflect/protoreflect"

	"poaid/x/tasks/keeper"
	"poaid/x/tasks/types"
)

// TestAutoCLI checks that every command names a method of its service and fields of its message, and that every method has one.
func TestAutoCLI(t *testing.T) {
	opts := NewAppModule(keeper.Keeper{}).AutoCLIOptions()
	for _, service := range []*autocliv1.ServiceCommandDescriptor{opts.Query, opts.Tx} {
		d, err := proto.HybridResolver.FindDescriptorByName(protoreflect.FullName(service.Service))
		require.NoError(t, err)
		methods := d.(protoreflect.ServiceDescriptor).Methods()
		require.Len(t, service.RpcCommandOptions, methods.Len())
		for _, c := range service.RpcCommandOptions {
			m := methods.ByName(protoreflect.Name(c.RpcMethod))
			require.NotNil(t, m, c.RpcMethod)
			if c.Skip {
				continue
			}
			require.NotEmpty(t, c.Short, c.RpcMethod)
			require.NotEmpty(t, c.Example, c.RpcMethod)
			for _, arg := range c.PositionalArgs {
				require.NotNil(t, m.Input().Fields().ByName(protoreflect.Name(arg.ProtoField)), "%s %s", c.RpcMethod, arg.ProtoField)
			}
			for field := range c.FlagOptions {
				require.NotNil(t, m.Input().Fields().ByName(protoreflect.Name(field)), "%s %s", c.RpcMethod, field)
			}
		}
	}
}

// TestMessagesHaveSigners: every message names its signer, and its amino name is registered once.
func TestMessagesHaveSigners(t *testing.T) {
	registry := codectypes.NewInterfaceRegistry()
	sdk.RegisterInterfaces(registry)
	types.RegisterInterfaces(registry)
	types.RegisterLegacyAminoCodec(codec.NewLegacyAmino())
	require.Len(t, registry.ListImplementations(sdk.MsgInterfaceProtoName), 5)
	require.NoError(t, registry.SigningContext().Validate())
}

func TestDefaultGenesis(t *testing.T) {
	cdc := codec.NewProtoCodec(codectypes.NewInterfaceRegistry())
	bz := NewAppModule(keeper.Keeper{}).DefaultGenesis(cdc)
	require.NoError(t, NewAppModule(keeper.Keeper{}).ValidateGenesis(cdc, nil, bz))
	require.Error(t, NewAppModule(keeper.Keeper{}).ValidateGenesis(cdc, nil, []byte("{")))
}
