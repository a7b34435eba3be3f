package worker

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"

	"poaid/daemon/chain"
	"poaid/x/beacon/vrf"
	poaitypes "poaid/x/poai/types"
)

// Secret derives the VRF key from the secret that salts come from, so that every machine with the hot key, restarted or new, has the same one.
func Secret(saltSecret []byte) (vrf.SecretKey, error) {
	seed := sha256.Sum256(append([]byte("poai/worker/vrf/1"), saltSecret...))
	return vrf.NewSecretKey(seed[:])
}

// Participants reads participants.
type Participants interface {
	ChainID() string
	Participant(ctx context.Context, address string) (poaitypes.Participant, error)
}

// Outbox sends items; chain.Sender is one.
type Outbox interface {
	Enqueue(it chain.Item, asOf int64) bool
}

// checkBlocks is how often the chain is asked for the key.
const checkBlocks = 20

// Key registers a worker's VRF key where the participant has none on the chain. A key that somebody else set, a daemon with another hot key, is left
// alone: two daemons would replace each other's for ever. Only one goroutine may use it.
type Key struct {
	chain       Participants
	out         Outbox
	participant string
	account     []byte
	secret      vrf.SecretKey
	log         *slog.Logger
	next        int64
	warned      bool
}

// NewKey returns one for a participant; account is its address in bytes.
func NewKey(c Participants, out Outbox, participant string, account []byte, secret vrf.SecretKey, log *slog.Logger) *Key {
	return &Key{chain: c, out: out, participant: participant, account: account, secret: secret, log: log}
}

// Ensure looks every few blocks whether the chain has the key, and sends it where there is none.
func (k *Key) Ensure(ctx context.Context, height int64) error {
	if height < k.next {
		return nil
	}
	p, err := k.chain.Participant(ctx, k.participant)
	if errors.Is(err, chain.ErrNotFound) {
		k.next = height + checkBlocks
		return nil // it has not joined yet
	}
	if err != nil {
		return err
	}
	k.next = height + checkBlocks
	switch latest := p.LatestVRFKey(); {
	case latest == nil:
		k.out.Enqueue(chain.SetVRFKey(&poaitypes.MsgSetVRFKey{
			VrfPubKey: k.secret.Public(), Proof: k.secret.Prove(poaitypes.VRFPossessionInput(k.chain.ChainID(), k.account)),
		}), height)
	case !bytes.Equal(latest, k.secret.Public()) && !k.warned:
		k.warned = true
		k.log.Warn("the participant's VRF key on the chain is not this hot key's: its errors are never forced (poaid tx poai set-vrf-key replaces it)",
			"chain", latest, "ours", k.secret.Public())
	}
	return nil
}
