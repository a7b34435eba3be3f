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
			},
		},
	}
}
