package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/spf13/cobra"

	"poaid/commit"
	"poaid/daemon/artifacts"
	"poaid/daemon/chain"
	"poaid/daemon/registry"
	"poaid/engine"
	"poaid/model"
	"poaid/model/train"
	modelstypes "poaid/x/models/types"
	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

const (
	flagID           = "id"
	flagBase         = "base"
	flagBaseShare    = "base-share-bps"
	flagRoyalty      = "royalty-bps"
	flagSegmentSteps = "segment-steps"
	flagBudget       = "budget"
	flagRecipe       = "recipe"
)

// lossesOutput is the output of a training program that shows whether it has diverged.
const lossesOutput = "losses"

func trainingTxCmd() *cobra.Command {
	return group("training", "Transactions of trainings", createTrainingCmd())
}

func trainingQueryCmd() *cobra.Command {
	return group("training", "Querying commands for the training module", watchTrainingCmd())
}

func createTrainingCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "create SPEC",
		Short: "Train a model on the chain as a file says: the file that \"poaid model train\" takes",
		Long: `Build the training program that SPEC describes (docs/training.md), register it and the untrained model where the chain does not have them, as ID-trainer and
ID-base, and open a training: its steps are done segment by segment by whoever is drawn, sealed, audited and paid like any task. What
comes out is registered as the model --id. --base names a registered model in place of ID-base: the one that SPEC goes on from.

Data and starting weights go into the artifact store: workers must be able to fetch them (poaid artifacts serve, or a participant's endpoint), and some
participants must serve the training program (poaid tx poai serve ID-trainer).

--budget is put in escrow; by default it is what all segments cost at most at the price of now, and a fifth more, since the price moves. What is not spent comes
back. With --watch the command follows the training to its end (on standard error) and prints the model.`,
		Example: `  poaid tx training create digits.yaml --id my-digits --royalty-bps 200 --segment-steps 500 --from alice --watch
  poaid query training watch 4294967552`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(store *artifacts.Store) error {
				clientCtx, err := client.GetClientTxContext(cmd)
				if err != nil {
					return err
				}
				if clientCtx.GenerateOnly || clientCtx.Offline {
					return errors.New("a training takes several transactions, each of which needs the one before: generate them with models register and training create-job")
				}
				node, err := dialFlags(cmd.Context(), clientCtx)
				if err != nil {
					return err
				}
				o := &opening{cmd: cmd, ctx: clientCtx, node: node, store: store}
				return errors.Join(o.run(args[0]), node.Close())
			})
		},
	}
	f := cmd.Flags()
	f.String(flagID, "", "Id of the model that comes out (needed)")
	f.String(flagBase, "", "Registered model whose program the trained weights are for (default: ID-base, registered from the spec)")
	f.Uint32(flagBaseShare, 0, "The base's share of the model's royalties, in 1/10,000 (a base of somebody else has a least share)")
	f.Uint32(flagRoyalty, 0, "Your share of each fee of the model, in 1/10,000")
	f.Uint64(flagSegmentSteps, 0, "Steps of a segment (default: a quarter of all)")
	f.String(flagBudget, "", "Most to pay, such as 50000000upoai (default: by the chain's estimate)")
	f.String(flagRecipe, "", "Recipe of governance that it follows, to earn score")
	f.Bool(flagWatch, false, "Follow the training to its end")
	f.Bool(flagJSONOut, false, "Print JSON: the job, and with --watch where it ended")
	needFlags(cmd, flagID)
	addArtifactsFlag(cmd)
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

// opening is a training that is being opened.
type opening struct {
	cmd   *cobra.Command
	ctx   client.Context
	node  *chain.Client
	store *artifacts.Store

	id, trainer, base string
	job               *train.Job
	start             *model.Package // the model before the first step
}

func (o *opening) run(path string) error {
	spec, err := train.ReadSpec(path)
	if err != nil {
		return err
	}
	if o.job, err = spec.Job(); err != nil {
		return err
	}
	first, err := o.job.First()
	if err != nil {
		return err
	}
	if o.start, err = o.job.Package(first); err != nil {
		return err
	}
	v := flagReader{set: o.cmd}
	o.id, o.base = v.text(flagID), v.text(flagBase)
	if v.err != nil {
		return v.err
	}
	o.trainer = o.id + "-trainer"
	if err := o.registerAll(); err != nil {
		return err
	}
	msg, err := o.message(spec)
	if err != nil {
		return err
	}
	var res trainingtypes.MsgCreateJobResponse
	hash, err := send(o.cmd, o.ctx, o.node, fmt.Sprintf("put %s in escrow to train %s", msg.Budget, o.id), msg, &res)
	if errors.Is(err, errHandled) {
		return nil
	}
	if err != nil {
		return err
	}
	watch, asJSON := v.is(flagWatch), v.is(flagJSONOut)
	fmt.Fprintf(o.cmd.ErrOrStderr(), "training %d opened: %d steps in %d segments, budget %s\n", res.JobId, msg.Steps, res.Segments, msg.Budget)
	if err := o.hintServing(); err != nil {
		return err
	}
	switch {
	case watch:
		return watchTraining(o.cmd, o.ctx, o.node, res.JobId, asJSON)
	case asJSON:
		return json.NewEncoder(o.cmd.OutOrStdout()).Encode(map[string]any{
			"job": fmt.Sprint(res.JobId), "segments": fmt.Sprint(res.Segments), "model": o.id, "trainer": o.trainer, "base": o.base, "tx": fmt.Sprintf("%X", hash),
		})
	}
	fmt.Fprintln(o.cmd.OutOrStdout(), res.JobId)
	return nil
}

