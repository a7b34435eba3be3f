package chain

import (
	"fmt"

	"cosmossdk.io/math"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/x/authz"
	"github.com/cosmos/gogoproto/proto"

	auctionstypes "poaid/x/auctions/types"
	disputestypes "poaid/x/disputes/types"
	poaitypes "poaid/x/poai/types"
	sprintstypes "poaid/x/sprints/types"
	taskstypes "poaid/x/tasks/types"
	trainingtypes "poaid/x/training/types"
)

// Kind is what an item does. Lower kinds are sent first: a reveal that is late costs the whole lock.
type Kind int

// The kinds of items.
const (
	KindRevealResult Kind = iota
	KindRevealAttestation
	// Moves of disputes and what belongs to them. Each is a message of its own, in transactions of nothing else.
	KindMove
	KindDefend
	KindClaim
	KindProduce
	KindDemand
	KindAttack
	// KindRevealBid opens a sealed bid: one that is late costs its deposit.
	KindRevealBid
	// What sprints send. One that is refused must not take others with it, so each has a transaction of its own.
	KindOpenSprint
	KindCommitSprint
	KindSealResult
	KindSealAttestation
	// KindBid and KindSealBid ask for a task that is auctioned.
	KindBid
	KindSealBid
	// KindSetVRFKey sets the participant's VRF key. It travels alone: where the key may not do that, nothing else may fail with it.
	KindSetVRFKey
	// KindFinishJob registers what a training came to. Somebody else may have been faster, so it travels alone.
	KindFinishJob
	// KindWithdrawBids takes deposits back. There is one at a time.
	KindWithdrawBids
	// KindUnjail asks to be let out of jail.
	KindUnjail
	numKinds
)

// lane tells whether items of this kind travel in the chain's lane for disputes, which takes transactions of dispute messages only.
func (k Kind) lane() bool { return k >= KindMove && k <= KindAttack }

// company is what a kind shares transactions with.
type company int

const (
	withSeals company = iota
	withMoves
	withBids
	withNone
)

// together tells whether items of this company fail together, one message each: then they are sent again one by one.
func (c company) together() bool { return c == withMoves || c == withBids }

func (k Kind) company() company {
	switch {
	case k.lane():
		return withMoves
	case k == KindBid || k == KindSealBid || k == KindRevealBid:
		return withBids
	case k == KindOpenSprint || k == KindCommitSprint || k == KindFinishJob || k == KindWithdrawBids || k == KindUnjail:
		return withNone
	}
	return withSeals
}

// String names the kind, as metrics and logs show it.
func (k Kind) String() string {
	switch k {
	case KindRevealResult:
		return "reveal_result"
	case KindRevealAttestation:
		return "reveal_attestation"
	case KindMove:
		return "move"
	case KindDefend:
		return "defend"
	case KindClaim:
		return "claim"
	case KindProduce:
		return "produce"
	case KindDemand:
		return "demand"
	case KindAttack:
		return "attack"
	case KindOpenSprint:
		return "open_sprint"
	case KindCommitSprint:
		return "commit_sprint"
	case KindSealResult:
		return "seal_result"
	case KindSealAttestation:
		return "seal_attestation"
	case KindSetVRFKey:
		return "set_vrf_key"
	case KindFinishJob:
		return "finish_job"
	case KindBid:
		return "bid"
	case KindSealBid:
		return "seal_bid"
	case KindRevealBid:
		return "reveal_bid"
	case KindWithdrawBids:
		return "withdraw_bids"
	case KindUnjail:
		return "unjail"
	}
	return fmt.Sprintf("kind_%d", int(k))
}

// HotMessages are the messages that a daemon sends: what the operator grants a hot key with x/authz.
func HotMessages() []sdk.Msg {
	return []sdk.Msg{
		&taskstypes.MsgSealResults{}, &taskstypes.MsgRevealResults{},
		&poaitypes.MsgSealAttestations{}, &poaitypes.MsgRevealAttestations{}, &poaitypes.MsgSetVRFKey{}, &poaitypes.MsgUnjail{},
		&auctionstypes.MsgBid{}, &auctionstypes.MsgSealBid{}, &auctionstypes.MsgRevealBid{}, &auctionstypes.MsgWithdrawBids{},
		&disputestypes.MsgClaim{}, &disputestypes.MsgAttack{}, &disputestypes.MsgDefend{}, &disputestypes.MsgMove{},
		&disputestypes.MsgDemandBytes{}, &disputestypes.MsgProduceBytes{},
		&sprintstypes.MsgCommitSprint{}, &sprintstypes.MsgOpenSprint{}, &trainingtypes.MsgFinishJob{},
	}
}

