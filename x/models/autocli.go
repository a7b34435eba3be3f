package models

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"
)

// AutoCLIOptions describes the commands. RegisterModel takes files and has a command of its own.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	args := func(fields ...string) (out []*autocliv1.PositionalArgDescriptor) {
		for _, f := range fields {
			out = append(out, &autocliv1.PositionalArgDescriptor{ProtoField: f})
		}
		return out
	}
	example := func(line string) string { return version.AppName + " " + line }
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.models.v1.Query",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "Params", Use: "params", Short: "Show the params", Example: example("query models params")},
				{RpcMethod: "Models", Use: "list", Short: "List the registered models", Example: example("query models list --page-limit 20")},
				{
					RpcMethod: "Model", Use: "show ID", Short: "Show a model", PositionalArgs: args("id"),
					Example: example("query models show digits"),
				},
				{
					RpcMethod: "Program", Use: "program ID", Short: "Show a model's graphs", PositionalArgs: args("id"),
					Example: example("query models program digits --output json"),
				},
				{
					RpcMethod: "Vocabulary", Use: "vocabulary ID", Short: "Show the pieces that a model's tokens stand for", PositionalArgs: args("id"),
					Example: example("query models vocabulary story --output json"),
				},
				{
					RpcMethod: "Units", Use: "units ID STEPS", Short: "Show what a run costs", PositionalArgs: args("id", "steps"),
					Long: "Show the units of a run of STEPS steps, and those of them that count for score. --prompt-rows gives the length of the " +
						"prompt for models that take one: its steps cost, but earn no score.",
					Example: example("query models units story 64 --prompt-rows 12"),
				},
			},
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service:              "poai.models.v1.Msg",
			EnhanceCustomCommand: true, // cmd/poaid adds register
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "RegisterModel", Skip: true},
				{
					RpcMethod: "SetRoyalty", Use: "set-royalty ID BPS", Short: "Change your model's royalty (in 1/10,000 of each fee)",
					PositionalArgs: args("id", "royalty_bps"), Example: example("tx models set-royalty digits 150 --from alice"),
				},
				{
					RpcMethod: "RetireModel", Use: "retire ID", Short: "Stop new tasks on your model, for good",
					PositionalArgs: args("id"), Example: example("tx models retire digits --from alice"),
				},
				{
					RpcMethod: "SetWeightsCID", Use: "set-weights-cid ID CID", Short: "Tell where your model's weights are now",
					PositionalArgs: args("id", "weights_cid"), Example: example("tx models set-weights-cid digits bafkrei… --from alice"),
				},
				{
					RpcMethod: "SetEligibility", Use: "set-eligibility ID TRUE|FALSE", GovProposal: true,
					Short:          "Propose whether a model earns block reward",
					PositionalArgs: args("id", "eligible"), Example: example("tx models set-eligibility digits true --from alice"),
				},
				{
					RpcMethod: "UpdateParams", Use: "update-params PARAMS", Short: "Propose new params (JSON, all of them)", GovProposal: true,
					PositionalArgs: args("params"),
					Example:        example(`tx models update-params "$(poaid query models params --output json | jq .params)" --from alice`),
				},
			},
		},
	}
}
