// Command train trains the models of the zoo again, bit for bit, from the data in the repository:
//
//	go run ./model/zoo/train [-threads n] [-check] [-out model/zoo] [digits|story] …
//
// Without names it trains both. It prints loss, step and time to go, and at the end the roots of the run and of the weights. With
// -check nothing is written: the package must equal the embedded one, otherwise the command fails.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"poaid/engine"
	"poaid/model"
	"poaid/model/zoo"
	"poaid/model/zoo/recipe"
)

type options struct {
	threads int
	check   bool
	out     string
}

func main() {
	var o options
	flag.IntVar(&o.threads, "threads", 0, "threads; 0 means one per processor; the result does not depend on it")
	flag.BoolVar(&o.check, "check", false, "compare with the embedded packages instead of writing any")
	flag.StringVar(&o.out, "out", filepath.Join("model", "zoo"), "folder of the packages")
	flag.Parse()
	names := flag.Args()
	if len(names) == 0 {
		names = recipe.Names()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	for _, name := range names {
		if err := train(ctx, name, o); err != nil {
			fmt.Fprintf(os.Stderr, "train %s: %v\n", name, err)
			os.Exit(1) //nolint:gocritic // nothing is left to clean up
		}
	}
}

func train(ctx context.Context, name string, o options) error {
	r, err := recipe.Get(name)
	if err != nil {
		return err
	}
	run, err := r.Start(o.threads)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d steps, program %x\n", name, r.Steps, r.Program.Hash())
	if err := steps(ctx, r, run); err != nil {
		return err
	}
	p, res, err := r.Finish(run)
	if err != nil {
		return err
	}
	fmt.Printf("%s: state root   %s\n%s: result root  %s\n%s: weights root %s\n", name, res.StateRoot, name, res.ResultRoot, name, p.Meta.WeightsRoot)
	what, value, err := r.Score(ctx, p, o.threads)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s: %.4f\n", name, what, value)
	dir := filepath.Join(o.out, name)
	if o.check {
		return compare(name, p)
	}
	if err := p.Save(dir); err != nil {
		return err
	}
	return samples(name, o.out)
}

// samples writes pictures of digits held back from training beside the digits model.
func samples(name, out string) error {
	if name != "digits" {
		return nil
	}
	digits, err := recipe.SampleDigits()
	if err != nil {
		return err
	}
	dir := filepath.Join(out, "samples")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, d := range digits {
		raw, err := zoo.DigitPNG(d.Pixels[:], 16)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("digit_%d.png", d.Label)), raw, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// steps runs the training and prints a line every fiftieth of it.
func steps(ctx context.Context, r *recipe.Recipe, run *engine.Run) error {
	begin, every, sum := time.Now(), max(r.Steps/50, 1), 0.0
	for run.T() < r.Steps {
		if err := run.Step(ctx); err != nil {
			return err
		}
		sum += float64(run.State("loss").F32()[0])
		if t := run.T(); t%every == 0 || t == r.Steps {
			n := (t-1)%every + 1
			spent := time.Since(begin)
			left := time.Duration(float64(spent) / float64(t) * float64(r.Steps-t))
			fmt.Printf("%s: step %5d/%d  loss %.4f  %v spent, %v to go\n", r.Name, t, r.Steps, sum/float64(n), spent.Round(time.Second), left.Round(time.Second))
			sum = 0
		}
	}
	return nil
}

// compare holds a trained package against the embedded one.
func compare(name string, p *model.Package) error {
	get := map[string]func() (*model.Package, error){"digits": zoo.Digits, "story": zoo.Story}[name]
	old, err := get()
	if err != nil {
		return err
	}
	if old.Meta.ProgramHash != p.Meta.ProgramHash {
		return fmt.Errorf("program hash is %s, the embedded one %s", p.Meta.ProgramHash, old.Meta.ProgramHash)
	}
	if old.Meta.WeightsRoot != p.Meta.WeightsRoot {
		return fmt.Errorf("weights root is %s, the embedded one %s", p.Meta.WeightsRoot, old.Meta.WeightsRoot)
	}
	if (old.Tokenizer == nil) != (p.Tokenizer == nil) || old.Tokenizer != nil && *old.Meta.TokenizerHash != *p.Meta.TokenizerHash {
		return errors.New("the tokenizer is another one")
	}
	fmt.Printf("%s: equal to the embedded package\n", name)
	return nil
}