// HotGrants are the grants of HotMessages to a hot key.
func HotGrants(granter, grantee sdk.AccAddress) (msgs []sdk.Msg, err error) {
	for _, m := range HotMessages() {
		grant, err := authz.NewMsgGrant(granter, grantee, authz.NewGenericAuthorization(sdk.MsgTypeURL(m)), nil)
		if err != nil {
			return nil, fmt.Errorf("grant: %w", err)
		}
		msgs = append(msgs, grant)
	}
	return msgs, nil
}

// Item is one seal, reveal, step of a dispute, bid or message of a sprint on its way to the chain.
type Item struct {
	Kind Kind
	// Task it is about; the window, for sprints.
	Task uint64
	// Of tells apart what one task has several of: "2/14" is move 14 of game 2. Empty for seals and reveals.
	Of string
	// Deadline is the last height at which it counts.
	Deadline int64
	size     int
	payload  proto.Message
}

// ID names an item.
type ID struct {
	Kind Kind
	Task uint64
	Of   string
}

// ID returns the item's name.
func (i Item) ID() ID { return ID{i.Kind, i.Task, i.Of} }

// SealResult seals a worker's result.
func SealResult(task uint64, seal []byte, deadline int64) Item {
	return newItem(KindSealResult, task, deadline, &taskstypes.ResultSeal{TaskId: task, Seal: seal})
}

// RevealResult opens it.
func RevealResult(r taskstypes.ResultReveal, deadline int64) Item {
	return newItem(KindRevealResult, r.TaskId, deadline, &r)
}

// SealAttestation seals a verifier's attestation.
func SealAttestation(task uint64, seal []byte, deadline int64) Item {
	return newItem(KindSealAttestation, task, deadline, &poaitypes.AttestationSeal{TaskId: task, Seal: seal})
}

// RevealAttestation opens it.
func RevealAttestation(r poaitypes.AttestationReveal, deadline int64) Item {
	return newItem(KindRevealAttestation, r.TaskId, deadline, &r)
}

// SetVRFKey sets a participant's VRF key; who that is, is filled in when it is sent.
func SetVRFKey(msg *poaitypes.MsgSetVRFKey) Item { return newItem(KindSetVRFKey, 0, 0, msg) }

// Dispute makes an item of a message of x/disputes; whoever signs it is filled in when it is sent. It errs on other messages.
func Dispute(msg sdk.Msg, deadline int64) (Item, error) {
	var it Item
	switch m := msg.(type) {
	case *disputestypes.MsgMove:
		it = newItem(KindMove, m.TaskId, deadline, m)
		it.Of = fmt.Sprintf("%d/%d", m.Game, m.Moves)
	case *disputestypes.MsgDefend:
		it = newItem(KindDefend, m.TaskId, deadline, m)
		it.Of = fmt.Sprint(m.Game)
	case *disputestypes.MsgClaim:
		it = newItem(KindClaim, m.TaskId, deadline, m)
	case *disputestypes.MsgAttack:
		it = newItem(KindAttack, m.TaskId, deadline, m)
		it.Of = m.Target
	case *disputestypes.MsgDemandBytes:
		it = newItem(KindDemand, m.TaskId, deadline, m)
		it.Of = fmt.Sprintf("%d/%s/%d", m.Source, m.Name, m.First)
	case *disputestypes.MsgProduceBytes:
		it = newItem(KindProduce, m.TaskId, deadline, m)
		it.Of = fmt.Sprint(m.Demand)
	default:
		return Item{}, fmt.Errorf("message %T is not one of disputes", msg)
	}
	return it, nil
}

// disputeOf gives a dispute's message its signer; nil for other items.
func disputeOf(it Item, operator string) sdk.Msg {
	switch m := it.payload.(type) {
	case *disputestypes.MsgMove:
		c := *m
		c.Participant = operator
		return &c
	case *disputestypes.MsgDefend:
		c := *m
		c.Participant = operator
		return &c
	case *disputestypes.MsgClaim:
		c := *m
		c.Participant = operator
		return &c
	case *disputestypes.MsgAttack:
		c := *m
		c.Participant = operator
		return &c
	case *disputestypes.MsgDemandBytes:
		c := *m
		c.Participant = operator
		return &c
	case *disputestypes.MsgProduceBytes:
		c := *m
		c.Producer = operator
		return &c
	}
	return nil
}

