package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"poaid/localnet"
	"poaid/localnet/screen"
	"poaid/localnet/setup"
)

// Options of a demo.
type Options struct {
	// Net is the network to lay out and run.
	Net localnet.Config
	// Encoding of the application.
	Encoding localnet.Encoding
	// Out takes progress and tables.
	Out io.Writer
	// JSON, if set, takes the report as one JSON document; Out then shows progress only.
	JSON io.Writer
	// Scenario, if set, is shown in place of the main job.
	Scenario *Scenario
	// Exit ends the network after the report; otherwise it runs until ctx ends.
	Exit bool
	// Timeout for everything up to the report.
	Timeout time.Duration
	// AfterSubmit, if set, is called once the tasks are submitted; tests disturb the network with it.
	AfterSubmit func(context.Context, *localnet.Network) error
}

// firstBlock is how long the first block may take.
const firstBlock = 60 * time.Second

// runner carries a running demo.
type runner struct {
	Options
	screen *screen.Screen
	layout *localnet.Layout
	net    *localnet.Network
	client *localnet.Client
	set    *setup.Setup
	names  names
	tasks  []*submitted
	report *Report
	// capacity that participants have proven, by operator.
	capacity map[string]uint64
}

// Run lays out a network, runs the main job on it and reports. It returns an error when anything of the job failed:
// a task that is not FINAL, a wrong answer where the right one is known, coins that are not conserved, nobody rewarded.
func Run(ctx context.Context, o Options) error {
	r := &runner{Options: o, screen: screen.New(o.Out), names: names{}, report: &Report{Failures: []string{}}}
	start := time.Now()
	jobCtx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	if err := r.launch(jobCtx); err != nil {
		return errors.Join(err, r.stop())
	}
	job := r.job
	if o.Scenario != nil {
		job = r.play
	}
	err := r.watched(jobCtx, job)
	r.report.Seconds = time.Since(start).Seconds()
	if err == nil {
		err = r.show()
	}
	if err != nil || o.Exit {
		return errors.Join(err, r.stop())
	}
	r.where()
	err = r.net.Watch(ctx)
	r.screen.Step("stopping")
	return errors.Join(err, r.stop())
}

// launch lays the network out and starts its nodes.
func (r *runner) launch(ctx context.Context) error {
	r.screen.Step("laying out %d validator(s) and %d participants in %s", r.Net.Validators, r.Net.Participants, r.Net.Home)
	var err error
	if r.layout, err = localnet.Build(r.Net, r.Encoding); err != nil {
		return err
	}
	for _, a := range r.layout.Accounts {
		r.names[a.Address] = a.Name
	}
	r.net = localnet.NewNetwork(r.layout)
	for i := range r.layout.Nodes {
		if _, err := r.net.StartNode(i); err != nil {
			return err
		}
	}
	if r.client, err = localnet.Dial(r.layout, r.Encoding); err != nil {
		return err
	}
	r.set = &setup.Setup{Layout: r.layout, Net: r.net, Client: r.client, Step: r.screen.Step, Status: r.screen.Status}
	return r.watched(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, firstBlock)
		defer cancel()
		if err := r.client.WaitHeight(ctx, 1); err != nil {
			return fmt.Errorf("first block: %w", err)
		}
		r.screen.Step("first block")
		return nil
	})
}

// watched runs f, and cuts it short when a process of the network ends.
func (r *runner) watched(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		if err := r.net.Watch(ctx); err != nil {
			cancel(err)
		}
	}()
	err := f(ctx)
	if cause := context.Cause(ctx); err != nil && cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// job is the main job, step by step.
func (r *runner) job(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		r.set.Join, r.register, r.set.StartParticipants, r.set.MakeEligible, r.submit, r.disturb, r.watchTasks, r.closeEpochs, r.proveCapacity, r.claim, r.check,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) disturb(ctx context.Context) error {
	if r.AfterSubmit == nil {
		return nil
	}
	return r.AfterSubmit(ctx, r.net)
}

// show writes the report and turns its failures into an error.
func (r *runner) show() error {
	if r.JSON != nil {
		if err := r.report.JSON(r.JSON); err != nil {
			return err
		}
	} else {
		fmt.Fprintln(r.Out)
		r.report.Tables(r.Out, r.names)
	}
	if n := len(r.report.Failures); n > 0 {
		return fmt.Errorf("the demo failed: %v", r.report.Failures)
	}
	return nil
}

// where tells people what is running.
func (r *runner) where() {
	n := r.layout.Nodes[0]
	fmt.Fprintf(r.Out, `
The network keeps running; Ctrl-C stops it.
  REST      http://%[1]s/poai/tasks/v1/tasks
  API page  http://%[2]s/poai/swagger/
  gRPC      %[3]s
  RPC       http://%[4]s
  logs      %[5]s/logs
In another terminal:
  poaid query tasks list --home %[6]s
  poaid query poai scores --home %[6]s
  poaid query sprints windows --home %[6]s
  poaid tx tasks submit --model story --prompt "The fox said" --max-tokens 48 --from alice --watch --home %[6]s
`, n.API, n.API, n.GRPC, n.RPC, r.layout.Config.Home, r.layout.Client)
}

func (r *runner) stop() error {
	var err error
	if r.client != nil {
		err = r.client.Conn.Close()
	}
	if r.net != nil {
		err = errors.Join(err, r.net.Stop())
	}
	if r.set != nil {
		err = errors.Join(err, r.set.Close())
	}
	return err
}
