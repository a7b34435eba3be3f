package cmd

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	poaitypes "poaid/x/poai/types"
	taskstypes "poaid/x/tasks/types"
)

const (
	flagAllocation     = "allocation"
	flagRedundancy     = "redundancy"
	flagBidBlocks      = "bid-blocks"
	flagSealedBids     = "sealed-bids"
	flagNeedMemory     = "need-memory-mib"
	flagNeedTags       = "need-tags"
	flagMinReliability = "min-reliability-ppm"
)

// allocations are what --allocation takes.
var allocations = map[string]taskstypes.Allocation{
	"draw": taskstypes.ALLOCATION_DRAW, "auction": taskstypes.ALLOCATION_AUCTION, "race": taskstypes.ALLOCATION_RACE,
}

func addMarketFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String(flagAllocation, "draw", "Who runs it: draw (by lot), auction (who asks least, at most --max-fee) or race (who seals first)")
	f.Uint32(flagRedundancy, 0, "Results that a race takes at most (default 1)")
	f.Int64(flagBidBlocks, 30, "Blocks in which an auction takes bids")
	f.Bool(flagSealedBids, false, "Bids of an auction are sealed, and revealed after --bid-blocks")
	f.Uint64(flagNeedMemory, 0, "Memory that the worker must have declared, in MiB")
	f.StringSlice(flagNeedTags, nil, "Tags that the worker must have declared, such as region:eu")
	f.Uint64(flagMinReliability, 0, "Least reliability of the worker, in millionths")
}

// market sets allocation and requirements by the flags.
func market(cmd *cobra.Command, msg *taskstypes.MsgSubmitTask) error {
	v := flagReader{set: cmd}
	name, tags := v.text(flagAllocation), slices.Clone(v.list(flagNeedTags))
	slices.Sort(tags)
	need := &poaitypes.Requirements{
		MemoryMib: v.unsigned(flagNeedMemory), Tags: slices.Compact(tags), MinReliabilityPpm: v.unsigned(flagMinReliability),
	}
	msg.Redundancy = read(&v, cmd.Flags().GetUint32, flagRedundancy)
	options := &taskstypes.AuctionOptions{BidBlocks: v.number64(flagBidBlocks), Sealed: v.is(flagSealedBids)}
	if v.err != nil {
		return v.err
	}
	var known bool
	if msg.Allocation, known = allocations[name]; !known {
		return fmt.Errorf("--%s: %q, want draw, auction or race", flagAllocation, name)
	}
	if msg.Allocation == taskstypes.ALLOCATION_AUCTION {
		msg.Auction = options
	}
	if need.MemoryMib > 0 || len(need.Tags) > 0 || need.MinReliabilityPpm > 0 {
		msg.Requirements = need
	}
	return nil
}
