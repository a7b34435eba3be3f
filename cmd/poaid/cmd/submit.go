package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/spf13/cobra"

	"poaid/commit"
	"poaid/daemon/artifacts"
	"poaid/daemon/chain"
	"poaid/daemon/submit"
	"poaid/model"
	taskstypes "poaid/x/tasks/types"
)

const (
	flagModel       = "model"
	flagImage       = "image"
	flagPrompt      = "prompt"
	flagMaxTokens   = "max-tokens"
	flagTemperature = "temperature"
	flagTopK        = "top-k"
	flagTopP        = "top-p"
	flagSeed        = "seed"
	flagInput       = "input"
	flagSteps       = "steps"
	flagMaxFee      = "max-fee"
	flagTip         = "worker-tip" // --tip is the SDK's
	flagDenom       = "denom"
	flagWatch       = "watch"
	flagJSONOut     = "json"
)

func tasksTxCmd() *cobra.Command {
	return group("tasks", "Transactions of tasks", submitCmd())
}

func submitCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "submit",
		Short: "Submit a task: a picture, a prompt or any inputs for a registered model",
		Long: `Submit a task to the model --model. --image takes a PNG for the input "pixels", --prompt a text for the input "prompt";
--temperature, --top-k, --top-p and --seed are inputs of the program too, and --input sets any input: name=JSON, name=@file.npy,
name=@file.json or name=@file with raw little-endian bytes.

--max-fee is what is put in escrow; by default it is what the run can cost at most in the next blocks, since the price floor moves with demand. What is
not used comes back. --worker-tip goes to the worker on top, --denom pays in another denom that the chain takes. With --watch the command
follows the task through its states (on standard error) and prints the answer.

--allocation says who runs it: "draw" by lot, which alone can earn block reward; "auction" who asks least, at most --max-fee; "race" who seals
first, with up to --redundancy results to compare. --need-memory-mib and --need-tags go by what participants declare, --min-reliability-ppm by the
chain's record.`,
		Example: `  poaid tx tasks submit --model digits --image 7.png --from alice --watch
  poaid tx tasks submit --model story --prompt "Once upon a time" --max-tokens 64 --temperature 0.8 --seed 7 --from alice --watch
  poaid tx tasks submit --model digits --image 7.png --allocation auction --max-fee 5000upoai --need-tags region:eu --from alice
  poaid tx tasks submit --model digits --image 7.png --allocation race --redundancy 3 --from alice
  poaid tx tasks submit --model mine --input x=@x.npy --input 'k=[3]' --steps 10 --from alice`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			clientCtx, err := client.GetClientTxContext(cmd)
			if err != nil {
				return err
			}
			node, err := dialFlags(cmd.Context(), clientCtx)
			if err != nil {
				return err
			}
			err = runSubmit(cmd, clientCtx, node)
			return errors.Join(err, node.Close())
		},
	}
	f := cmd.Flags()
	f.String(flagModel, "", "Id of the model (needed)")
	f.String(flagImage, "", "PNG file for the input \"pixels\"")
	f.String(flagPrompt, "", "Text for the input \"prompt\"")
	f.Uint64(flagMaxTokens, 64, "Tokens to generate after the prompt")
	f.Float64(flagTemperature, 0, "Sampling temperature; 0 takes the likeliest token")
	f.Int32(flagTopK, 0, "Sample among the k likeliest tokens; 0: all")
	f.Float64(flagTopP, 1, "Sample among the likeliest tokens of this probability mass; 1: all")
	f.Int64(flagSeed, 0, "Seed of the sampling")
	f.StringArray(flagInput, nil, "Any input: name=JSON, name=@file.npy, name=@file.json, name=@file")
	f.Uint64(flagSteps, 0, "Steps of the run (default: from the prompt and --max-tokens, otherwise 1)")
	f.String(flagMaxFee, "", "Most to pay, such as 1000upoai (default: the most that the chain estimates for the next blocks)")
	f.String(flagTip, "", "What the worker gets on top of the price floor, in upoai per 1,000,000 units")
	f.String(flagDenom, "", "Denom to pay in (default: that of --max-fee, or the chain's own)")
	f.Bool(flagWatch, false, "Follow the task and print the answer")
	f.Bool(flagJSONOut, false, "Print JSON: the transaction, and with --watch the whole task")
	addMarketFlags(cmd)
	addArtifactsFlag(cmd)
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

