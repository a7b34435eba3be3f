// Command economy runs a market on the chain's own state machine: a hundred participants from 1 to 1,000 times of one machine, a thousand tasks over
// several epochs, fees, block reward, claims, gas; then the same with groups that try to earn more than honest work does. It prints the tables of
// docs/economics.md and draws its pictures.
//
//	go run ./sim/economy
//	go run ./sim/economy -tasks 5000 -plots ""
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
)

func main() {
	tasks := flag.Int("tasks", 1_000, "tasks that clients submit in each run")
	long := flag.Int("long", 5_000, "tasks of one more honest run, whose luck is less; 0: none")
	plots := flag.String("plots", "docs/img", "folder for the pictures; empty: none")
	flag.Parse()
	w := bufio.NewWriter(os.Stdout)
	if err := report(w, &program{}, *tasks, *long, *plots); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	w.Flush()
}

// program stands in for a test.
type program struct{}

// Helper does nothing.
func (*program) Helper() {}

// Fatalf ends the program.
func (*program) Fatalf(format string, args ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", args...)
	os.Exit(1)
}

// TempDir is a folder that the system cleans.
func (p *program) TempDir() string {
	dir, err := os.MkdirTemp("", "poaid-economy-")
	if err != nil {
		p.Fatalf("%v", err)
	}
	return dir
}
