package lineage

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"
)

// AutoCLIOptions describes the commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	args := func(fields ...string) (out []*autocliv1.PositionalArgDescriptor) {
		for _, f := range fields {
			out = append(out, &autocliv1.PositionalArgDescriptor{ProtoField: f})
		}
		return out
	}
	many := func(first, rest string) []*autocliv1.PositionalArgDescriptor {
		return append(args(first), &autocliv1.PositionalArgDescriptor{ProtoField: rest, Varargs: true})
	}
	example := func(line string) string { return version.AppName + " " + line }
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.lineage.v1.Query",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "Params", Use: "params", Short: "Show the params", Example: example("query lineage params")},
				{
					RpcMethod: "Node", Use: "node NODE", Short: "Show what a model descends from (NODE is model/ID or dataset/ID)",
					PositionalArgs: args("node"), Example: example("query lineage node model/digits-tuned"),
				},
				{
					RpcMethod: "Children", Use: "children NODE", Short: "List the models that descend from a node directly",
					PositionalArgs: args("node"), Example: example("query lineage children dataset/mnist"),
				},
				{
					RpcMethod: "Accounts", Use: "accounts NODE", Short: "Show what a node has received, passed up and can claim, by denom",
					PositionalArgs: args("node"), Example: example("query lineage accounts model/digits"),
				},
				{
					RpcMethod: "Pending", Use: "pending NODE DENOM", Short: "Show what a node can claim, and which edges below it owe it how much",
					PositionalArgs: args("node", "denom"), Example: example("query lineage pending model/digits upoai"),
				},
			},
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.lineage.v1.Msg",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{
					RpcMethod: "Settle", Use: "settle DENOM", Short: "Pass up what edges owe, in the order given (at most 100)",
					PositionalArgs: args("denom"),
					Example:        example(`tx lineage settle upoai --edges '{"child":"model/tuned","parent":"model/base"}' --from alice`),
				},
				{
					RpcMethod: "Claim", Use: "claim NODE DENOM…", Short: "Pay a node's owner what is not its parents'",
					PositionalArgs: many("node", "denoms"), Example: example("tx lineage claim model/digits upoai --from alice"),
				},
				{
					RpcMethod: "Collect", Use: "collect DENOM NODE…", Short: "Settle a path of nodes, each followed by a parent, and claim for the last",
					PositionalArgs: many("denom", "path"), Example: example("tx lineage collect upoai model/tuned model/base --from alice"),
				},
				{
					RpcMethod: "UpdateParams", Use: "update-params PARAMS", Short: "Propose new params (JSON, all of them)", GovProposal: true,
					PositionalArgs: args("params"),
					Example:        example(`tx lineage update-params "$(poaid query lineage params --output json | jq .params)" --from alice`),
				},
			},
		},
	}
}
