package rewards

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"
)

// AutoCLIOptions describes the commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	arg := func(field string) *autocliv1.PositionalArgDescriptor {
		return &autocliv1.PositionalArgDescriptor{ProtoField: field}
	}
	epochs := &autocliv1.PositionalArgDescriptor{ProtoField: "epochs", Varargs: true}
	example := func(line string) string { return version.AppName + " " + line }
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.rewards.v1.Query",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{RpcMethod: "Params", Use: "params", Short: "Show the params", Example: example("query rewards params")},
				{
					RpcMethod: "Supply", Use: "supply", Short: "Show what was minted so far and what the next block may mint",
					Example: example("query rewards supply"),
				},
				{
					RpcMethod: "Pools", Use: "pools", Short: "List the pools of closed epochs",
					Example: example("query rewards pools --page-reverse --page-limit 10"),
				},
				{
					RpcMethod: "Pool", Use: "pool EPOCH", Short: "Show the pool of one closed epoch",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{arg("epoch")}, Example: example("query rewards pool 12"),
				},
				{
					RpcMethod: "Claimable", Use: "claimable ADDRESS", Short: "List what a participant can claim, epoch by epoch",
					Long: "List what a participant can claim, epoch by epoch. A page looks at up to 1,000 closed epochs and sums up what it " +
						"lists; go on with --page-key while next_key is given.",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{arg("participant")},
					Example:        example("query rewards claimable poai1…"),
				},
				{
					RpcMethod: "Vesting", Use: "vesting ADDRESS", Short: "Show what of a participant's claims vests and what can be released",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{arg("participant")},
					Example:        example("query rewards vesting poai1…"),
				},
			},
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.rewards.v1.Msg",
			RpcCommandOptions: []*autocliv1.RpcCommandOptions{
				{
					RpcMethod: "Claim", Use: "claim EPOCH…", Short: "Claim your shares of closed epochs (ascending, at most 100) into your vesting",
					Long: "Claim your shares of closed epochs. What has vested so far is paid out along the way; what remains vests anew together " +
						"with the claim, linearly over vesting_blocks.",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{epochs},
					Example:        example("tx rewards claim 3 4 5 --from alice"),
				},
				{
					RpcMethod: "Release", Use: "release", Short: "Pay out what has vested",
					Example: example("tx rewards release --from alice"),
				},
				{
					RpcMethod: "ClaimFor", Use: "claim-for ADDRESS EPOCH…", Short: "Claim for a participant you delegate to what it left unclaimed for vesting_blocks",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{arg("participant"), epochs},
					Example:        example("tx rewards claim-for poai1… 3 4 5 --from alice"),
				},
				{
					RpcMethod: "ReleaseFor", Use: "release-for ADDRESS", Short: "Pay out what has vested to a participant and those who delegate to it",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{arg("participant")},
					Example:        example("tx rewards release-for poai1… --from alice"),
				},
				{
					RpcMethod: "SetAutoBond", Use: "set-auto-bond PPM", Short: "Put so many millionths of what you are paid into your bond; 0 ends it",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{arg("ppm")},
					Example:        example("tx rewards set-auto-bond 500000 --from alice"),
				},
				{
					RpcMethod: "Sweep", Use: "sweep ADDRESS EPOCH…", Short: "Move shares that a proven liar never claimed into the community pool",
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{arg("participant"), epochs},
					Example:        example("tx rewards sweep poai1… 3 4 5 --from alice"),
				},
				{
					RpcMethod: "UpdateParams", Use: "update-params PARAMS", Short: "Propose new params (JSON, all of them)", GovProposal: true,
					PositionalArgs: []*autocliv1.PositionalArgDescriptor{arg("params")},
					Example:        example(`tx rewards update-params "$(poaid query rewards params --output json | jq .params)" --from alice`),
				},
			},
		},
	}
}
