// Command train measures training steps of the engine beside the same steps in C over OpenBLAS (peers/train.c), in one run, with the
// same number of threads:
//
//	go run ./bench/train [-threads 1,2] [-seconds 8] | -profile
//
// An MLP (784-512-512-10, batch 128) and a CNN (28×28, 3×3 convolutions of 16 and 32 filters with 2×2 pooling, a hidden layer of 64,
// batch 64) take steps of Adam on the cross-entropy of a batch drawn from 1024 u8 images. The two sides take turns, and the median of
// each side's turns counts: processor time with one thread, wall clock with more. It needs gcc and OpenBLAS (libopenblas-dev).
package main

import (
	"bufio"
	"context"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"poaid/engine"
	"poaid/engine/kernel"
	"poaid/engine/nn"
)

//go:embed peers/train.c
var peerSource []byte

// samples is the number of images that batches are drawn from.
const samples = 1024

// work is one network.
type work struct {
	name  string
	net   nn.Net
	batch int64
	steps int // a turn
}

var works = []work{
	{"mlp", nn.MLP{Sizes: []int64{784, 512, 512, 10}}, 128, 20},
	{"cnn", nn.CNN{Channels: 1, Height: 28, Width: 28, Filters: []int64{16, 32}, Hidden: 64, Output: 10}, 64, 8},
}

// spent is the time of a turn, in seconds, and the loss of its last step.
type spent struct{ cpu, wall, loss float64 }

func main() {
	threads := flag.String("threads", "1", "numbers of threads, with commas between them")
	limit := flag.Float64("seconds", 8, "seconds for each network and number of threads")
	trace := flag.Bool("profile", false, "say what the nodes take instead")
	flag.Parse()
	if *trace {
		for _, k := range works {
			if err := profile(os.Stdout, k); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
		return
	}
	if err := run(os.Stdout, *threads, *limit); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(w io.Writer, threads string, limit float64) error {
	dir, err := os.MkdirTemp("", "bench-train")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	bin, err := buildPeer(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "kernel %s; processor time with one thread, wall clock with more\n\n", kernel.Name())
	fmt.Fprintf(w, "| training step | threads | ours, ms | C + OpenBLAS, ms | ratio |\n|---|---:|---:|---:|---:|\n")
	for _, text := range strings.Split(threads, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("threads: %q, want numbers of 1 and more", text)
		}
		peer, err := startPeer(bin, n)
		if err != nil {
			return err
		}
		for _, k := range works {
			ours, theirs, err := measure(k, peer, n, limit)
			if err != nil {
				return err
			}
			fmt.Fprintf(w, "| %s, batch %d | %d | %.2f | %.2f | %.2f |\n", k.name, k.batch, n, ours*1e3, theirs*1e3, theirs/ours)
		}
		if err := peer.close(); err != nil {
			return err
		}
	}
	return nil
}

// measure gives the median seconds of a step on both sides, which take turns.
func measure(k work, peer *peer, threads int, limit float64) (ours, theirs float64, err error) {
	r, _, err := newRun(k, threads)
	if err != nil {
		return 0, 0, err
	}
	var a, b []float64
	begin := time.Now()
	for turn := 0; turn < 4 || time.Since(begin).Seconds() < limit; turn++ {
		mine, err := steps(r, k.steps)
		if err != nil {
			return 0, 0, err
		}
		other, err := peer.steps(k.name, k.steps)
		if err != nil {
			return 0, 0, err
		}
		if math.IsNaN(mine.loss) || math.IsNaN(other.loss) || mine.loss > 5 || other.loss > 5 {
			return 0, 0, fmt.Errorf("%s: losses %v and %v: one side does not train", k.name, mine.loss, other.loss)
		}
		if turn == 0 { // buffers are made
			continue
		}
		if threads == 1 {
			a, b = append(a, mine.cpu), append(b, other.cpu)
		} else {
			a, b = append(a, mine.wall), append(b, other.wall)
		}
	}
	slices.Sort(a)
	slices.Sort(b)
	n := float64(k.steps)
	return a[len(a)/2] / n, b[len(b)/2] / n, nil
}

// newRun makes a training run over random images.
func newRun(k work, threads int) (*engine.Run, *engine.Program, error) {
	prog, err := nn.ClassifierTrainer(k.net, nn.TrainConfig{
		Batch: k.batch, Steps: 1 << 20, LR: 1e-3, DataLen: samples, DataDType: engine.U8,
	}, engine.DefaultLimits())
	if err != nil {
		return nil, nil, err
	}
	w, err := nn.InitParams(k.net.Params(), 1)
	if err != nil {
		return nil, nil, err
	}
	px, labels, x := make([]uint8, samples*784), make([]uint8, samples), uint32(1)
	for i := range px {
		x = x*1664525 + 1013904223
		px[i] = uint8(x >> 24)
	}
	for i := range labels {
		x = x*1664525 + 1013904223
		labels[i] = uint8(x >> 24)
		labels[i] %= 10
	}
	if w["data"], err = engine.FromU8(px, append([]int64{samples}, k.net.Input()...)...); err != nil {
		return nil, nil, err
	}
	if w["labels"], err = engine.FromU8(labels, samples); err != nil {
		return nil, nil, err
	}
	bound, err := engine.WeightsByName(prog, w)
	if err != nil {
		return nil, nil, err
	}
	in, err := prog.BindInputs(nil)
	if err != nil {
		return nil, nil, err
	}
	r, err := engine.NewRun(prog, bound, in, engine.RunOptions{Threads: threads})
	return r, prog, err
}

func steps(r *engine.Run, n int) (spent, error) {
	cpu, wall := cpuTime(), time.Now()
	for range n {
		if err := r.Step(context.Background()); err != nil {
			return spent{}, err
		}
	}
	return spent{cpuTime() - cpu, time.Since(wall).Seconds(), float64(r.State("loss").F32()[0])}, nil
}

// cpuTime is the user and system time of this process so far, in seconds.
func cpuTime() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return math.NaN()
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// peer is a running process of peers/train.c.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// buildPeer compiles the peer into dir with $CC or gcc, as fast as the compiler can.
func buildPeer(dir string) (string, error) {
	src, bin := filepath.Join(dir, "train.c"), filepath.Join(dir, "train")
	if err := os.WriteFile(src, peerSource, 0o600); err != nil {
		return "", err
	}
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "gcc"
	}
	out, err := exec.Command(cc, "-Ofast", "-march=native", "-fopenmp", "-o", bin, src, "-lopenblas", "-lm").CombinedOutput() // #nosec G204 -- the user's compiler
	if err != nil {
		return "", fmt.Errorf("the peer needs gcc and libopenblas-dev: %w: %.300s", err, out)
	}
	return bin, nil
}

func startPeer(bin string, threads int) (*peer, error) {
	cmd := exec.Command(bin) // #nosec G204 -- compiled above
	cmd.Env = append(os.Environ(), fmt.Sprintf("OPENBLAS_NUM_THREADS=%d", threads), fmt.Sprintf("OMP_NUM_THREADS=%d", threads), "OMP_WAIT_POLICY=passive")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &peer{cmd: cmd, in: in, out: bufio.NewReader(out)}, cmd.Start()
}

func (p *peer) steps(name string, n int) (spent, error) {
	if _, err := fmt.Fprintln(p.in, name, n); err != nil {
		return spent{}, err
	}
	var s spent
	_, err := fmt.Fscanln(p.out, &s.cpu, &s.wall, &s.loss)
	return s, err
}

func (p *peer) close() error {
	if err := p.in.Close(); err != nil {
		return err
	}
	return p.cmd.Wait()
}
