package grades

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"

	"poaid/x/grades/types"
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
		{RpcMethod: "Params", Use: "params", Short: "Show the params: fees, limits, quorum, consensus", Example: example("query grades params")},
		{RpcMethod: "Contests", Use: "contests", Short: "List contests", Example: example("query grades contests")},
		{
			RpcMethod: "Contest", Use: "contest [id]", Short: "Show a contest: phase, round, what it pays",
			Example: example("query grades contest poems"), PositionalArgs: positional("id"),
		},
		{
			RpcMethod: "Entries", Use: "entries [contest]", Short: "List the entries of a contest, by slot",
			Example: example("query grades entries poems"), PositionalArgs: positional("contest"),
		},
		{
			RpcMethod: "Seats", Use: "seats [contest]", Short: "List the graders of the running round",
			Example: example("query grades seats poems"), PositionalArgs: positional("contest"),
		},
		{
			RpcMethod: "Rounds", Use: "rounds [contest]", Short: "List the results of rounds",
			Example: example("query grades rounds poems --page-reverse --page-limit 1"), PositionalArgs: positional("contest"),
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "CreateContest", Use: "create [id]", Short: "Create a contest: work that drawn graders judge, round by round",
			Long: "Create a contest. --criteria is the SHA-256, in base64, of the document that says how to grade; graders are drawn from the participants that joined. " +
				"A create_fee is burnt. Rounds begin once the contest holds a round's pot and two entries.",
			Example: example("tx grades create poems --criteria <base64> --seats 5 --max-entries 16 --seal-blocks 600 --reveal-blocks 300 " +
				"--pause-blocks 60 --pot 1000000upoai --grader-bps 2000 --from alice"),
			PositionalArgs: positional("id"),
		},
		{
			RpcMethod: "FundContest", Use: "fund [contest] [amount]", Short: "Put coins into a contest",
			Example: example("tx grades fund poems 10000000upoai --from alice"), PositionalArgs: positional("contest", "amount"),
		},
		{
			RpcMethod: "CloseContest", Use: "close [contest]", Short: "End a contest; what is left comes back",
			Example: example("tx grades close poems --from alice"), PositionalArgs: positional("contest"),
		},
		{
			RpcMethod: "Enter", Use: "enter [contest] [hash]", Short: "Enter a work, by the SHA-256 of it in base64",
			Example:        example("tx grades enter poems <base64> --uri https://example.org/poem.txt --from bob"),
			PositionalArgs: positional("contest", "hash"),
		},
		{
			RpcMethod: "Leave", Use: "leave [contest]", Short: "Take one's work out of a contest",
			Example: example("tx grades leave poems --from bob"), PositionalArgs: positional("contest"),
		},
		{
			RpcMethod: "JoinGraders", Use: "join [contest]", Short: "Let this participant be drawn as a grader of a contest",
			Example: example("tx grades join poems --from worker"), PositionalArgs: positional("contest"),
		},
		{
			RpcMethod: "LeaveGraders", Use: "leave-graders [contest]", Short: "End that; a seat that was drawn stays due",
			Example: example("tx grades leave-graders poems --from worker"), PositionalArgs: positional("contest"),
		},
		{RpcMethod: "SealGrades", Skip: true},
		{RpcMethod: "RevealGrades", Skip: true},
		{
			RpcMethod: "UpdateParams", Use: "update-params-proposal [params]", Short: "Propose new params; all of them must be given",
			Example:        example(`tx grades update-params-proposal '{"fee_denom":"upoai",...}' --title ... --summary ... --deposit 10000000upoai --from alice`),
			PositionalArgs: positional("params"),
			GovProposal:    true,
		},
	}
}