// registerAll registers the training program, and the untrained model unless a base is named.
func (o *opening) registerAll() error {
	specs := o.job.Program.WeightSpecs()
	weights := make(map[string]*engine.Tensor, len(specs))
	for i, s := range specs {
		weights[s.Name] = o.job.Weights.Tensors()[i]
	}
	trainer, err := model.New(model.Meta{Name: o.trainer, Description: "trains " + o.id}, o.job.Program, weights, nil)
	if err != nil {
		return err
	}
	if err := o.register(o.trainer, trainer); err != nil || o.base != "" {
		return err
	}
	o.base = o.id + "-base"
	return o.register(o.base, o.start)
}

// register registers a package, unless the chain has it. Its files are stored in any case: others fetch them from here.
func (o *opening) register(id string, p *model.Package) error {
	msg, err := registry.Message(o.cmd.Context(), o.store, p, registry.Options{ID: id, Owner: o.ctx.GetFromAddress().String()})
	if err != nil {
		return err
	}
	m, err := o.node.Model(o.cmd.Context(), id)
	switch {
	case err == nil && string(m.ProgramHash) == string(p.Meta.ProgramHash[:]) && string(m.WeightsRoot) == string(p.Meta.WeightsRoot[:]):
		return nil
	case err == nil:
		return fmt.Errorf("model %s: the chain has another one of that name; choose another --%s", id, flagID)
	case !errors.Is(err, chain.ErrNotFound):
		return err
	}
	var res modelstypes.MsgRegisterModelResponse
	if _, err := send(o.cmd, o.ctx, o.node, "register model "+id, msg, &res); err != nil {
		return fmt.Errorf("register %s: %w", id, err)
	}
	fmt.Fprintf(o.cmd.ErrOrStderr(), "model %s registered: %d units a step, weights %s\n", id, res.UnitsStep, msg.WeightsCid)
	return nil
}

// message is what opens the training.
func (o *opening) message(spec *train.Spec) (*trainingtypes.MsgCreateJob, error) {
	v := flagReader{set: o.cmd}
	msg := &trainingtypes.MsgCreateJob{
		Owner: o.ctx.GetFromAddress().String(), Model: o.trainer, Steps: uint64(spec.Steps), SegmentSteps: v.unsigned(flagSegmentSteps), Recipe: v.text(flagRecipe), // #nosec G115 -- checked to be positive
		Result: &trainingtypes.Plan{
			Id: o.id, Description: spec.Package.Description, RoyaltyBps: read(&v, o.cmd.Flags().GetUint32, flagRoyalty), Base: o.base,
			BaseShareBps: read(&v, o.cmd.Flags().GetUint32, flagBaseShare),
		},
	}
	budget := v.text(flagBudget)
	if v.err != nil {
		return nil, v.err
	}
	if msg.SegmentSteps == 0 {
		msg.SegmentSteps = (msg.Steps + 3) / 4
	}
	states := map[string]bool{}
	for _, s := range o.job.Program.StateSpecs() {
		states[s.Name] = true
	}
	for _, w := range o.start.Program.WeightSpecs() {
		if states[w.Name] {
			msg.Result.Mappings = append(msg.Result.Mappings, trainingtypes.Mapping{Weight: w.Name, State: w.Name})
		}
	}
	if slices.Contains(o.job.Program.OutputNames(), lossesOutput) {
		msg.FiniteOutput = lossesOutput
	}
	for _, w := range o.job.Weights.Tensors() {
		root, err := commit.TensorRoot(uint8(w.DType()), w.Shape(), w.Bytes())
		if err != nil {
			return nil, err
		}
		msg.WeightRoots = append(msg.WeightRoots, root[:])
	}
	for i, in := range o.job.Program.InputSpecs() {
		x := o.job.Inputs.Tensors()[i]
		msg.Inputs = append(msg.Inputs, taskstypes.NamedTensor{Name: in.Name, Dtype: x.DType(), Shape: x.Shape(), Data: x.Bytes()})
	}
	var err error
	msg.Budget, err = o.budget(msg, budget)
	return msg, err
}

