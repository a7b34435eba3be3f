package delegation

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"
)

// AutoCLIOptions describes the commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.delegation.v1.Query",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "Params", Use: "params", Short: "Show the params", Example: example("query delegation params")},
				{RpcMethod: "Pools", Use: "pools", Short: "List the pools", Example: example("query delegation pools")},
				{
					RpcMethod: "Pool", Use: "pool PARTICIPANT", Short: "Show a participant's pool: terms, what is delegated, and what room there is",
					PositionalArgs: args("participant"), Example: example("query delegation pool poai1…"),
				},
				{
					RpcMethod: "Holders", Use: "holders PARTICIPANT", Short: "List the delegations of a pool",
					PositionalArgs: args("participant"), Example: example("query delegation holders poai1… --page-limit 10"),
				},
				{
					RpcMethod: "Delegation", Use: "delegation PARTICIPANT HOLDER", Short: "Show what a holder has in a pool, and what it can claim",
					PositionalArgs: args("participant", "holder"), Example: example("query delegation delegation poai1… poai1…"),
				},
				{
					RpcMethod: "Delegations", Use: "delegations HOLDER", Short: "List what a holder has in all pools",
					PositionalArgs: args("holder"), Example: example("query delegation delegations poai1…"),
				},
				{
					RpcMethod: "Unbondings", Use: "unbondings HOLDER", Short: "List what a holder has undelegated and not withdrawn",
					PositionalArgs: args("holder"), Example: example("query delegation unbondings poai1…"),
				},
			},
		},
		Tx: &autocliv1.ServiceCommandDescriptor{Service: "poai.delegation.v1.Msg", RpcCommandOptions: transactions()},
	}
}

func transactions() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "SetTerms", Use: "set-terms COMMISSION-BPS MAX-CHANGE-BPS OPEN",
			Short: "Open your pool or change its terms; commission holds from the next epoch on",
			Long: "Open your pool or change its terms. Commission, in ten-thousandths of the holders' part, may change by MAX-CHANGE-BPS from one " +
				"epoch to the next, and that bound can only be lowered. OPEN says whether you take further delegations.",
			PositionalArgs: args("commission_bps", "max_change_bps", "open"),
			Example:        example("tx delegation set-terms 1000 100 true --from alice"),
		},
		{
			RpcMethod: "Delegate", Use: "delegate PARTICIPANT AMOUNT", Short: "Put coins behind a participant's bond; they earn from the next epoch on",
			PositionalArgs: args("participant", "amount"), Example: example("tx delegation delegate poai1… 5000000upoai --from bob"),
		},
		{
			RpcMethod: "Undelegate", Use: "undelegate PARTICIPANT SHARES", Short: "Take shares out again; withdraw them once they have matured",
			PositionalArgs: args("participant", "shares"), Example: example("tx delegation undelegate poai1… 5000000 --from bob"),
		},
		{
			RpcMethod: "Dissolve", Use: "dissolve", Short: "End your pool, closed before: everything delegated to you begins to unbond",
			Example: example("tx delegation dissolve --from alice"),
		},
		{
			RpcMethod: "Claim", Use: "claim PARTICIPANT", Short: "Claim what your shares have earned, and your part of a dissolved pool",
			PositionalArgs: args("participant"), Example: example("tx delegation claim poai1… --from bob"),
		},
		{
			RpcMethod: "Withdraw", Use: "withdraw", Short: "Withdraw what you have undelegated and has matured",
			Example: example("tx delegation withdraw --from bob"),
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params PARAMS", Short: "Propose new params (JSON, all of them)", GovProposal: true,
			PositionalArgs: args("params"),
			Example:        example(`tx delegation update-params "$(poaid query delegation params --output json | jq .params)" --from alice`),
		},
	}
}

func args(fields ...string) []*autocliv1.PositionalArgDescriptor {
	list := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, f := range fields {
		list[i] = &autocliv1.PositionalArgDescriptor{ProtoField: f}
	}
	return list
}

func example(line string) string { return version.AppName + " " + line }