// CommitSprint commits to the leaves of a window.
func CommitSprint(window uint64, root []byte, count uint64, deadline int64) Item {
	return newItem(KindCommitSprint, window, deadline, &sprintstypes.MsgCommitSprint{Window: window, Root: root, Count: count})
}

// OpenSprint opens leaves of it.
func OpenSprint(window uint64, leaves []sprintstypes.OpenedLeaf, deadline int64) Item {
	return newItem(KindOpenSprint, window, deadline, &sprintstypes.MsgOpenSprint{Window: window, Leaves: leaves})
}

// FinishJob registers what a training came to.
func FinishJob(msg *trainingtypes.MsgFinishJob, deadline int64) Item {
	return newItem(KindFinishJob, msg.JobId, deadline, msg)
}

// Bid makes an open bid.
func Bid(task uint64, price math.Int, deadline int64) Item {
	return newItem(KindBid, task, deadline, &auctionstypes.MsgBid{TaskId: task, Price: price})
}

// SealBid commits a bid.
func SealBid(task uint64, commitment []byte, deadline int64) Item {
	return newItem(KindSealBid, task, deadline, &auctionstypes.MsgSealBid{TaskId: task, Commitment: commitment})
}

// RevealBid opens it.
func RevealBid(task uint64, price math.Int, salt []byte, deadline int64) Item {
	return newItem(KindRevealBid, task, deadline, &auctionstypes.MsgRevealBid{TaskId: task, Price: price, Salt: salt})
}

// WithdrawBids takes the deposits of bids back, at most as many as one message may name.
func WithdrawBids(tasks []uint64, deadline int64) Item {
	return newItem(KindWithdrawBids, 0, deadline, &auctionstypes.MsgWithdrawBids{TaskIds: tasks})
}

// Unjail asks to be let out of jail.
func Unjail() Item { return newItem(KindUnjail, 0, 0, &poaitypes.MsgUnjail{}) }

// auctionOf gives the message of an auction, or about jail, its signer; nil for other items.
func auctionOf(it Item, operator string) sdk.Msg {
	switch m := it.payload.(type) {
	case *auctionstypes.MsgBid:
		c := *m
		c.Bidder = operator
		return &c
	case *auctionstypes.MsgSealBid:
		c := *m
		c.Bidder = operator
		return &c
	case *auctionstypes.MsgRevealBid:
		c := *m
		c.Bidder = operator
		return &c
	case *auctionstypes.MsgWithdrawBids:
		c := *m
		c.Bidder = operator
		return &c
	case *poaitypes.MsgUnjail:
		c := *m
		c.Participant = operator
		return &c
	}
	return nil
}

// sprintOf gives the message of a sprint, or of a training, its signer; nil for other items.
func sprintOf(it Item, operator string) sdk.Msg {
	switch m := it.payload.(type) {
	case *sprintstypes.MsgCommitSprint:
		c := *m
		c.Participant = operator
		return &c
	case *sprintstypes.MsgOpenSprint:
		c := *m
		c.Participant = operator
		return &c
	case *trainingtypes.MsgFinishJob:
		c := *m
		c.Sender = operator
		return &c
	}
	return nil
}

func newItem(kind Kind, task uint64, deadline int64, payload proto.Message) Item {
	return Item{Kind: kind, Task: task, Deadline: deadline, payload: payload, size: proto.Size(payload)}
}

// messages makes one message a kind from items sorted by kind, or one message an item of disputes, sprints and auctions.
func messages(operator string, items []Item) []sdk.Msg {
	var msgs []sdk.Msg
	if len(items) > 0 && items[0].Kind.company() != withSeals {
		for _, it := range items {
			for _, of := range []func(Item, string) sdk.Msg{disputeOf, sprintOf, auctionOf} {
				if m := of(it, operator); m != nil {
					msgs = append(msgs, m)
				}
			}
		}
		return msgs
	}
	for kind := range numKinds {
		var msg sdk.Msg
		for _, it := range items {
			if it.Kind == kind {
				msg = add(msg, operator, it)
			}
		}
		if msg != nil {
			msgs = append(msgs, msg)
		}
	}
	return msgs
}

