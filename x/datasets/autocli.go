package datasets

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"
)

// AutoCLIOptions describes the commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{Service: "poai.datasets.v1.Query", RpcCommandOptions: queries()},
		Tx:    &autocliv1.ServiceCommandDescriptor{Service: "poai.datasets.v1.Msg", RpcCommandOptions: transactions()},
	}
}

func args(fields ...string) (out []*autocliv1.PositionalArgDescriptor) {
	for _, f := range fields {
		out = append(out, &autocliv1.PositionalArgDescriptor{ProtoField: f})
	}
	return out
}

func example(line string) string { return version.AppName + " " + line }

func queries() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "Params", Use: "params", Short: "Show the params", Example: example("query datasets params")},
		{RpcMethod: "Datasets", Use: "list", Short: "List the registered datasets", Example: example("query datasets list --page-limit 20")},
		{
			RpcMethod: "Dataset", Use: "show ID", Short: "Show a dataset, its terms, and how often it was bought and used",
			PositionalArgs: args("id"), Example: example("query datasets show mnist"),
		},
		{
			RpcMethod: "Roots", Use: "roots ID", Short: "List the tensor roots of a dataset", PositionalArgs: args("id"),
			Example: example("query datasets roots mnist"),
		},
		{
			RpcMethod: "RootOwner", Use: "root ROOT", Short: "Tell which dataset a tensor root (hex) belongs to", PositionalArgs: args("root"),
			Example: example("query datasets root 3f0c…"),
		},
		{
			RpcMethod: "Programs", Use: "programs ID", Short: "List the programs that are allowed on a dataset", PositionalArgs: args("id"),
			Example: example("query datasets programs mnist"),
		},
		{
			RpcMethod: "Grants", Use: "grants ID", Short: "List the grants of a dataset", PositionalArgs: args("id"),
			Example: example("query datasets grants mnist"),
		},
		{
			RpcMethod: "Usages", Use: "usages ID", Short: "List who used a dataset", PositionalArgs: args("id"),
			Example: example("query datasets usages mnist"),
		},
		{
			RpcMethod: "MayTrain", Use: "may-train ID USER PROGRAM", Short: "Tell whether a user may train a program (its hash in hex) on a dataset now",
			PositionalArgs: args("id", "user", "program_hash"), Example: example("query datasets may-train mnist poai1… 9b1e…"),
		},
	}
}

func transactions() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "RegisterDataset", Use: "register ID CID LICENCE", Short: "Register a dataset with the roots of its tensors",
			Long: "Register a dataset with the roots of its tensors (--roots, hex, repeated). --terms is JSON; without a price nobody needs a grant, and " +
				"with closed only programs on the allowlist may train on it.",
			PositionalArgs: args("id", "cid", "licence"),
			Example: example(`tx datasets register mnist bafkrei… CC-BY-4.0 --roots 3f0c… --terms ` +
				`'{"price":{"denom":"upoai","amount":"5000000"},"grant_blocks":"86400","share_bps":500}' --from alice`),
		},
		{
			RpcMethod: "SetTerms", Use: "set-terms ID TERMS", Short: "Change the terms (JSON, all of them) for grants and uses from now on",
			PositionalArgs: args("id", "terms"), Example: example(`tx datasets set-terms mnist '{"share_bps":500,"closed":true}' --from alice`),
		},
		{
			RpcMethod: "AllowProgram", Use: "allow ID PROGRAM", Short: "Put a program (its hash in hex) on the allowlist",
			Long:           "Put a program (its hash in hex) on the allowlist. With --free whoever trains it needs no grant.",
			PositionalArgs: args("id", "program_hash"), Example: example("tx datasets allow mnist 9b1e… --free --from alice"),
		},
		{
			RpcMethod: "DisallowProgram", Use: "disallow ID PROGRAM", Short: "Take a program off the allowlist",
			PositionalArgs: args("id", "program_hash"), Example: example("tx datasets disallow mnist 9b1e… --from alice"),
		},
		{
			RpcMethod: "BuyAccess", Use: "buy ID MAX_PRICE", Short: "Buy a grant, or extend yours",
			Long:           "Buy a grant, or extend yours, at the dataset's price, which may not be more than MAX_PRICE. --grantee buys for another.",
			PositionalArgs: args("id", "max_price"), Example: example("tx datasets buy mnist 5000000upoai --from bob"),
		},
		{
			RpcMethod: "RetireDataset", Use: "retire ID", Short: "End the sale of grants, for good", PositionalArgs: args("id"),
			Example: example("tx datasets retire mnist --from alice"),
		},
		{
			RpcMethod: "StrikeRoots", Use: "strike-roots ID", Short: "Propose to take roots from a dataset that should not have them", GovProposal: true,
			PositionalArgs: args("id"), Example: example("tx datasets strike-roots squatter --roots 3f0c… --from alice"),
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params PARAMS", Short: "Propose new params (JSON, all of them)", GovProposal: true,
			PositionalArgs: args("params"),
			Example:        example(`tx datasets update-params "$(poaid query datasets params --output json | jq .params)" --from alice`),
		},
	}
}
