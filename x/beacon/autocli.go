package beacon

import autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

// AutoCLIOptions describes the commands of x/beacon.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.beacon.v1.Query",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "Params", Use: "params", Short: "Show the params of x/beacon"},
				{
					RpcMethod:      "Randomness",
					Use:            "randomness [height]",
					Short:          "Show the randomness of a recent height (0 for the latest) and where it comes from",
					Example:        "poaid query beacon randomness 0",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "height"}},
				},
				{RpcMethod: "Status", Use: "status", Short: "Show how the next height's randomness is made, and by how much of the validators' power"},
				{
					RpcMethod:      "Key",
					Use:            "key [validator]",
					Short:          "Show a validator's VRF keys and which of them acts at the next height",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "operator"}},
				},
				{RpcMethod: "Keys", Use: "keys", Short: "Show the VRF keys of all validators"},
			},
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.beacon.v1.Msg",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{
					RpcMethod: "RegisterKey",
					Use:       "register-key [pub-key] [proof]",
					Short:     "Register or replace the VRF key of your validator",
					Long: `Register or replace the VRF key of your validator. "poaid beacon key --operator VALIDATOR" prints both arguments.

The key acts activation_blocks later; until then an earlier one does, so keep both in config/vrf_key.json.`,
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "pub_key"}, {ProtoField: "proof"}},
				},
				{RpcMethod: "UpdateParams", Skip: true}, // by governance
			},
		},
	}
}
