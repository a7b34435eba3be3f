package challenger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"poaid/commit"
)

// Book is the little that a challenger writes down. Everything in it can be found out again: a lost one costs executions, and results
// revealed while nobody watched.
type Book struct {
	db     *bolt.DB
	bucket []byte
}

// The kinds of records; a key is its kind, the task and the rest.
const (
	keyHeight = 'h' // up to where blocks were looked at
	keyWatch  = 'w' // results that were picked and are not settled yet
	keyRoot   = 'r' // roots that were computed
	keySent   = 's' // height at which an item was last handed to the sender
)

// lockTimeout is how long OpenBook waits for another process to let go of the file.
const lockTimeout = 2 * time.Second

// OpenBook opens or creates the file. It may hold several chains and participants; they do not see each other.
func OpenBook(path, chainID, participant string) (*Book, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("challenger's book: %w", err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{Timeout: lockTimeout})
	if err != nil {
		return nil, fmt.Errorf("challenger's book %s: %w (is another daemon running on it?)", path, err)
	}
	b := &Book{db: db, bucket: []byte(chainID + "/" + participant)}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(b.bucket)
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("challenger's book %s: %w", path, err), db.Close())
	}
	return b, nil
}

// Close closes the file.
func (b *Book) Close() error { return b.db.Close() }

func key(kind byte, task uint64, rest string) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{kind}, task), rest...)
}

func (b *Book) get(k []byte) (out []byte, err error) {
	err = b.db.View(func(tx *bolt.Tx) error {
		out = append([]byte(nil), tx.Bucket(b.bucket).Get(k)...)
		return nil
	})
	return out, err
}

func (b *Book) put(k, v []byte) error {
	return b.db.Update(func(tx *bolt.Tx) error { return tx.Bucket(b.bucket).Put(k, v) })
}

func (b *Book) number(k []byte) (int64, error) {
	v, err := b.get(k)
	if err != nil || len(v) != 8 {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(v)), nil
}

func encode(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

// Height is up to where blocks were looked at; 0: never.
func (b *Book) Height() (int64, error) { return b.number(key(keyHeight, 0, "")) }

// Advance notes that blocks up to height were looked at, and the results picked there, all at once.
func (b *Book) Advance(height int64, picked []uint64) error {
	return b.db.Update(func(tx *bolt.Tx) error {
		in := tx.Bucket(b.bucket)
		for _, task := range picked {
			if err := in.Put(key(keyWatch, task, ""), []byte{1}); err != nil {
				return err
			}
		}
		return in.Put(key(keyHeight, 0, ""), encode(height))
	})
}

// Watched lists the results that are picked, in order.
func (b *Book) Watched() (out []uint64, err error) {
	err = b.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(b.bucket).Cursor()
		for k, _ := c.Seek([]byte{keyWatch}); len(k) == 9 && k[0] == keyWatch; k, _ = c.Next() {
			out = append(out, binary.BigEndian.Uint64(k[1:]))
		}
		return nil
	})
	return out, err
}

// Root is the root that a task was found to have; false: it was not computed yet.
func (b *Book) Root(task uint64) (root commit.Hash, ok bool, err error) {
	v, err := b.get(key(keyRoot, task, ""))
	if err != nil || len(v) != commit.Size {
		return root, false, err
	}
	return commit.Hash(v), true, nil
}

// PutRoot notes the root of a task.
func (b *Book) PutRoot(task uint64, root commit.Hash) error {
	return b.put(key(keyRoot, task, ""), root[:])
}

// Sent is the height at which an item was last handed to the sender; 0: never.
func (b *Book) Sent(task uint64, what string) (int64, error) {
	return b.number(key(keySent, task, what))
}

// PutSent notes that an item is handed to the sender.
func (b *Book) PutSent(task uint64, what string, height int64) error {
	return b.put(key(keySent, task, what), encode(height))
}

// Forget drops all about a task.
func (b *Book) Forget(task uint64) error {
	return b.db.Update(func(tx *bolt.Tx) error {
		in := tx.Bucket(b.bucket)
		for _, kind := range []byte{keyWatch, keyRoot, keySent} {
			prefix := key(kind, task, "")
			c := in.Cursor()
			for k, _ := c.Seek(prefix); len(k) >= len(prefix) && string(k[:len(prefix)]) == string(prefix); k, _ = c.Seek(prefix) {
				if err := in.Delete(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
