package localnet

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"cosmossdk.io/math"
)

// Limits of a local network; a machine runs out of memory before it gets near them.
const (
	MaxValidators   = 32
	MaxParticipants = 64
)

// marker is the file by which Build knows a folder that it may wipe.
const marker = ".poaid-localnet"

// Config says what network to lay out.
type Config struct {
	// Home is the folder that holds everything.
	Home string
	// ChainID of the new chain.
	ChainID string
	// Validators is the number of nodes, 1 to MaxValidators.
	Validators int
	// Participants is the number of worker/verifier processes, 1 to MaxParticipants.
	Participants int
	// BlockTime is CometBFT's timeout_commit.
	BlockTime time.Duration
	// BasePort is the first of the ports used; 0 takes free ones.
	BasePort int
	// Binary is the poaid executable the processes run.
	Binary string
}

// Validate names the first field that is out of its limits.
func (c Config) Validate() error {
	switch {
	case c.Home == "":
		return errors.New("home: must not be empty")
	case c.ChainID == "":
		return errors.New("chain-id: must not be empty")
	case c.Validators < 1 || c.Validators > MaxValidators:
		return fmt.Errorf("validators: %d is not in 1..%d", c.Validators, MaxValidators)
	case c.Participants < 1 || c.Participants > MaxParticipants:
		return fmt.Errorf("participants: %d is not in 1..%d", c.Participants, MaxParticipants)
	case c.BlockTime < 10*time.Millisecond || c.BlockTime > time.Minute:
		return fmt.Errorf("block-time: %s is not in 10ms..1m", c.BlockTime)
	case c.BasePort < 0 || c.BasePort > 60000:
		return fmt.Errorf("base-port: %d is not in 0..60000", c.BasePort)
	}
	return nil
}

// Node is one validator's place in the network.
type Node struct {
	Name string
	Home string
	// Addresses without scheme: host:port.
	RPC, P2P, GRPC, API string
	ID                  string
}

// Participant is one worker/verifier process's place in the network.
type Participant struct {
	Name string
	Home string
	// Operator is the bonded account, Hot the key its daemon signs with; both are bech32 addresses.
	Operator, Hot string
	// Artifacts and Metrics are the addresses its daemon listens on: host:port.
	Artifacts, Metrics string
}

// Layout is a network on disk.
type Layout struct {
	Config       Config
	Nodes        []Node
	Participants []Participant
	// OwnerArtifacts is the address at which the owner of the models serves their weights: host:port.
	OwnerArtifacts string
	// Client is a home for the command line: settings that find the network, and a test keyring with the users' keys
	// (validators, operators, owner and alice).
	Client string
	// Accounts maps the name of each key in Client to its address, in the order they were made.
	Accounts []Account
	// Supply is the sum of all genesis balances, in poai.
	Supply int64
}

// GenesisSupply is the sum of all genesis balances, in upoai.
func (l *Layout) GenesisSupply() math.Int { return math.NewInt(l.Supply).MulRaw(perPoai) }

// Account is a named key.
type Account struct {
	Name, Address string
}

// Address returns the address of the named account.
func (l *Layout) Address(name string) (string, error) {
	for _, a := range l.Accounts {
		if a.Name == name {
			return a.Address, nil
		}
	}
	return "", fmt.Errorf("no account %q in this network", name)
}

// LogFile is where the process of that name logs to.
func (l *Layout) LogFile(name string) string {
	return filepath.Join(l.Config.Home, "logs", name+".log")
}

// prepareHome makes an empty home, wiping an earlier local network but nothing else.
func prepareHome(home string) error {
	entries, err := os.ReadDir(home)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return fmt.Errorf("home: %w", err)
	case len(entries) > 0:
		if _, err := os.Stat(filepath.Join(home, marker)); err != nil {
			return fmt.Errorf("home: %s is not empty and is not a local network; choose another folder", home)
		}
		if err := os.RemoveAll(home); err != nil {
			return fmt.Errorf("home: %w", err)
		}
	}
	if err := os.MkdirAll(filepath.Join(home, "logs"), 0o755); err != nil {
		return fmt.Errorf("home: %w", err)
	}
	return os.WriteFile(filepath.Join(home, marker), []byte("made by poaid localnet; safe to delete\n"), 0o600)
}

// ports hands out addresses on the loopback interface.
type ports struct {
	next int
	held []net.Listener
}

// take returns a free address. Free ports stay bound until release, so that no two of a network are the same.
func (p *ports) take() (string, error) {
	if p.next > 0 {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(p.next))
		p.next++
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return "", fmt.Errorf("base-port: %s is taken: %w", addr, err)
		}
		p.held = append(p.held, l)
		return addr, nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	p.held = append(p.held, l)
	return l.Addr().String(), nil
}

func (p *ports) release() {
	for _, l := range p.held {
		_ = l.Close()
	}
}
