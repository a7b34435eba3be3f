package live

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"poaid/localnet"
	"poaid/localnet/screen"
	"poaid/localnet/setup"
)

// MaxTasks is the most tasks that can be asked for.
const MaxTasks = 100_000

// Options of a run.
type Options struct {
	// Net is the network to lay out where there is none in its home.
	Net localnet.Config
	// Encoding of the application.
	Encoding localnet.Encoding
	// Out takes progress and the table.
	Out io.Writer
	// Models are registered, made eligible and served by all participants.
	Models []setup.Model
	// Tasks to submit once participants are there.
	Tasks int
	// Temporary says that the caller removes the home when the network has stopped.
	Temporary bool
}

// Validate names the first field that is out of its limits.
func (o Options) Validate() error {
	if o.Tasks < 0 || o.Tasks > MaxTasks {
		return fmt.Errorf("tasks: %d is not in 0..%d", o.Tasks, MaxTasks)
	}
	if o.Tasks > 0 && o.Net.Participants == 0 {
		return errors.New("tasks: there are no participants to work on them")
	}
	return o.Net.Validate()
}

const (
	// firstBlock is how long the first block may take.
	firstBlock = time.Minute
	refresh    = time.Second
	submitStep = 16
)

// runner carries a running network.
type runner struct {
	Options
	screen *screen.Screen
	layout *localnet.Layout
	net    *localnet.Network
	client *localnet.Client
	set    *setup.Setup
	viewer *viewer
}

// Run lays the network out, or continues the one in its home, and shows it until ctx ends. A process that ends by itself ends the network
// only while it is being put to work; later it is shown.
func Run(ctx context.Context, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	lock, err := localnet.Lock(o.Net.Home)
	if err != nil {
		return err
	}
	r := &runner{Options: o, screen: screen.New(o.Out)}
	err = r.run(ctx)
	r.screen.Step("stopping")
	err = errors.Join(err, r.stop(), lock.Close())
	if !o.Temporary {
		fmt.Fprintf(o.Out, "Everything is kept in %s: poaid localnet --home %s goes on with it.\n", o.Net.Home, filepath.Dir(o.Net.Home))
	}
	return err
}

func (r *runner) run(ctx context.Context) error {
	if err := r.begin(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	r.where()
	return r.show(ctx)
}

// begin starts the network and puts it to work. An interrupt is no error: that is how a network ends.
func (r *runner) begin(ctx context.Context) error {
	err := r.launch(ctx)
	if err == nil {
		err = r.watched(ctx, r.work)
	}
	if ctx.Err() != nil {
		err = nil
	}
	return err
}

// open finds or makes the layout.
func (r *runner) open() (err error) {
	_, err = os.Stat(filepath.Join(r.Net.Home, localnet.LayoutFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		r.screen.Step("laying out %d validators and %d participants in %s", r.Net.Validators, r.Net.Participants, r.Net.Home)
		r.layout, err = localnet.Build(r.Net, r.Encoding)
		return err
	case err != nil:
		return fmt.Errorf("home: %w", err)
	}
	r.screen.Step("continuing the network in %s", r.Net.Home)
	if r.layout, err = localnet.Load(r.Net.Home); err != nil {
		return err
	}
	r.layout.Config.Binary = r.Net.Binary
	return r.layout.CheckPorts()
}

// launch starts the nodes and waits for a block.
func (r *runner) launch(ctx context.Context) error {
	if err := r.open(); err != nil {
		return err
	}
	r.net = localnet.NewNetwork(r.layout)
	for i := range r.layout.Nodes {
		if _, err := r.net.StartNode(i); err != nil {
			return err
		}
	}
	var err error
	if r.client, err = localnet.Dial(r.layout, r.Encoding); err != nil {
		return err
	}
	r.set = &setup.Setup{Layout: r.layout, Net: r.net, Client: r.client, Step: r.screen.Step, Status: r.screen.Status}
	return r.watched(ctx, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, firstBlock)
		defer cancel()
		h, err := r.nextBlock(ctx)
		if err != nil {
			return fmt.Errorf("first block: %w", err)
		}
		r.screen.Step("block %d: %d validators run", h, len(r.layout.Nodes))
		return nil
	})
}

