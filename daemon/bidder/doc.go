// Package bidder asks for tasks that are auctioned. At each new height it looks at the bids that its participant has on the chain: it
// reveals those that were sealed, takes back the deposits of those that are over, and, as long as there are free places, bids its own
// price on auctions of models that the participant serves. A task that it wins is in the participant's hands like any other, for the
// worker to compute.
//
//	bid on the chain                    what is done
//	----------------------------------  ---------------------------------------------------------
//	none, and the auction takes bids    bid, or write price and salt into the journal and seal
//	sealed, reveals are open            reveal what the journal has
//	over                                withdraw, a batch at a time
//	anything else                       it takes a place: it may have to be run yet
//
// What to do follows from the chain and the journal alone, so a process that was killed anywhere simply begins again. The salt is
// derived from the key; where the journal is lost, a bid is opened with today's price if that is what was committed.
//
// # Reading the source
//
// bidder.go (Tick, bid, reveal), price.go (Price, Ask).
package bidder
