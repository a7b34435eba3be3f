// Command lies prints what a lie costs a coalition and how often one becomes final: computed from the default params, and counted on the
// chain's own state machine. docs/security.md explains the tables.
//
//	go run ./sim/lies
//	go run ./sim/lies -tasks 0   # only what is computed
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"

	"poaid/x/tasks/types"
)

func main() {
	tasks := flag.Int("tasks", 1_000, "tasks to simulate for each coalition; 0: none")
	participants := flag.Int("participants", 40, "participants of the simulated chain")
	flag.Parse()
	w := bufio.NewWriter(os.Stdout)
	defer w.Flush()
	for _, t := range computed(types.DefaultParams()) {
		t.write(w)
		fmt.Fprintln(w)
	}
	if *tasks == 0 {
		return
	}
	t := simulatedTable()
	for _, s := range scenarios(*participants, *tasks) {
		t.rows = append(t.rows, s.row(s.run(&program{})))
	}
	t.write(w)
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
	dir, err := os.MkdirTemp("", "poaid-lies-")
	if err != nil {
		p.Fatalf("%v", err)
	}
	return dir
}
