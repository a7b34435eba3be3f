package auctions

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"

	"poaid/x/auctions/types"
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
			RpcMethod: "Params", Use: "params", Short: "Show the params: deposits of bids",
			Example: example("query auctions params"),
		},
		{
			RpcMethod: "Auction", Use: "auction [task]", Short: "Show the auction of a task: its limits, and the best bids",
			Example: example("query auctions auction 1234567890"), PositionalArgs: positional("task"),
		},
		{
			RpcMethod: "Bids", Use: "bids [task]", Short: "List the bids on a task, by address",
			Example: example("query auctions bids 1234567890"), PositionalArgs: positional("task"),
		},
		{
			RpcMethod: "BidsOf", Use: "bids-of [bidder]", Short: "List the bids of a participant, and which can be withdrawn",
			Example: example("query auctions bids-of poai1..."), PositionalArgs: positional("bidder"),
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Bid", Use: "bid [task-id] [price]", Short: "Offer to run a task at a price, or lower an offer",
			Long:    "Offer to run a task. The price is for the whole run, in the denom of the task's fee. It takes a deposit, and locks bond while the bid is among the best.",
			Example: example("tx auctions bid 1234567890 250000 --from worker"), PositionalArgs: positional("task_id", "price"),
		},
		{RpcMethod: "SealBid", Skip: true},
		{RpcMethod: "RevealBid", Skip: true},
		{
			RpcMethod: "WithdrawBids", Use: "withdraw [task-id]...", Short: "Take the deposits of bids back",
			Example:        example("tx auctions withdraw 1234567890 1234567891 --from worker"),
			PositionalArgs: []*autocliv1.PositionalArgDescriptor{{ProtoField: "task_ids", Varargs: true}},
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params-proposal [params]", Short: "Propose new params; all of them must be given",
			Example:        example(`tx auctions update-params-proposal '{"deposit_bps":100,...}' --title ... --summary ... --deposit 10000000upoai --from alice`),
			PositionalArgs: positional("params"),
			GovProposal:    true,
		},
	}
}
