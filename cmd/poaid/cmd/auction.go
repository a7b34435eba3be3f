package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"cosmossdk.io/math"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/flags"
	"github.com/spf13/cobra"

	"poaid/commit"
	"poaid/daemon/chain"
	"poaid/daemon/journal"
	auctionstypes "poaid/x/auctions/types"
)

const flagPrice = "price"

func auctionsTxCmd() *cobra.Command {
	return group("auctions", "Transactions of auctions", sealBidCmd(), revealBidCmd())
}

const sealedLong = `

Until it is revealed HOME/bids/ has the price and the salt, written before anything is sent. The salt follows from the key, so that any machine with
the key can reveal who knows the price. Workers' daemons do all this by themselves (poaid worker start --bid).`

func sealBidCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "seal TASK PRICE",
		Short: "Seal a bid on a task whose auction has sealed bids",
		Long: `Seal a bid: commit to a price for the whole run of a task, in the denom of its fee, without telling it. It takes a deposit, which is lost unless the bid
is revealed in time.` + sealedLong,
		Example: "  poaid tx auctions seal 1234567890 250000 --from worker\n  poaid tx auctions reveal 1234567890 --from worker",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withBid(cmd, args[0], func(b *bidding) error { return b.seal(cmd, args[1]) })
		},
	}
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

func revealBidCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "reveal TASK",
		Short:   "Reveal a bid that was sealed",
		Long:    "Reveal a sealed bid, once no more are sealed: poaid query auctions auction TASK says until when." + sealedLong,
		Example: "  poaid tx auctions reveal 1234567890 --from worker\n  poaid tx auctions reveal 1234567890 --price 250000 --from worker",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withBid(cmd, args[0], func(b *bidding) error { return b.reveal(cmd) })
		},
	}
	cmd.Flags().String(flagPrice, "", "The price that was sealed, on a machine that does not have it")
	flags.AddTxFlagsToCmd(cmd)
	return cmd
}

// bidding is a task that somebody bids on.
type bidding struct {
	clientCtx client.Context
	node      *chain.Client
	signer    *chain.Signer
	task      uint64
	terms     auctionstypes.Terms
	height    int64
}

func withBid(cmd *cobra.Command, task string, do func(*bidding) error) error {
	clientCtx, err := client.GetClientTxContext(cmd)
	if err != nil {
		return err
	}
	b := &bidding{clientCtx: clientCtx}
	if b.task, err = taskID(task); err != nil {
		return err
	}
	if b.signer, err = chain.NewSigner(clientCtx.Keyring, clientCtx.FromName, "", "", encodingOf(clientCtx)); err != nil {
		return err
	}
	if b.node, err = dialFlags(cmd.Context(), clientCtx); err != nil {
		return err
	}
	return errors.Join(b.run(cmd, do), b.node.Close())
}

func (b *bidding) run(cmd *cobra.Command, do func(*bidding) error) (err error) {
	if b.terms, err = b.node.AuctionTerms(cmd.Context(), b.task); err != nil {
		return err
	}
	if !b.terms.Sealed {
		return fmt.Errorf("task %d: its auction takes open bids (poaid tx auctions bid %d PRICE)", b.task, b.task)
	}
	if b.height, err = b.node.Height(cmd.Context()); err != nil {
		return err
	}
	return do(b)
}

// file is where a bid is kept until it is revealed.
func (b *bidding) file() string {
	return filepath.Join(b.clientCtx.HomeDir, "bids", fmt.Sprintf("%s-%d-%s.json", b.node.ChainID(), b.task, b.signer.Address()))
}

func (b *bidding) at(price string) (journal.Bid, error) {
	bid := journal.Bid{Task: b.task}
	var ok bool
	if bid.Price, ok = math.NewIntFromString(price); !ok {
		return bid, fmt.Errorf("price: %q is no amount; give a whole number in %s for the whole run", price, b.terms.Ceiling.Denom)
	}
	if err := b.terms.CheckPrice(bid.Price); err != nil {
		return bid, err
	}
	secret, err := b.signer.SaltSecret()
	bid.Salt = commit.Salt(secret, b.node.ChainID(), b.task, string(journal.Bidder))
	return bid, err
}

