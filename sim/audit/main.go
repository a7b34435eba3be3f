// Command audit plays strategies against the audit rates, locks and forced errors of x/tasks and prints what each earns.
package main

import (
	"fmt"
	"io"
	"os"

	poaitypes "poaid/x/poai/types"
	rewardstypes "poaid/x/rewards/types"
	taskstypes "poaid/x/tasks/types"
)

func main() {
	if err := table(os.Stdout, 100_000); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// table prints earnings less costs in millionths of upoai a unit of the task: the fee is 1.
func table(out io.Writer, items int) error {
	_, err := fmt.Fprint(out, "| strategy | units | players | earns | honest play earns | lost by each 1 of cost saved |\n|---|---|---|---|---|---|\n")
	if err != nil {
		return err
	}
	for _, units := range []uint64{10_000, 1_000_000, 100_000_000} {
		for _, weight := range []int{10, 49} {
			for _, strategy := range Strategies {
				s := Default(units, weight, items, strategy)
				got, honest := Play(s, strategy), Play(s, Honest)
				_, err := fmt.Fprintf(out, "| %s | %d | %d %% | %.3f | %.3f | %s |\n", strategy, units, weight, got.PerDuty(units), honest.PerDuty(units),
					got.LostBySaving(honest))
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// reward is what the chain mints for 1,000,000 units of score, the most it ever does.
func reward(p taskstypes.Params) int64 {
	return rewardstypes.DefaultParams().UnitEmission(p.ReferenceCost, p.CommitteeSize, poaitypes.DefaultParams().VerifierSharePpm).Int64()
}

// Default is the setting of the tables: default params, and a block reward as high as the chain ever mints it.
func Default(units uint64, weight, items int, strategy Strategy) Setting {
	p := taskstypes.DefaultParams()
	return Setting{
		Params: p, Units: units, Cost: p.ReferenceCost.Int64(), Reward: reward(p), Items: items, Players: 100, Deviants: weight, Seed: 1,
		Stops: strategy == Overstating,
	}
}
