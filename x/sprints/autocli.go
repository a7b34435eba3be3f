package sprints

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"

	"poaid/x/sprints/types"
)

// AutoCLIOptions describes the module's commands.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{Service: types.Query_serviceDesc.ServiceName, RpcCommandOptions: queryCommands()},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service: types.Msg_serviceDesc.ServiceName, RpcCommandOptions: txCommands(), EnhanceCustomCommand: true,
		},
	}
}

func example(s string) string { return version.AppName + " " + s }

func positional(fields ...string) []*autocliv1.PositionalArgDescriptor {
	out := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, f := range fields {
		out[i] = &autocliv1.PositionalArgDescriptor{ProtoField: f}
	}
	return out
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Params", Use: "params", Short: "Show the params: duty, windows, audits, what a commit locks",
			Example: example("query sprints params"),
		},
		{
			RpcMethod: "Season", Use: "season", Short: "Show this epoch's model and difficulty: tokens of a leaf, coin",
			Example: example("query sprints season"),
		},
		{
			RpcMethod: "Current", Use: "current", Short: "Show the last window, and whether it takes commits",
			Example: example("query sprints current"),
		},
		{
			RpcMethod: "Windows", Use: "windows", Short: "List the windows that are kept, oldest first",
			Example: example("query sprints windows --page-reverse"),
		},
		{
			RpcMethod: "Window", Use: "window [number]", Short: "Show a window",
			Example: example("query sprints window 12"), PositionalArgs: positional("number"),
		},
		{
			RpcMethod: "Commits", Use: "commits [window]", Short: "List the commits of a window, by address",
			Example: example("query sprints commits 12"), PositionalArgs: positional("window"),
		},
		{
			RpcMethod: "Commit", Use: "commit [window] [participant]", Short: "Show a commit, and the leaves its audit asks for",
			Example: example("query sprints commit 12 poai1..."), PositionalArgs: positional("window", "participant"),
		},
		{
			RpcMethod: "Audits", Use: "audits", Short: "List the audits that run, optionally of one participant",
			Example: example("query sprints audits --participant poai1..."),
		},
		{
			RpcMethod: "Lock", Use: "lock [count]", Short: "Tell what a commit of so many leaves locks, proves, and how likely it is audited",
			Example: example("query sprints lock 500"), PositionalArgs: positional("count"),
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "CommitSprint", Use: "commit [window] [count] [root]", Short: "Commit the leaves of the open window (daemons do this)",
			Long:           "Commit a number of leaves and the Merkle root over their values, in base64. It locks bond until the commit is decided.",
			Example:        example("tx sprints commit 12 500 <base64> --from worker"),
			PositionalArgs: positional("window", "count", "root"),
		},
		{
			RpcMethod: "OpenSprint", Use: "open [window]", Short: "Open the leaves that an audit asks for (daemons do this)",
			Example:        example(`tx sprints open 12 --leaves '{"number":"3","value":"<base64>","proof":["<base64>",...]}' --from worker`),
			PositionalArgs: positional("window"),
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params-proposal [params]", Short: "Propose new params; all of them must be given",
			Example:        example(`tx sprints update-params-proposal '{"duty_ppm":50000,...}' --title ... --summary ... --deposit 10000000upoai --from alice`),
			PositionalArgs: positional("params"),
			GovProposal:    true,
		},
	}
}
