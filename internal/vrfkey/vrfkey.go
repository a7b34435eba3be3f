// Package vrfkey keeps a node's VRF keys in a file of their own, beside the key that it signs votes with. They are not derived from that
// one, because a remote signer does not give it away.
package vrfkey

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"poaid/x/beacon/types"
	"poaid/x/beacon/vrf"
)

// FileName is the file's name in the node's config folder.
const FileName = "vrf_key.json"

// maxKeys bounds a file: one key acts, one is registered, the others are history.
const maxKeys = 64

// Path of the file below a node's home.
func Path(home string) string { return filepath.Join(home, "config", FileName) }

// Keys are a node's keys, oldest first. During a rotation the old one acts until the new one does, so both must be there.
type Keys struct{ secrets []vrf.SecretKey }

type file struct {
	Keys []entry `json:"keys"`
}

// entry is one key. The public part is there for people and as a check.
type entry struct {
	PubKey []byte `json:"pub_key"`
	Seed   []byte `json:"seed"`
}

// Load reads a file. A missing one is fs.ErrNotExist.
func Load(path string) (Keys, error) {
	f, err := read(path)
	if err != nil {
		return Keys{}, err
	}
	var k Keys
	for i, e := range f.Keys {
		s, err := vrf.NewSecretKey(e.Seed)
		if err != nil {
			return Keys{}, fmt.Errorf("%s: keys[%d]: %w", path, i, err)
		}
		if string(s.Public()) != string(e.PubKey) {
			return Keys{}, fmt.Errorf("%s: keys[%d]: pub_key does not belong to seed", path, i)
		}
		k.secrets = append(k.secrets, s)
	}
	return k, nil
}

func read(path string) (file, error) {
	var f file
	bz, err := os.ReadFile(path)
	if err != nil {
		return f, fmt.Errorf("VRF keys: %w", err)
	}
	if err := json.Unmarshal(bz, &f); err != nil {
		return f, fmt.Errorf("%s: %w", path, err)
	}
	if len(f.Keys) == 0 || len(f.Keys) > maxKeys {
		return f, fmt.Errorf("%s: keys: %d, must be 1 to %d", path, len(f.Keys), maxKeys)
	}
	return f, nil
}

// LoadOrCreate reads a file, and makes one with a new key where there is none.
func LoadOrCreate(path string) (Keys, error) {
	k, err := Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Add(path)
	}
	return k, err
}

// Add makes a new key and appends it to a file, which it creates where there is none.
func Add(path string) (Keys, error) {
	var seed [vrf.SeedSize]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return Keys{}, fmt.Errorf("make VRF key: %w", err)
	}
	return AddSeed(path, seed[:])
}

// AddSeed is Add for a given secret.
func AddSeed(path string, seed []byte) (Keys, error) {
	f, err := read(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Keys{}, err
	}
	if len(f.Keys) == maxKeys {
		return Keys{}, fmt.Errorf("%s: keys: there are %d already, remove those that will not act any more", path, maxKeys)
	}
	s, err := vrf.NewSecretKey(seed)
	if err != nil {
		return Keys{}, err
	}
	f.Keys = append(f.Keys, entry{PubKey: s.Public(), Seed: seed})
	bz, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return Keys{}, err
	}
	if err := write(path, append(bz, '\n')); err != nil {
		return Keys{}, fmt.Errorf("save VRF keys: %w", err)
	}
	return Load(path)
}

// write replaces the file in one step, so that an interrupted rotation does not lose the key that acts.
func write(path string, bz []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), FileName+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = tmp.Write(bz)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// Latest is the newest key.
func (k Keys) Latest() (vrf.SecretKey, bool) {
	if len(k.secrets) == 0 {
		return vrf.SecretKey{}, false
	}
	return k.secrets[len(k.secrets)-1], true
}

// Find returns the secret of a public key.
func (k Keys) Find(pubKey []byte) (vrf.SecretKey, bool) {
	for _, s := range k.secrets {
		if string(s.Public()) == string(pubKey) {
			return s, true
		}
	}
	return vrf.SecretKey{}, false
}

// Register makes what a validator registers of a key: its public part and the proof of possession for the operator's address.
func Register(s vrf.SecretKey, operator []byte) types.Key {
	return types.Key{PubKey: s.Public(), Proof: s.Prove(types.PossessionInput(operator))}
}
