// Package journal keeps what a daemon has promised: for every task and role the result it computed, the salt and the seal; the bids it has
// sealed; and the segments of trainings it has done. A record is on disk before the transaction that depends on it is sent, and a record
// once written is never replaced by a different one. That is all a machine needs to be killed at any moment and go on without sealing
// twice or losing a reveal.
package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"poaid/commit"
	taskstypes "poaid/x/tasks/types"
)

// Role is what a participant does for a task.
type Role string

// The roles. Their names are the purposes that salts are derived for.
const (
	Worker   Role = "result"
	Verifier Role = "attestation"
	// Bidder has a sealed bid on it.
	Bidder Role = "bid"
	// Trainer has done it as a segment of a training.
	Trainer Role = "segment"
)

var (
	// ErrNotFound is returned when there is no record.
	ErrNotFound = errors.New("no journal record")
	// ErrConflict is returned when a different record was written for the same task and role before.
	ErrConflict = errors.New("journal has a different record")
)

// Record is one computed result. Records never change.
type Record struct {
	Task       uint64                   `json:"task"`
	Role       Role                     `json:"role"`
	Model      string                   `json:"model"`
	ResultRoot commit.Hash              `json:"result_root"`
	StateRoot  commit.Hash              `json:"state_root"`
	OutputRoot commit.Hash              `json:"output_root"`
	Outputs    []taskstypes.NamedTensor `json:"outputs,omitempty"` // as they will be revealed; none for attestations
	Salt       commit.Hash              `json:"salt"`
	Seal       commit.Hash              `json:"seal"`
	Height     int64                    `json:"height"` // chain height when it was computed
	// ForcedProof proves that the worker's error is forced, so that it seals a wrong root; empty where it seals what it computed.
	ForcedProof []byte `json:"forced_proof,omitempty"`
}

// SealedRoot is the root that the seal is over.
func (r Record) SealedRoot() commit.Hash {
	if len(r.ForcedProof) > 0 {
		return commit.ForcedRoot(r.ResultRoot)
	}
	return r.ResultRoot
}

// Journal is a file of records of one participant on one chain. It is safe for concurrent use.
type Journal struct {
	db     *bolt.DB
	bucket []byte
}

// lockTimeout is how long Open waits for another process to let go of the file.
const lockTimeout = 2 * time.Second

// Open opens or creates a journal file. One file may hold several chains and participants; they do not see each other. A file
// that another process has open is refused: two daemons on one journal would race.
func Open(path, chainID, participant string) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout})
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w (is another daemon running on it?)", path, err)
	}
	j := &Journal{db: db, bucket: []byte(chainID + "/" + participant)}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(j.bucket)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), db.Close())
	}
	return j, nil
}

// Close closes the file.
func (j *Journal) Close() error { return j.db.Close() }

func key(role Role, task uint64) []byte {
	return append([]byte(role+"/"), binary.BigEndian.AppendUint64(nil, task)...)
}

// Put writes a record and syncs it to disk. Writing an equal result again does nothing; a different one is ErrConflict and leaves
// the first one standing, because that may have been sealed.
func (j *Journal) Put(r Record) error {
	data, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("journal: encode task %d: %w", r.Task, err)
	}
	return j.putOnce(key(r.Role, r.Task), data, func(old []byte) error {
		var was Record
		if err := json.Unmarshal(old, &was); err != nil {
			return fmt.Errorf("journal: decode task %d: %w", r.Task, err)
		}
		if was.Seal != r.Seal {
			return fmt.Errorf("%w: task %d, %s: root %s, now %s", ErrConflict, r.Task, r.Role, was.ResultRoot, r.ResultRoot)
		}
		return nil
	})
}

// putOnce writes a new key and syncs it to disk; what is there already is only shown to check.
func (j *Journal) putOnce(k, data []byte, check func(old []byte) error) error {
	return j.db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket(j.bucket)
		if old := b.Get(k); old != nil {
			return check(old)
		}
		return b.Put(k, data)
	})
}

// Get reads a record, ErrNotFound if there is none.
func (j *Journal) Get(role Role, task uint64) (Record, error) {
	var r Record
	err := j.get(role, task, &r)
	return r, err
}

func (j *Journal) get(role Role, task uint64, out any) error {
	return j.db.View(func(tx *bolt.Tx) error {
		data := tx.Bucket(j.bucket).Get(key(role, task))
		if data == nil {
			return ErrNotFound
		}
		if err := json.Unmarshal(data, out); err != nil {
			return fmt.Errorf("journal: decode task %d: %w", task, err)
		}
		return nil
	})
}

// Delete drops a record.
func (j *Journal) Delete(role Role, task uint64) error {
	return j.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(j.bucket).Delete(key(role, task)) })
}

// Tasks lists up to limit tasks of a role that come after the given one, in order.
func (j *Journal) Tasks(role Role, after uint64, limit int) ([]uint64, error) {
	var out []uint64
	prefix := []byte(role + "/")
	err := j.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(j.bucket).Cursor()
		for k, _ := c.Seek(key(role, after)); bytes.HasPrefix(k, prefix) && len(out) < limit; k, _ = c.Next() {
			if task := binary.BigEndian.Uint64(k[len(prefix):]); task > after {
				out = append(out, task)
			}
		}
		return nil
	})
	return out, err
}