func (b *bidding) seal(cmd *cobra.Command, price string) error {
	bid, err := b.at(price)
	if err != nil {
		return err
	}
	if b.height >= b.terms.BidUntil {
		return fmt.Errorf("task %d: bids were taken until height %d, it is %d", b.task, b.terms.BidUntil, b.height)
	}
	if err := keepBid(b.file(), bid); err != nil {
		return err
	}
	c := auctionstypes.Commitment(b.node.ChainID(), b.task, b.signer.Address(), bid.Price, bid.Salt)
	msg := &auctionstypes.MsgSealBid{Bidder: b.signer.Address(), TaskId: b.task, Commitment: c[:]}
	question := fmt.Sprintf("seal a bid of %s%s on task %d, with a deposit of %s", bid.Price, b.terms.Ceiling.Denom, b.task, b.terms.Deposit)
	hash, err := send(cmd, b.clientCtx, b.node, question, msg, &auctionstypes.MsgSealBidResponse{})
	if errors.Is(err, errHandled) {
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "sealed; reveal it from height %d to %d, or its deposit of %s is lost (it is %d now): poaid tx auctions reveal %d\n",
		b.terms.BidUntil+1, b.terms.RevealUntil, b.terms.Deposit, b.height, b.task)
	fmt.Fprintf(cmd.OutOrStdout(), "%X\n", hash)
	return nil
}

// keepBid writes a bid into a new file. One that is there may have been sealed, so it must be the same.
func keepBid(file string, bid journal.Bid) error {
	if was, err := readBid(file); err == nil {
		if was.Price.Equal(bid.Price) && was.Salt == bid.Salt {
			return nil
		}
		return fmt.Errorf("%s: a bid of %s may have been sealed before; remove the file if it was not", file, was.Price)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	raw, err := json.Marshal(bid)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, raw, 0o600)
}

func readBid(file string) (bid journal.Bid, err error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return bid, err
	}
	if err := json.Unmarshal(raw, &bid); err != nil || bid.Price.IsNil() {
		return bid, fmt.Errorf("%s: is no bid: %w", file, errors.Join(err, errors.New("no price")))
	}
	return bid, nil
}

func (b *bidding) reveal(cmd *cobra.Command) error {
	price, err := cmd.Flags().GetString(flagPrice)
	if err != nil {
		return err
	}
	if b.height < b.terms.BidUntil || b.height >= b.terms.RevealUntil {
		return fmt.Errorf("task %d: bids are revealed from height %d to %d, it is %d", b.task, b.terms.BidUntil+1, b.terms.RevealUntil, b.height)
	}
	var bid journal.Bid
	if price != "" {
		bid, err = b.at(price)
	} else if bid, err = readBid(b.file()); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("no bid of %s on task %d is kept here; give --%s", b.signer.Address(), b.task, flagPrice)
	}
	if err != nil {
		return err
	}
	msg := &auctionstypes.MsgRevealBid{Bidder: b.signer.Address(), TaskId: b.task, Price: bid.Price, Salt: bid.Salt[:]}
	var res auctionstypes.MsgRevealBidResponse
	hash, err := send(cmd, b.clientCtx, b.node, fmt.Sprintf("reveal the bid of %s%s on task %d", bid.Price, b.terms.Ceiling.Denom, b.task), msg, &res)
	if errors.Is(err, errHandled) {
		return nil
	}
	if err != nil {
		return err
	}
	standing := "it is not among the best"
	if res.Kept {
		standing = "it is among the best so far"
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "revealed: %s; the deposit comes back with poaid tx auctions withdraw %d, once the auction is over\n", standing, b.task)
	fmt.Fprintf(cmd.OutOrStdout(), "%X\n", hash)
	if err := os.Remove(b.file()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
