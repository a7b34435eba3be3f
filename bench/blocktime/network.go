package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"

	"poaid/localnet"
	beacontypes "poaid/x/beacon/types"
)

const (
	// warmUp blocks after a network was stopped do not count.
	warmUp = 3
	// most headers that a node gives at a time.
	headers = 20
)

// network runs, or stands still.
type network struct {
	net       *localnet.Network
	processes []*localnet.Process
	client    *localnet.Client
	rpc       *rpchttp.HTTP
	intervals []time.Duration
	// used is the processor time of all processes, over how many blocks.
	used   time.Duration
	blocks int64
}

// start runs a network until it makes blocks, and checks where its randomness comes from.
func start(ctx context.Context, cfg localnet.Config, enc localnet.Encoding) (*network, error) {
	layout, err := localnet.Build(cfg, enc)
	if err != nil {
		return nil, err
	}
	n := &network{net: localnet.NewNetwork(layout)}
	for i := range layout.Nodes {
		p, err := n.net.StartNode(i)
		if err != nil {
			return n, err
		}
		n.processes = append(n.processes, p)
	}
	if n.client, err = localnet.Dial(layout, enc); err != nil {
		return n, err
	}
	if n.rpc, err = rpchttp.NewWithTimeout("tcp://"+layout.Nodes[0].RPC, "/websocket", 10); err != nil {
		return n, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := n.client.WaitHeight(ctx, 3); err != nil {
		return n, err
	}
	res, err := beacontypes.NewQueryClient(n.client.Conn).Randomness(ctx, &beacontypes.QueryRandomnessRequest{})
	if err != nil {
		return n, fmt.Errorf("randomness: %w", err)
	}
	if res.Randomness.Proven == cfg.NoBeaconKeys {
		return n, fmt.Errorf("randomness is proven: %t, keys are left out: %t", res.Randomness.Proven, cfg.NoBeaconKeys)
	}
	return n, nil
}

func (n *network) pause() error { return n.each((*localnet.Process).Pause) }

func (n *network) each(f func(*localnet.Process) error) error {
	var errs []error
	for _, p := range n.processes {
		errs = append(errs, f(p))
	}
	return errors.Join(errs...)
}

// turn lets the network go on for a while and notes the intervals between its blocks.
func (n *network) turn(ctx context.Context, length time.Duration) error {
	if err := n.each((*localnet.Process).Resume); err != nil {
		return err
	}
	from, err := n.client.Height(ctx)
	if err != nil {
		return err
	}
	from += warmUp
	if err := n.client.WaitHeight(ctx, from); err != nil {
		return err
	}
	before, err := n.processor()
	if err != nil {
		return err
	}
	select {
	case <-time.After(length):
	case <-ctx.Done():
		return ctx.Err()
	}
	to, err := n.client.Height(ctx)
	if err != nil {
		return err
	}
	after, err := n.processor()
	if err != nil {
		return err
	}
	n.used, n.blocks = n.used+after-before, n.blocks+to-from
	if err := n.read(ctx, from, to); err != nil {
		return err
	}
	return n.pause()
}

// tick of processor time in /proc, on every Linux of this decade.
const tick = 10 * time.Millisecond

// processor is the processor time that the processes have used, 0 where the system does not tell.
func (n *network) processor() (sum time.Duration, err error) {
	for _, p := range n.processes {
		bz, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
		if errors.Is(err, os.ErrNotExist) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		// After the name in brackets, which may hold anything: utime and stime are the 12th and 13th field.
		_, rest, _ := strings.Cut(string(bz), ") ")
		fields := strings.Fields(rest)
		if len(fields) < 13 {
			return 0, fmt.Errorf("/proc/%d/stat: %q", p.PID(), bz)
		}
		for _, f := range fields[11:13] {
			v, err := strconv.ParseInt(f, 10, 64)
			if err != nil {
				return 0, fmt.Errorf("/proc/%d/stat: %w", p.PID(), err)
			}
			sum += time.Duration(v) * tick
		}
	}
	return sum, nil
}

// perBlock is the processor time of one validator for one block.
func (n *network) perBlock() time.Duration {
	if n.blocks == 0 {
		return 0
	}
	return n.used / time.Duration(n.blocks*int64(len(n.processes)))
}

// read notes the intervals between the blocks of heights from to to, by their headers.
func (n *network) read(ctx context.Context, from, to int64) error {
	var last time.Time
	for h := from; h <= to; h += headers {
		info, err := n.rpc.BlockchainInfo(ctx, h, min(h+headers-1, to))
		if err != nil {
			return err
		}
		for i := len(info.BlockMetas) - 1; i >= 0; i-- { // newest first
			t := info.BlockMetas[i].Header.Time
			if !last.IsZero() {
				n.intervals = append(n.intervals, t.Sub(last))
			}
			last = t
		}
	}
	if len(n.intervals) == 0 {
		return errors.New("no two blocks in a turn; make it longer")
	}
	return nil
}

// stop ends the network; processes that stand still have to go on to hear it.
func (n *network) stop() {
	err := errors.Join(n.each((*localnet.Process).Resume), n.net.Stop())
	if n.client != nil {
		err = errors.Join(err, n.client.Conn.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: stop:", err)
	}
}
