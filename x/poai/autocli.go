package poai

import autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"

func args(fields ...string) []*autocliv1.PositionalArgDescriptor {
	out := make([]*autocliv1.PositionalArgDescriptor, len(fields))
	for i, f := range fields {
		out[i] = &autocliv1.PositionalArgDescriptor{ProtoField: f}
	}
	return out
}

// varargs is args with a last field that takes any number of values.
func varargs(field string) []*autocliv1.PositionalArgDescriptor {
	return []*autocliv1.PositionalArgDescriptor{{ProtoField: field, Varargs: true}}
}

// AutoCLIOptions describes the commands of x/poai.
func (AppModule) AutoCLIOptions() *autocliv1.ModuleOptions {
	return &autocliv1.ModuleOptions{
		Query: &autocliv1.ServiceCommandDescriptor{Service: "poai.poai.v1.Query", RpcCommandOptions: queryCommands()},
		Tx: &autocliv1.ServiceCommandDescriptor{
			Service: "poai.poai.v1.Msg", RpcCommandOptions: txCommands(), EnhanceCustomCommand: true,
		},
	}
}

func queryCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{RpcMethod: "Params", Use: "params", Short: "Show the params of x/poai"},
		{
			RpcMethod: "Participants", Use: "participants", Short: "List participants, all or those who serve a model",
			Example: "poaid query poai participants --model digits --page-limit 20",
		},
		{
			RpcMethod: "Participant", Use: "participant [address]", Short: "Show a participant: bond, locks, reliability, models",
			Example: "poaid query poai participant $(poaid keys show alice -a)", PositionalArgs: args("address"),
		},
		{
			RpcMethod: "Locks", Use: "locks [address]", Short: "List what a participant has at risk",
			Example: "poaid query poai locks $(poaid keys show alice -a)", PositionalArgs: args("address"),
		},
		{
			RpcMethod: "Unbondings", Use: "unbondings [address]", Short: "List bond on its way out and when it matures",
			Example: "poaid query poai unbondings $(poaid keys show alice -a)", PositionalArgs: args("address"),
		},
		{
			RpcMethod: "Faults", Use: "faults [address]", Short: "List what a participant was slashed for, and by what evidence",
			Example: "poaid query poai faults $(poaid keys show alice -a) --page-reverse --page-limit 5", PositionalArgs: args("address"),
		},
		{RpcMethod: "Correlation", Use: "correlation", Short: "Show what a lie would cost now besides its lock"},
		{
			RpcMethod: "Operators", Use: "operators [model]", Short: "Show whether a model is served by enough participants to earn score",
			Example: "poaid query poai operators digits --participant $(poaid keys show alice -a)", PositionalArgs: args("model"),
		},
		{
			RpcMethod: "Duties", Use: "duties [address]", Short: "List the open and sealed seats of a participant",
			Example: "poaid query poai duties $(poaid keys show alice -a)", PositionalArgs: args("address"),
		},
		{
			RpcMethod: "Committee", Use: "committee [task-id]", Short: "Show the committee of a task and its seats",
			Example: "poaid query poai committee 16777216", PositionalArgs: args("task_id"),
		},
		{
			RpcMethod: "Epoch", Use: "epoch", Short: "Show an epoch; without --number the running one",
			Example: "poaid query poai epoch --number 3",
		},
		{RpcMethod: "Epochs", Use: "epochs", Short: "List epochs", Example: "poaid query poai epochs --page-reverse --page-limit 5"},
		{
			RpcMethod: "Scores", Use: "scores", Short: "List the scores of an epoch in millionths of a unit; without --epoch the last one that has any",
			Example: "poaid query poai scores --epoch 3",
		},
		{
			RpcMethod: "Power", Use: "power", Short: "Explain what power each validator has: bond, score, limits, and one sentence of why",
			Example: "poaid query poai power --operator $(poaid keys show alice --bech val -a)",
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "Join", Use: "join [bond]", Short: "Join as a participant with a bond; an address joins once",
			Example:        "poaid tx poai join 100000000upoai --moniker alice --endpoint http://10.0.0.1:8090 --concurrency 4 --models digits,story --from alice",
			PositionalArgs: args("bond"),
		},
		{
			RpcMethod: "UpdateParticipant", Use: "update-participant", Short: "Replace moniker, endpoint, concurrency, memory and tags",
			Example: "poaid tx poai update-participant --moniker alice --endpoint http://10.0.0.2:8090 --concurrency 8 --memory-mib 65536 --tags gpu,region:eu --from alice",
		},
		{
			RpcMethod: "SetVRFKey", Use: "set-vrf-key [vrf-pub-key] [proof]", Short: "Set the VRF key that forced errors go by (workers' daemons do this)",
			Example: "poaid tx poai set-vrf-key <base64> <base64> --from alice", PositionalArgs: args("vrf_pub_key", "proof"),
		},
		{
			RpcMethod: "AddBond", Use: "add-bond [amount]", Short: "Add to the bond",
			Example: "poaid tx poai add-bond 5000000upoai --from alice", PositionalArgs: args("amount"),
		},
		{
			RpcMethod: "Unbond", Use: "unbond [amount]", Short: "Start to withdraw bond that is not locked",
			Example: "poaid tx poai unbond 5000000upoai --from alice", PositionalArgs: args("amount"),
		},
		{
			RpcMethod: "WithdrawUnbonded", Use: "withdraw-unbonded", Short: "Pay out bond whose unbonding time is over",
			Example: "poaid tx poai withdraw-unbonded --from alice",
		},
		{
			RpcMethod: "Serve", Use: "serve [model]...", Short: "Become a candidate for the tasks and committees of models",
			Example: "poaid tx poai serve digits story --from alice", PositionalArgs: varargs("models"),
		},
		{
			RpcMethod: "StopServing", Use: "stop-serving [model]...", Short: "Be no longer drawn for models; work already drawn stays due",
			Example: "poaid tx poai stop-serving story --from alice", PositionalArgs: varargs("models"),
		},
		{
			RpcMethod: "SealAttestations", Use: "seal-attestations", Short: "Commit a batch of attestations (the verifier daemon does)",
			Example: `poaid tx poai seal-attestations --items '{"task_id":"16777216","seal":"…base64…"}' --from alice`,
		},
		{
			RpcMethod: "RevealAttestations", Use: "reveal-attestations", Short: "Open a batch of attestations (the verifier daemon does)",
			Example: `poaid tx poai reveal-attestations --items '{"task_id":"16777216","result_root":"…base64…","salt":"…base64…"}' --from alice`,
		},
		{
			RpcMethod: "Unjail", Use: "unjail", Short: "Leave jail once its time is over",
			Example: "poaid tx poai unjail --from alice",
		},
		{RpcMethod: "Acquit", Skip: true},       // by governance proposal
		{RpcMethod: "UpdateParams", Skip: true}, // by governance proposal
	}
}
