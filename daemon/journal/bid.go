package journal

import (
	"encoding/json"
	"fmt"

	"cosmossdk.io/math"

	"poaid/commit"
)

// Bid is a bid that is sealed, or about to be: what opens it again.
type Bid struct {
	Task  uint64      `json:"task"`
	Price math.Int    `json:"price"`
	Salt  commit.Hash `json:"salt"`
}

// PutBid writes a bid and syncs it to disk. A bid that is there already stands, because it may have been sealed: it is returned.
func (j *Journal) PutBid(b Bid) (Bid, error) {
	data, err := json.Marshal(b)
	if err != nil {
		return b, fmt.Errorf("journal: encode bid on task %d: %w", b.Task, err)
	}
	err = j.putOnce(key(Bidder, b.Task), data, func(old []byte) error { return json.Unmarshal(old, &b) })
	return b, err
}

// Bid reads a bid, ErrNotFound if there is none.
func (j *Journal) Bid(task uint64) (b Bid, err error) {
	err = j.get(Bidder, task, &b)
	return b, err
}

// PutSegment notes that this machine does a task that is a segment of a training.
func (j *Journal) PutSegment(task uint64) error {
	return j.putOnce(key(Trainer, task), []byte("{}"), func([]byte) error { return nil })
}