// nextBlock waits until the chain makes a block: of a network that was stopped the height alone says nothing.
func (r *runner) nextBlock(ctx context.Context) (int64, error) {
	if err := r.client.WaitHeight(ctx, 1); err != nil {
		return 0, err
	}
	h, err := r.client.Height(ctx)
	if err != nil {
		return 0, err
	}
	return h + 1, r.client.WaitHeight(ctx, h+1)
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

// work puts the network to work, as far as it is not.
func (r *runner) work(ctx context.Context) error {
	if len(r.layout.Participants) == 0 {
		return nil
	}
	for _, step := range []func(context.Context) error{
		r.set.Join, func(ctx context.Context) error { return r.set.Register(ctx, r.Models...) }, r.set.StartParticipants, r.set.MakeEligible, r.submit,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) submit(ctx context.Context) error {
	// Another run has asked for other pictures.
	height, err := r.client.Height(ctx)
	if err != nil {
		return err
	}
	for done := 0; done < r.Tasks; {
		var batch []*setup.Task
		for range min(submitStep, r.Tasks-done) {
			t, err := r.set.MixedTask(ctx, int(height)+done+len(batch))
			if err != nil {
				return err
			}
			batch = append(batch, t)
		}
		if err := r.set.Submit(ctx, batch...); err != nil {
			return err
		}
		done += len(batch)
		r.screen.Status(fmt.Sprintf("tasks submitted %s %d of %d", screen.Bar(done, r.Tasks), done, r.Tasks))
	}
	if r.Tasks > 0 {
		r.screen.Step("%d tasks submitted", r.Tasks)
	}
	return nil
}

// where tells people what is running.
func (r *runner) where() {
	w := r.Out
	fmt.Fprintln(w)
	for _, n := range r.layout.Nodes {
		fmt.Fprintf(w, "  %-13s RPC http://%s  REST http://%s  gRPC %s\n", n.Name, n.RPC, n.API, n.GRPC)
	}
	for _, p := range r.layout.Participants {
		fmt.Fprintf(w, "  %-13s metrics http://%s/metrics  artifacts http://%s\n", p.Name, p.Metrics, p.Artifacts)
	}
	fmt.Fprintln(w)
	for _, a := range r.layout.Accounts {
		fmt.Fprintf(w, "  %-13s %s\n", a.Name, a.Address)
	}
	n := r.layout.Nodes[0]
	fmt.Fprintf(w, `
  API page      http://%s/poai/swagger/
  logs          %s/logs
  keys          %s (--keyring-backend test)
In another terminal:
  poaid query tasks list --home %[3]s
%[5]sCtrl-C stops the network; %[4]s

`, n.API, r.layout.Config.Home, r.layout.Client, r.afterwards(), r.example())
}

// example is a task to submit, where a model that writes is served.
func (r *runner) example() string {
	if !slices.ContainsFunc(r.Models, func(m setup.Model) bool { return m.ID == "story" }) {
		return ""
	}
	return fmt.Sprintf("  poaid tx tasks submit --model story --prompt \"The fox said\" --max-tokens 48 --from alice --watch --home %s\n", r.layout.Client)
}

func (r *runner) afterwards() string {
	if r.Temporary {
		return "nothing of it is kept."
	}
	return fmt.Sprintf("poaid localnet --home %s goes on with it.", filepath.Dir(r.layout.Config.Home))
}

// show refreshes the table until ctx ends or no node is left.
func (r *runner) show(ctx context.Context) error {
	var err error
	if r.viewer, err = newViewer(r.layout, r.client); err != nil {
		return err
	}
	t := time.NewTicker(refresh)
	defer t.Stop()
	for {
		s := r.viewer.look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		text, summary := s.render()
		r.screen.Table(text, summary)
		select {
		case <-t.C:
		case p := <-r.net.Ended():
			r.screen.Step("%s ended: %v; its log is %s", p.Name, p.Cause(), p.Log)
			if r.net.Nodes() == 0 {
				return errors.New("no validator is left")
			}
		case <-ctx.Done():
			return nil
		}
	}
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
