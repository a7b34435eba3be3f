package tasks

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"

	"poaid/x/tasks/types"
)

// AutoCLIOptions describes the module's commands. SubmitTask has a command of its own in cmd/poaid, which reads images and prompts,
// and so has Coins, which prints a table.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{
			Service: types.Query_serviceDesc.ServiceName, RpcCommandOptions: queryCommands(), EnhanceCustomCommand: true,
		},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service: types.Msg_serviceDesc.ServiceName, RpcCommandOptions: txCommands(), EnhanceCustomCommand: true,
		},
	}
}

func example(s string) string { return version.AppName + " " + s }

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Params", Use: "params", Short: "Show the params: prices, windows, audits, forced errors, shares",
			Example: example("query tasks params"),
		},
		{
			RpcMethod: "Tasks", Use: "list", Short: "List tasks, oldest first, optionally of one submitter",
			Long:    "List tasks with their status. Pages hold at most 1000 entries; go on with --page-key, and see the newest first with --page-reverse.",
			Example: example("query tasks list --submitter poai1... --page-limit 20 --page-reverse"),
		},
		{
			RpcMethod: "Task", Use: "task [id]", Short: "Show a task: status, audit rate, answer, committee, payment",
			Long:           "Show everything about a task. Outputs are shown as numbers and, where the model says how, as a label or as text.",
			Example:        example("query tasks task 2013265920"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "id"}},
		},
		{
			RpcMethod: "Inputs", Use: "inputs [id]", Short: "Show the inputs of a task",
			Long: "Show the inputs that were given with a task; those left to the model's default are not listed. They are dropped " +
				"retention_blocks after the task has ended.",
			Example:        example("query tasks inputs 2013265920"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "id"}},
		},
		{
			RpcMethod: "Assigned", Use: "assigned [worker]", Short: "List the unfinished tasks of a worker",
			Example:        example("query tasks assigned poai1..."),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "worker"}},
		},
		{
			RpcMethod: "Jackpot", Use: "jackpot", Short: "Show what is in the jackpot of forced errors",
			Example: example("query tasks jackpot"),
		},
		{
			RpcMethod: "Open", Use: "open", Short: "List races that take seals and auctions that take bids or reveals",
			Example: example("query tasks open --model digits"),
		},
		{
			RpcMethod: "Estimate", Use: "estimate", Short: "Tell units, fee, lock and audit rate of a run",
			Long: "Tell what a run costs now, and what it can cost at most some blocks later: the price floor moves with demand. Give worst_fee as " +
				"--max-fee and the task is not refused for its price; what is not used comes back.",
			Example: example("query tasks estimate --model story --steps 64 --prompt-rows 12 --tip 50000"),
			FlagOptions: map[string]*autocliv1.FlagOptions{
				"model":       {Usage: "id of the model"},
				"steps":       {Usage: "steps of the run", DefaultValue: "1"},
				"prompt_rows": {Usage: "rows of the forced input (tokens of the prompt); 0 for models without one"},
				"tip":         {Usage: "what the worker gets on top of the floor, in upoai per 1,000,000 units"},
				"denom":       {Usage: "denom to pay in (default: the chain's own)"},
				"blocks":      {Usage: "blocks to look ahead (default 10, at most 1,000)"},
			},
		},
		{
			RpcMethod: "Price", Use: "price", Short: "Show the price floor of 1,000,000 units, and what moves it",
			Example: example("query tasks price"),
		},
		{
			RpcMethod: "Receipt", Use: "receipt [id]", Short: "Show the receipt of a task that is final",
			Long:           "Show the receipt of a final task. It is kept for ever; poaid receipt export makes of it what can be checked without the chain.",
			Example:        example("query tasks receipt 2013265920"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "id"}},
		},
		{RpcMethod: "Coins", Skip: true},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "SubmitTask", Skip: true},
		{
			RpcMethod: "CancelTask", Use: "cancel [task-id]", Short: "Cancel a task that no worker was drawn for yet",
			Long:           "Cancel a task of yours. It works until the first worker is drawn; the whole escrow is refunded at the end of the block.",
			Example:        example("tx tasks cancel 2013265920 --from alice"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "task_id"}},
		},
		{
			RpcMethod: "SealResults", Use: "seal", Short: "Commit a batch of results (workers' daemons do this)",
			Long:    "Commit results. A seal is SHA-256 over chain id, task, worker, result root and salt, in base64.",
			Example: example(`tx tasks seal --items '{"task_id":"2013265920","seal":"<base64>"}' --from worker`),
		},
		{
			RpcMethod: "RevealResults", Use: "reveal", Short: "Open a batch of sealed results (workers' daemons do this)",
			Example: example(`tx tasks reveal --items '{"task_id":"2013265920","state_root":"<base64>","salt":"<base64>","outputs":[...]}' --from worker`),
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params-proposal [params]", Short: "Propose new params; all of them must be given",
			Example:        example(`tx tasks update-params-proposal '{"fee_denom":"upoai",...}' --title ... --summary ... --deposit 10000000upoai --from alice`),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "params"}},
			GovProposal:    true,
		},
	}
}
