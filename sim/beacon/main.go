// Command beacon prints what a coalition of validators can win by forfeiting blocks and by knowing values early, under CometBFT's rotation
// of proposers. docs/beacon.md explains the tables.
//
//	go run ./sim/beacon
package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	w := bufio.NewWriter(os.Stdout)
	for i, table := range tables(defaultSeeds) {
		if i > 0 {
			fmt.Fprintln(w)
		}
		table.write(w)
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