// budget is what was said, or the estimate and a fifth more.
func (o *opening) budget(msg *trainingtypes.MsgCreateJob, said string) (sdk.Coin, error) {
	if said != "" {
		c, err := sdk.ParseCoinNormalized(said)
		if err != nil {
			return c, fmt.Errorf("--%s: %w", flagBudget, err)
		}
		return c, nil
	}
	res, err := trainingtypes.NewQueryClient(o.node).Estimate(o.cmd.Context(), &trainingtypes.QueryEstimateRequest{
		Model: msg.Model, Steps: msg.Steps, SegmentSteps: msg.SegmentSteps,
	})
	if err != nil {
		return sdk.Coin{}, fmt.Errorf("estimate: %w", err)
	}
	c := res.Quote.Budget
	c.Amount = c.Amount.MulRaw(6).AddRaw(4).QuoRaw(5)
	return c, nil
}

// hintServing says where nobody can be drawn.
func (o *opening) hintServing() error {
	res, err := poaitypes.NewQueryClient(o.node).Participants(o.cmd.Context(), &poaitypes.QueryParticipantsRequest{Model: o.trainer})
	if err != nil {
		return err
	}
	if len(res.Participants) == 0 {
		fmt.Fprintf(o.cmd.ErrOrStderr(), "nobody serves %s yet, so that nobody is drawn: participants do with poaid tx poai serve %s\n", o.trainer, o.trainer)
	}
	return nil
}

func watchTrainingCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "watch [job-id]",
		Short:   "Follow a training to its end, and print the model that it came to",
		Example: "  poaid query training watch 4294967552",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := taskID(args[0])
			if err != nil {
				return err
			}
			clientCtx, err := client.GetClientQueryContext(cmd)
			if err != nil {
				return err
			}
			node, err := dialFlags(cmd.Context(), clientCtx)
			if err != nil {
				return err
			}
			return errors.Join(watchTraining(cmd, clientCtx, node, id, clientCtx.OutputFormat == flags.OutputFormatJSON), node.Close())
		},
	}
	flags.AddQueryFlagsToCmd(cmd)
	return cmd
}

// errTraining is what a training ended with that came to no model.
var errTraining = errors.New("the training came to nothing")

// watchTraining reports on standard error and prints the model. A paused training is not waited for: only its owner makes it go on.
func watchTraining(cmd *cobra.Command, clientCtx client.Context, node *chain.Client, id uint64, asJSON bool) error {
	res, err := followTraining(cmd.Context(), trainingtypes.NewQueryClient(node), id, 500*time.Millisecond, cmd.ErrOrStderr())
	if res == nil {
		return err
	}
	if asJSON {
		raw, jerr := clientCtx.Codec.MarshalJSON(res)
		if jerr != nil {
			return errors.Join(err, jerr)
		}
		fmt.Fprintln(cmd.OutOrStdout(), string(raw))
		return err
	}
	if err == nil {
		fmt.Fprintln(cmd.OutOrStdout(), res.Progress.Model)
	}
	return err
}

// maxQueryFailures is how many queries in a row may fail.
const maxQueryFailures = 20

// followTraining reports each change of state, step or segment until the training ends or pauses.
func followTraining(ctx context.Context, q trainingtypes.QueryClient, id uint64, interval time.Duration, out io.Writer) (*trainingtypes.QueryJobResponse, error) {
	start, last, failures := time.Now(), "", 0
	for {
		res, err := q.Job(ctx, &trainingtypes.QueryJobRequest{Id: id})
		switch {
		case err != nil && (ctx.Err() != nil || errors.Is(err, chain.ErrNotFound)):
			return nil, err
		case err != nil:
			if failures++; failures == maxQueryFailures {
				return nil, err
			}
		default:
			failures = 0
			if line := trainingLine(res); line != last {
				last = line
				fmt.Fprintf(out, "%6.1fs  %s\n", time.Since(start).Seconds(), line)
			}
			p := res.Progress
			switch p.State {
			case trainingtypes.STATE_FINISHED:
				return res, nil
			case trainingtypes.STATE_CANCELLED:
				return res, fmt.Errorf("%w: it was cancelled", errTraining)
			case trainingtypes.STATE_PAUSED:
				return res, fmt.Errorf("the training is paused: %s (poaid tx training resume %d, or cancel)", p.Reason, id)
			}
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(interval):
		}
	}
}

// trainingLine is where a training stands, as people read it.
func trainingLine(res *trainingtypes.QueryJobResponse) string {
	p := res.Progress
	line := fmt.Sprintf("%-9s step %d of %d", strings.ToLower(strings.TrimPrefix(p.State.String(), "STATE_")), p.Step, res.Job.Steps)
	if p.Task != 0 {
		line += fmt.Sprintf("  segment to %d is task %d", p.To, p.Task)
	}
	if p.Failures > 0 {
		line += fmt.Sprintf("  %d failed: %s", p.Failures, p.Reason)
	}
	if p.State == trainingtypes.STATE_FINISHED {
		line += fmt.Sprintf("  spent %s%s  model %s, weights root %x", p.Spent, res.Job.Denom, p.Model, p.WeightsRoot)
	}
	return line
}
