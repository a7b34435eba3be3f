package localnet

import (
	"errors"
	"fmt"
	"math/rand/v2"
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

// LayoutFile is the file in a network's home that says what it is made of.
const LayoutFile = "network.json"

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
	// Participants is the number of worker/verifier processes, 0 to MaxParticipants.
	Participants int
	// BlockTime is CometBFT's timeout_commit.
	BlockTime time.Duration
	// BasePort is the first of the ports used; 0 takes free ones.
	BasePort int
	// Binary is the poaid executable the processes run.
	Binary string
	// Links connects validators through links that can be cut.
	Links bool `json:",omitempty"`
	// NoBeaconKeys leaves the validators' VRF keys out of the genesis, so that randomness comes from block data.
	NoBeaconKeys bool `json:",omitempty"`
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
	case c.Participants < 0 || c.Participants > MaxParticipants:
		return fmt.Errorf("participants: %d is not in 0..%d", c.Participants, MaxParticipants)
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
	// Links between validators, where they are connected through some.
	Links []Link `json:",omitempty"`
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

// Free addresses are looked for below the ports that systems give to outgoing connections (32768 and above on Linux), so that
// nothing takes one between laying out a network and starting it, or while it is stopped.
const (
	firstFreePort = 10_000
	freePorts     = 22_000
)

// ports hands out addresses on the loopback interface.
type ports struct {
	next int
	held []net.Listener
}

// take returns a free address. Free ports stay bound until release, so that no two of a network are the same.
func (p *ports) take() (string, error) {
	if p.next > 0 {
		addr := localAddr(p.next)
		p.next++
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return "", fmt.Errorf("base-port: %s is taken: %w", addr, err)
		}
		p.held = append(p.held, l)
		return addr, nil
	}
	// From a random one on: networks that are laid out at the same time do not meet.
	start, last := rand.IntN(freePorts), error(nil)
	for i := range freePorts {
		l, err := net.Listen("tcp", localAddr(firstFreePort+(start+i)%freePorts))
		if err != nil {
			last = err
			continue
		}
		p.held = append(p.held, l)
		return l.Addr().String(), nil
	}
	return "", fmt.Errorf("find a free port: %w", last)
}

func localAddr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (p *ports) release() {
	for _, l := range p.held {
		_ = l.Close()
	}
}

// CheckPorts names the first address of the network that something else listens on.
func (l *Layout) CheckPorts() error {
	type place struct{ what, addr string }
	all := []place{{"the owner's artifacts", l.OwnerArtifacts}}
	for _, n := range l.Nodes {
		all = append(all, place{n.Name + " RPC", n.RPC}, place{n.Name + " P2P", n.P2P}, place{n.Name + " gRPC", n.GRPC}, place{n.Name + " API", n.API})
	}
	for _, p := range l.Participants {
		all = append(all, place{p.Name + " artifacts", p.Artifacts}, place{p.Name + " metrics", p.Metrics})
	}
	for _, k := range l.Links {
		all = append(all, place{fmt.Sprintf("link %d-%d", k.From, k.To), k.Listen})
	}
	for _, a := range all {
		held, err := net.Listen("tcp", a.addr)
		if err != nil {
			return fmt.Errorf("port: %s of %s is taken: %w", a.addr, a.what, err)
		}
		if err := held.Close(); err != nil {
			return fmt.Errorf("port: %s of %s: %w", a.addr, a.what, err)
		}
	}
	return nil
}

// Lock takes the home of a network for this process, so that no two run the same one; the file is to be closed in the end.
func Lock(home string) (*os.File, error) {
	if err := os.MkdirAll(home, 0o755); err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	f, err := os.OpenFile(filepath.Clean(home)+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	ok, err := lockFile(f)
	if err != nil || !ok {
		err = errors.Join(err, f.Close())
		if err == nil {
			err = fmt.Errorf("home: another process runs the network in %s", home)
		}
		return nil, err
	}
	return f, nil
}
