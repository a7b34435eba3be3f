package training

import (
	autocliv1 "cosmossdk.io/api/cosmos/autocli/v1"
	"github.com/cosmos/cosmos-sdk/version"

	"poaid/x/training/types"
)

// AutoCLIOptions describes the module's commands.
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
			RpcMethod: "Params", Use: "params", Short: "Show the params: segments, failures, retries, the base's least share",
			Example: example("query training params"),
		},
		{
			RpcMethod: "Jobs", Use: "jobs", Short: "List trainings, optionally of one owner",
			Example: example("query training jobs --owner poai1..."),
		},
		{
			RpcMethod: "Job", Use: "job [id]", Short: "Show a training and where it stands",
			Example: example("query training job 4294967552"), PositionalArgs: positional("id"),
		},
		{
			RpcMethod: "Checkpoints", Use: "checkpoints [id]", Short: "List the agreed states of a training, and who serves them",
			Example: example("query training checkpoints 4294967552"), PositionalArgs: positional("id"),
		},
		{
			RpcMethod: "JobOfTask", Use: "job-of-task [task-id]", Short: "Show the training that a task is a segment of",
			Example: example("query training job-of-task 4295032576"), PositionalArgs: positional("task_id"),
		},
		{
			RpcMethod: "Estimate", Use: "estimate [model] [steps] [segment-steps]", Short: "Tell what a training costs",
			Example: example("query training estimate digits-trainer 2000 500"), PositionalArgs: positional("model", "steps", "segment_steps"),
		},
		{
			RpcMethod: "Recipes", Use: "recipes", Short: "List the trainings that may earn score",
			Example: example("query training recipes"),
		},
	}
}

func txCommands() []*autocliv1.RpcCommandOptions {
	return []*autocliv1.RpcCommandOptions{
		{
			RpcMethod: "CreateJob", Use: "create-job [model] [steps] [segment-steps] [budget]", Short: "Begin a training; its fields are flags",
			Long:           "Begin a training of a registered program. weight_roots are the tensor roots of all its weights, in order; result is JSON.",
			Example:        example(`tx training create-job trainer 2000 500 50000000upoai --weight-roots <base64> --result '{"id":"mine",...}' --from alice`),
			PositionalArgs: positional("model", "steps", "segment_steps", "budget"),
		},
		{
			RpcMethod: "FundJob", Use: "fund [job-id] [amount]", Short: "Add to the budget of a training",
			Example: example("tx training fund 4294967552 1000000upoai --from alice"), PositionalArgs: positional("job_id", "amount"),
		},
		{
			RpcMethod: "ResumeJob", Use: "resume [job-id]", Short: "Go on with a paused training, from an earlier checkpoint if asked",
			Example: example("tx training resume 4294967552 --rewind --from-step 500 --from alice"), PositionalArgs: positional("job_id"),
		},
		{
			RpcMethod: "CancelJob", Use: "cancel [job-id]", Short: "Give a training up; what is not spent comes back",
			Example: example("tx training cancel 4294967552 --from alice"), PositionalArgs: positional("job_id"),
		},
		{
			RpcMethod: "FinishJob", Use: "finish [job-id] [weights-cid]", Short: "Register the result of a training (daemons do this)",
			Example:        example("tx training finish 4294967552 bafkrei... --state-roots <base64> --from alice"),
			PositionalArgs: positional("job_id", "weights_cid"),
		},
		{
			RpcMethod: "RegisterRecipe", Use: "register-recipe-proposal [recipe]", Short: "Propose that a training may earn score",
			Example:        example(`tx training register-recipe-proposal '{"id":"digits",...}' --title ... --summary ... --deposit 10000000upoai --from alice`),
			PositionalArgs: positional("recipe"), GovProposal: true,
		},
		{
			RpcMethod: "RemoveRecipe", Use: "remove-recipe-proposal [id]", Short: "Propose that a training earns no score any more",
			Example:        example("tx training remove-recipe-proposal digits --title ... --summary ... --deposit 10000000upoai --from alice"),
			PositionalArgs: positional("id"), GovProposal: true,
		},
		{
			RpcMethod: "UpdateParams", Use: "update-params-proposal [params]", Short: "Propose new params; all of them must be given",
			Example:        example(`tx training update-params-proposal '{"max_segments":"10000",...}' --title ... --summary ... --deposit 10000000upoai --from alice`),
			PositionalArgs: positional("params"), GovProposal: true,
		},
	}
}