func runSubmit(cmd *cobra.Command, clientCtx client.Context, node *chain.Client) error {
	msg, units, err := submission(cmd, clientCtx, node)
	if err != nil {
		return err
	}
	var res taskstypes.MsgSubmitTaskResponse
	question := fmt.Sprintf("put %s in escrow for %d units on %s", msg.MaxFee, units, msg.Model)
	hash, err := send(cmd, clientCtx, node, question, msg, &res)
	if errors.Is(err, errHandled) {
		return nil
	}
	if err != nil {
		return err
	}
	v := flagReader{set: cmd}
	watch, asJSON := v.is(flagWatch), v.is(flagJSONOut)
	if v.err != nil {
		return v.err
	}
	if !asJSON {
		fmt.Fprintf(cmd.ErrOrStderr(), "task %d submitted: %d units, fee %s, escrow %s, scored %t\n", res.Id, res.Units, res.Fee, msg.MaxFee, res.Scored)
	}
	if !watch {
		return printSubmitted(cmd, asJSON, hash, &res)
	}
	return watchTask(cmd, clientCtx, node, res.Id, asJSON)
}

func printSubmitted(cmd *cobra.Command, asJSON bool, hash []byte, res *taskstypes.MsgSubmitTaskResponse) error {
	if !asJSON {
		fmt.Fprintln(cmd.OutOrStdout(), res.Id)
		return nil
	}
	return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{
		"id": fmt.Sprint(res.Id), "units": fmt.Sprint(res.Units), "fee": res.Fee.String(), "scored": res.Scored, "tx": fmt.Sprintf("%X", hash),
	})
}