// add puts an item into its message, which it creates for the first one.
func add(msg sdk.Msg, operator string, it Item) sdk.Msg {
	switch p := it.payload.(type) {
	case *taskstypes.ResultSeal:
		m, ok := msg.(*taskstypes.MsgSealResults)
		if !ok {
			m = &taskstypes.MsgSealResults{Worker: operator}
		}
		m.Items = append(m.Items, *p)
		return m
	case *taskstypes.ResultReveal:
		m, ok := msg.(*taskstypes.MsgRevealResults)
		if !ok {
			m = &taskstypes.MsgRevealResults{Worker: operator}
		}
		m.Items = append(m.Items, *p)
		return m
	case *poaitypes.AttestationSeal:
		m, ok := msg.(*poaitypes.MsgSealAttestations)
		if !ok {
			m = &poaitypes.MsgSealAttestations{Participant: operator}
		}
		m.Items = append(m.Items, *p)
		return m
	case *poaitypes.AttestationReveal:
		m, ok := msg.(*poaitypes.MsgRevealAttestations)
		if !ok {
			m = &poaitypes.MsgRevealAttestations{Participant: operator}
		}
		m.Items = append(m.Items, *p)
		return m
	case *poaitypes.MsgSetVRFKey:
		m := *p
		m.Participant = operator
		return &m
	}
	return msg
}

// verdict is what the chain said of one item.
type verdict struct {
	accepted bool
	reason   string
}

// verdicts reads the responses to items that were sent as messages(items), with or without a MsgExec around them.
func verdicts(items []Item, data []byte) (map[ID]verdict, error) {
	var res sdk.TxMsgData
	if err := proto.Unmarshal(data, &res); err != nil {
		return nil, fmt.Errorf("transaction data: %w", err)
	}
	out := map[ID]verdict{}
	for _, r := range res.MsgResponses {
		if r.TypeUrl != sdk.MsgTypeURL(&authz.MsgExecResponse{}) {
			if err := readResponse(r.TypeUrl, r.Value, out); err != nil {
				return nil, err
			}
			continue
		}
		var exec authz.MsgExecResponse
		if err := proto.Unmarshal(r.Value, &exec); err != nil {
			return nil, fmt.Errorf("exec response: %w", err)
		}
		// Inner responses carry no type, but come in the order of the messages.
		sent := messages("", items)
		if len(exec.Results) != len(sent) {
			return nil, fmt.Errorf("exec response: %d results for %d messages", len(exec.Results), len(sent))
		}
		for i, msg := range sent {
			if err := readResponse(sdk.MsgTypeURL(msg)+"Response", exec.Results[i], out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func readResponse(url string, value []byte, out map[ID]verdict) error {
	var err error
	switch url {
	case sdk.MsgTypeURL(&poaitypes.MsgSetVRFKeyResponse{}):
		out[ID{Kind: KindSetVRFKey}] = verdict{accepted: true}
	case sdk.MsgTypeURL(&taskstypes.MsgSealResultsResponse{}):
		var r taskstypes.MsgSealResultsResponse
		if err = proto.Unmarshal(value, &r); err == nil {
			collectTasks(KindSealResult, r.Results, out)
		}
	case sdk.MsgTypeURL(&taskstypes.MsgRevealResultsResponse{}):
		var r taskstypes.MsgRevealResultsResponse
		if err = proto.Unmarshal(value, &r); err == nil {
			collectTasks(KindRevealResult, r.Results, out)
		}
	case sdk.MsgTypeURL(&poaitypes.MsgSealAttestationsResponse{}):
		var r poaitypes.MsgSealAttestationsResponse
		if err = proto.Unmarshal(value, &r); err == nil {
			collectPoai(KindSealAttestation, r.Results, out)
		}
	case sdk.MsgTypeURL(&poaitypes.MsgRevealAttestationsResponse{}):
		var r poaitypes.MsgRevealAttestationsResponse
		if err = proto.Unmarshal(value, &r); err == nil {
			collectPoai(KindRevealAttestation, r.Results, out)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", url, err)
	}
	return nil
}

func collectTasks(kind Kind, results []taskstypes.ItemResult, out map[ID]verdict) {
	for _, r := range results {
		out[ID{Kind: kind, Task: r.TaskId}] = verdict{r.Accepted, r.Error}
	}
}

func collectPoai(kind Kind, results []poaitypes.ItemResult, out map[ID]verdict) {
	for _, r := range results {
		out[ID{Kind: kind, Task: r.TaskId}] = verdict{r.Accepted, r.Error}
	}
}
