package disputes

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"

	"poaid/x/disputes/types"
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

func task() *autocliv1.PositionalArgDescriptor {
	return &autocliv1.PositionalArgDescriptor{ProtoField: "task_id"}
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Params", Use: "params", Short: "Show the params and the tick of the games' clock",
			Example: example("query disputes params"),
		},
		{
			RpcMethod: "Cases", Use: "list", Short: "List cases, optionally only those that are not closed",
			Example:     example("query disputes list --open"),
			FlagOptions: map[string]*autocliv1.FlagOptions{"open": {Usage: "only cases that are not closed"}},
		},
		{
			RpcMethod: "Case", Use: "show [task-id]", Short: "Tell the story of a dispute: claims, games, what was judged, who was right",
			Long: "Show the last case of a task, who claimed what, and of each game the step, the op, the element in question, the two values " +
				"and what it cost.",
			Example:        example("query disputes show 2013265920"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task()},
		},
		{
			RpcMethod: "Claims", Use: "claims [task-id]", Short: "List the claims of a task's last case",
			Example:        example("query disputes claims 2013265920"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task()},
		},
		{
			RpcMethod: "Games", Use: "games [task-id]", Short: "List the games of a task",
			Example:        example("query disputes games 2013265920"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task()},
		},
		{
			RpcMethod: "Game", Use: "game [task-id] [game]", Short: "Show a game with its whole position",
			Example:        example("query disputes game 2013265920 1"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task(), {ProtoField: "index"}},
		},
		{
			RpcMethod: "Playing", Use: "playing [participant]", Short: "List the running games of a participant",
			Example:        example("query disputes playing poai1..."),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "participant"}},
		},
		{
			RpcMethod: "Demands", Use: "demands [task-id]", Short: "List the demands for bytes of a task",
			Example:        example("query disputes demands 2013265920"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task()},
		},
		{
			RpcMethod: "Quarantines", Use: "quarantines", Short: "List the ops that new tasks must not use",
			Example: example("query disputes quarantines"),
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Claim", Use: "claim [task-id] [result-root]", Short: "Stand behind a result root, which locks as much bond as the worker has",
			Long: "Stand behind a root of a revealed task. A root that nobody else has opens a case, and a game against the worker: a daemon that " +
				"can re-execute the task must play it.",
			Example:        example("tx disputes claim 2013265920 <hex> --from watcher"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task(), {ProtoField: "result_root"}},
		},
		{
			RpcMethod: "Attack", Use: "attack [task-id] [target]", Short: "Open a game against somebody behind another root, with a stake that prepays its moves",
			Example:        example("tx disputes attack 2013265920 poai1... --from watcher"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task(), {ProtoField: "target"}},
		},
		{
			RpcMethod: "Defend", Use: "defend [task-id] [game]", Short: "Take the chair of a silent defender of the same root",
			Example:        example("tx disputes defend 2013265920 1 --from watcher"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task(), {ProtoField: "game"}},
		},
		{
			RpcMethod: "Move", Use: "move [task-id] [game] [moves] [move]", Short: "Make a move in a game (daemons do this)",
			Example: example(`tx disputes move 2013265920 1 4 '{"reject":{"index":"3"}}' --from watcher`),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{
				task(), {ProtoField: "game"}, {ProtoField: "moves"}, {ProtoField: "move"},
			},
		},
		{
			RpcMethod: "DemandBytes", Use: "demand [task-id] [source] [name] [first] [count]",
			Short:   "Demand chunks of an input or a weight; if nobody produces them the task is void",
			Example: example("tx disputes demand 2013265920 source-weight layer0.w 0 4 --from worker"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{
				task(), {ProtoField: "source"}, {ProtoField: "name"}, {ProtoField: "first"}, {ProtoField: "count"},
			},
		},
		{
			RpcMethod: "ProduceBytes", Use: "produce [task-id] [demand] [tensor-root] [range]", Short: "Bring demanded bytes (daemons do this)",
			Example: example(`tx disputes produce 2013265920 1 <hex> '{"data":"<base64>"}' --from watcher`),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{
				task(), {ProtoField: "demand"}, {ProtoField: "tensor_root"}, {ProtoField: "range"},
			},
		},
		{
			RpcMethod: "SettleSuspect", Use: "settle-suspect-proposal [task-id]", Short: "Propose what becomes of a case with a suspected op",
			Example:        example("tx disputes settle-suspect-proposal 2013265920 --acquit --title ... --summary ... --deposit 10000000upoai --from alice"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{task()}, GovProposal: true,
			FlagOptions: map[string]*autocliv1.FlagOptions{"acquit": {Usage: "the op is at fault: nobody is slashed"}},
		},
		{
			RpcMethod: "LiftQuarantine", Use: "lift-quarantine-proposal [op]", Short: "Propose to let tasks use an op again",
			Example:        example("tx disputes lift-quarantine-proposal matmul@1 --title ... --summary ... --deposit 10000000upoai --from alice"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "op"}}, GovProposal: true,
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params-proposal [params]", Short: "Propose new params; all of them must be given",
			Example:        example(`tx disputes update-params-proposal '{"arity":16,...}' --title ... --summary ... --deposit 10000000upoai --from alice`),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "params"}}, GovProposal: true,
		},
	}
}