// submission builds the message from the flags and the model's program.
func submission(cmd *cobra.Command, clientCtx client.Context, node *chain.Client) (*taskstypes.MsgSubmitTask, uint64, error) {
	ctx := cmd.Context()
	v := flagReader{set: cmd}
	id := v.text(flagModel)
	wants := wantsOf(&v)
	if v.err != nil {
		return nil, 0, v.err
	}
	if id == "" {
		return nil, 0, fmt.Errorf("--%s: name a model; see poaid query models list", flagModel)
	}
	info, err := node.Model(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	prog, err := node.Program(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	store, err := openArtifacts(cmd, clientCtx.HomeDir)
	if err != nil {
		return nil, 0, err
	}
	defer store.Close()
	var tok *model.Tokenizer
	if wants.Prompt != "" && info.TokenizerCid != "" {
		peers := func(ctx context.Context) ([]string, error) { return node.Endpoints(ctx, id) }
		fetcher := artifacts.NewFetcher(store, peers, artifacts.FetchOptions{})
		if tok, err = submit.Tokenizer(ctx, info.TokenizerCid, fetcher.GetBytes); err != nil {
			return nil, 0, err
		}
	}
	built, err := submit.Build(prog, tok, wants)
	if err != nil {
		return nil, 0, err
	}
	if err := moveLarge(cmd, node, store, built.Tensors); err != nil {
		return nil, 0, err
	}
	req := &taskstypes.QueryEstimateRequest{Model: id, Steps: built.Steps, PromptRows: built.PromptRows}
	fee, tip, units, err := payment(cmd, node, req)
	if err != nil {
		return nil, 0, err
	}
	msg := &taskstypes.MsgSubmitTask{
		Submitter: clientCtx.GetFromAddress().String(), Model: id, Inputs: built.Tensors, Steps: built.Steps, MaxFee: fee, Tip: tip,
	}
	return msg, units, market(cmd, msg)
}

// payment is max_fee and tip by the flags, and the units of the run; by default max_fee is the most that the run can cost in the next blocks.
func payment(cmd *cobra.Command, node *chain.Client, req *taskstypes.QueryEstimateRequest) (fee sdk.Coin, tip math.Int, units uint64, err error) {
	v := flagReader{set: cmd}
	maxFee := v.text(flagMaxFee)
	req.Tip, req.Denom = v.text(flagTip), v.text(flagDenom)
	if v.err != nil {
		return fee, tip, 0, v.err
	}
	if maxFee != "" {
		if fee, err = sdk.ParseCoinNormalized(maxFee); err != nil {
			return fee, tip, 0, fmt.Errorf("--%s: %w", flagMaxFee, err)
		}
		if req.Denom != "" && req.Denom != fee.Denom {
			return fee, tip, 0, fmt.Errorf("--%s: %s, but --%s is %s", flagDenom, req.Denom, flagMaxFee, fee)
		}
		req.Denom = fee.Denom
	}
	est, err := taskstypes.NewQueryClient(node).Estimate(cmd.Context(), req)
	if err != nil {
		return fee, tip, 0, fmt.Errorf("estimate: %w", err)
	}
	tip = math.ZeroInt()
	if req.Tip != "" {
		var ok bool
		if tip, ok = math.NewIntFromString(req.Tip); !ok {
			return fee, tip, 0, fmt.Errorf("--%s: %q is no amount", flagTip, req.Tip)
		}
	}
	if maxFee == "" {
		return est.WorstFee, tip, est.Units, nil
	}
	// An auction may find somebody who asks for less than the floor.
	if fee.Amount.LT(est.Fee.Amount) && v.text(flagAllocation) != "auction" {
		return fee, tip, 0, fmt.Errorf("--%s: %s is less than the fee of %s", flagMaxFee, fee, est.Fee)
	}
	return fee, tip, est.Units, nil
}

// wantsOf reads what is wanted; sampling parameters are set only where the user gave them, since a model may not have them.
func wantsOf(v *flagReader) submit.Wants {
	f := v.set.Flags()
	w := submit.Wants{
		Image: v.text(flagImage), Prompt: v.text(flagPrompt), MaxTokens: v.unsigned(flagMaxTokens), Steps: v.unsigned(flagSteps),
		Inputs: read(v, f.GetStringArray, flagInput),
	}
	if f.Changed(flagTemperature) {
		t := v.float(flagTemperature)
		w.Temperature = &t
	}
	if f.Changed(flagTopP) {
		p := v.float(flagTopP)
		w.TopP = &p
	}
	if f.Changed(flagTopK) {
		k := read(v, f.GetInt32, flagTopK)
		w.TopK = &k
	}
	if f.Changed(flagSeed) {
		s := v.number64(flagSeed)
		w.Seed = &s
	}
	return w
}

// moveLarge puts inputs into the artifact store when together they exceed what the chain takes inline.
func moveLarge(cmd *cobra.Command, node *chain.Client, store *artifacts.Store, tensors []taskstypes.NamedTensor) error {
	p, err := node.TasksParams(cmd.Context())
	if err != nil {
		return err
	}
	var size uint64
	for _, t := range tensors {
		size += uint64(len(t.Data))
	}
	if size <= p.MaxInlineInputBytes {
		return nil
	}
	for i := range tensors {
		t := &tensors[i]
		root, err := commit.TensorRoot(uint8(t.Dtype), t.Shape, t.Data)
		if err != nil {
			return fmt.Errorf("input %s: %w", t.Name, err)
		}
		if t.Cid, err = store.PutBytes(cmd.Context(), t.Data); err != nil {
			return err
		}
		t.Root, t.Data = root[:], nil
		fmt.Fprintf(cmd.ErrOrStderr(), "input %s is stored as %s\n", t.Name, t.Cid)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "inputs take %d bytes, more than the %d the chain keeps: workers must be able to fetch them from you "+
		"(poaid artifacts serve, at your participant's endpoint), and the task earns no block reward\n", size, p.MaxInlineInputBytes)
	return nil
}

// watchTask reports states on standard error and prints the answer.
func watchTask(cmd *cobra.Command, clientCtx client.Context, node *chain.Client, id uint64, asJSON bool) error {
	start := time.Now()
	report := func(t *taskstypes.QueryTaskResponse) {
		line := fmt.Sprintf("%6.1fs  %s", time.Since(start).Seconds(), submit.StateName(t.Status.State))
		if t.Status.Worker != "" {
			line += "  worker " + t.Status.Worker
		}
		if n := len(t.Committee); n > 0 {
			line += fmt.Sprintf("  committee of %d", n)
		}
		fmt.Fprintln(cmd.ErrOrStderr(), line)
	}
	res, err := submit.Watch(cmd.Context(), node.TaskDetail, id, 250*time.Millisecond, report)
	if res != nil && asJSON {
		raw, jerr := clientCtx.Codec.MarshalJSON(res)
		if jerr != nil {
			return errors.Join(err, jerr)
		}
		fmt.Fprintln(cmd.OutOrStdout(), string(raw))
		return err
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), submit.Answer(res))
	return nil
}
