package localnet

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"cosmossdk.io/log/v2"
	cmtcfg "github.com/cometbft/cometbft/config"
	dbm "github.com/cosmos/cosmos-db"
	"github.com/cosmos/cosmos-sdk/client"
	"github.com/cosmos/cosmos-sdk/client/tx"
	"github.com/cosmos/cosmos-sdk/codec"
	"github.com/cosmos/cosmos-sdk/crypto/hd"
	"github.com/cosmos/cosmos-sdk/crypto/keyring"
	cryptotypes "github.com/cosmos/cosmos-sdk/crypto/types"
	sdk "github.com/cosmos/cosmos-sdk/types"
	"github.com/cosmos/cosmos-sdk/types/tx/signing"
	"github.com/cosmos/cosmos-sdk/x/genutil"
	genutiltypes "github.com/cosmos/cosmos-sdk/x/genutil/types"
	stakingtypes "github.com/cosmos/cosmos-sdk/x/staking/types"

	"poaid/app"
	"poaid/app/params"
	"poaid/internal/vrfkey"
	beacontypes "poaid/x/beacon/types"
)

// Encoding is what Build needs to know of the application.
type Encoding struct {
	Codec    codec.Codec
	TxConfig client.TxConfig
	// DefaultGenesis is every module's default genesis.
	DefaultGenesis map[string]json.RawMessage
}

// NewEncoding reads the encoding off the application.
func NewEncoding() (Encoding, error) {
	a, err := app.New(log.NewNopLogger(), dbm.NewMemDB(), true, noOptions{})
	if err != nil {
		return Encoding{}, fmt.Errorf("wire application: %w", err)
	}
	return Encoding{Codec: a.Codec, TxConfig: a.TxConfig, DefaultGenesis: a.DefaultGenesis()}, nil
}

// noOptions are the options of an application that is only asked for its codecs.
type noOptions struct{}

// Get knows no option.
func (noOptions) Get(string) any { return nil }

// Names of accounts that every local network has beside validators (val0…) and operators (op0…).
const (
	AccountOwner = "owner" // registers the models
	AccountAlice = "alice" // submits tasks
)

// builder carries what Build gathers.
type builder struct {
	cfg    Config
	enc    Encoding
	layout *Layout
	ports  *ports
	kr     keyring.Keyring
	funds  []funding
	gentxs []json.RawMessage
	// vrfKeys are the validators', which act from the first block on.
	vrfKeys []beacontypes.OperatorKeys
}

type funding struct {
	address string
	amount  int64 // poai
}

// Build lays the network out under cfg.Home, wiping an earlier one there. No process is started.
func Build(cfg Config, enc Encoding) (*Layout, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	home, err := filepath.Abs(cfg.Home)
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	cfg.Home = home
	if err := prepareHome(cfg.Home); err != nil {
		return nil, err
	}
	b := &builder{cfg: cfg, enc: enc, ports: &ports{next: cfg.BasePort}}
	// Held until everything is written.
	defer b.ports.release()
	b.layout = &Layout{Config: cfg, Client: filepath.Join(cfg.Home, "client")}
	if b.kr, err = b.keyring(b.layout.Client); err != nil {
		return nil, err
	}
	for _, step := range []func() error{b.users, b.participants, b.nodes, b.links, b.genesis, b.save} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return b.layout, nil
}

func (b *builder) keyring(dir string) (keyring.Keyring, error) {
	kr, err := keyring.New(sdk.KeyringServiceName(), keyring.BackendTest, dir, nil, b.enc.Codec)
	if err != nil {
		return nil, fmt.Errorf("keyring: %w", err)
	}
	return kr, nil
}

// newKey makes a key and funds it with amount poai.
func (b *builder) newKey(kr keyring.Keyring, name string, amount int64) (string, error) {
	rec, _, err := kr.NewMnemonic(name, keyring.English, sdk.FullFundraiserPath, keyring.DefaultBIP39Passphrase, hd.Secp256k1)
	if err != nil {
		return "", fmt.Errorf("key %s: %w", name, err)
	}
	addr, err := rec.GetAddress()
	if err != nil {
		return "", fmt.Errorf("key %s: %w", name, err)
	}
	if amount > 0 {
		b.funds = append(b.funds, funding{address: addr.String(), amount: amount})
		b.layout.Supply += amount
	}
	return addr.String(), nil
}

func (b *builder) user(name string, amount int64) (string, error) {
	addr, err := b.newKey(b.kr, name, amount)
	if err != nil {
		return "", err
	}
	b.layout.Accounts = append(b.layout.Accounts, Account{Name: name, Address: addr})
	return addr, nil
}

func (b *builder) users() error {
	for _, name := range []string{AccountOwner, AccountAlice} {
		if _, err := b.user(name, userFunds); err != nil {
			return err
		}
	}
	var err error
	b.layout.OwnerArtifacts, err = b.ports.take()
	return err
}

// participants makes an operator key for each, kept with the users' keys, and a hot key in the participant's own home.
func (b *builder) participants() error {
	for i := range b.cfg.Participants {
		p := Participant{Name: fmt.Sprintf("participant%d", i), Home: filepath.Join(b.cfg.Home, fmt.Sprintf("participant%d", i))}
		var err error
		if p.Operator, err = b.user(fmt.Sprintf("op%d", i), operatorFunds); err != nil {
			return err
		}
		kr, err := b.keyring(p.Home)
		if err != nil {
			return err
		}
		if p.Hot, err = b.newKey(kr, HotKey, 0); err != nil {
			return err
		}
		if p.Artifacts, err = b.ports.take(); err != nil {
			return err
		}
		if p.Metrics, err = b.ports.take(); err != nil {
			return err
		}
		b.layout.Participants = append(b.layout.Participants, p)
	}
	return nil
}

// nodes makes each validator's home, keys and genesis transaction.
func (b *builder) nodes() error {
	for i := range b.cfg.Validators {
		n := Node{Name: fmt.Sprintf("node%d", i), Home: filepath.Join(b.cfg.Home, fmt.Sprintf("node%d", i))}
		for _, addr := range []*string{&n.RPC, &n.P2P, &n.GRPC, &n.API} {
			var err error
			if *addr, err = b.ports.take(); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(filepath.Join(n.Home, "config"), 0o755); err != nil {
			return err
		}
		id, pub, err := genutil.InitializeNodeValidatorFiles(b.cometConfig(n))
		if err != nil {
			return fmt.Errorf("%s: %w", n.Name, err)
		}
		n.ID = id
		if err := b.gentx(fmt.Sprintf("val%d", i), n, pub); err != nil {
			return err
		}
		b.layout.Nodes = append(b.layout.Nodes, n)
	}
	return nil
}

// cometConfig is the node's config.toml before its peers are known.
func (b *builder) cometConfig(n Node) *cmtcfg.Config {
	c := cmtcfg.DefaultConfig()
	c.SetRoot(n.Home)
	c.Moniker = n.Name
	c.RPC.ListenAddress = "tcp://" + n.RPC
	c.RPC.PprofListenAddress = ""
	c.P2P.ListenAddress = "tcp://" + n.P2P
	c.P2P.AddrBookStrict = false
	c.P2P.AllowDuplicateIP = true
	c.Consensus.TimeoutCommit = b.cfg.BlockTime
	c.Consensus.TimeoutPropose = time.Second
	c.LogLevel = "info"
	c.Mempool.Size = 20000
	return c
}

func (b *builder) gentx(name string, n Node, pub cryptotypes.PubKey) error {
	addr, err := b.user(name, validatorFunds)
	if err != nil {
		return err
	}
	acc, err := sdk.AccAddressFromBech32(addr)
	if err != nil {
		return err
	}
	if err := b.vrfKey(n, sdk.ValAddress(acc)); err != nil {
		return err
	}
	msg, err := stakingtypes.NewMsgCreateValidator(sdk.ValAddress(acc).String(), pub, coin(validatorStake),
		stakingtypes.NewDescription(n.Name, "", "", "", ""), commission(), oneInt())
	if err != nil {
		return fmt.Errorf("gentx of %s: %w", n.Name, err)
	}
	txb := b.enc.TxConfig.NewTxBuilder()
	if err := txb.SetMsgs(msg); err != nil {
		return fmt.Errorf("gentx of %s: %w", n.Name, err)
	}
	txb.SetMemo(fmt.Sprintf("%s@%s", n.ID, n.P2P))
	txb.SetGasLimit(400_000)
	f := tx.Factory{}.WithChainID(b.cfg.ChainID).WithKeybase(b.kr).WithTxConfig(b.enc.TxConfig).
		WithSignMode(signing.SignMode_SIGN_MODE_DIRECT)
	if err := tx.Sign(context.Background(), f, name, txb, true); err != nil {
		return fmt.Errorf("gentx of %s: %w", n.Name, err)
	}
	bz, err := b.enc.TxConfig.TxJSONEncoder()(txb.GetTx())
	if err != nil {
		return fmt.Errorf("gentx of %s: %w", n.Name, err)
	}
	b.gentxs = append(b.gentxs, bz)
	return nil
}

// vrfKey makes the node's VRF key and registers it in the genesis.
func (b *builder) vrfKey(n Node, operator sdk.ValAddress) error {
	keys, err := vrfkey.LoadOrCreate(vrfkey.Path(n.Home))
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name, err)
	}
	secret, ok := keys.Latest()
	if !ok {
		return fmt.Errorf("%s: %s has no keys", n.Name, vrfkey.FileName)
	}
	if b.cfg.NoBeaconKeys {
		return nil
	}
	b.vrfKeys = append(b.vrfKeys, beacontypes.OperatorKeys{Operator: operator.String(), Next: vrfkey.Register(secret, operator)})
	return nil
}

// genesis writes the same genesis file and the peers into every home.
func (b *builder) genesis() error {
	state, err := b.appState()
	if err != nil {
		return err
	}
	gen := genutiltypes.NewAppGenesisWithVersion(b.cfg.ChainID, state)
	gen.GenesisTime = time.Now().UTC()
	gen.Consensus = genutiltypes.NewConsensusGenesis(params.ConsensusParams().ToProto(), nil)
	for _, n := range b.layout.Nodes {
		c := b.cometConfig(n)
		c.P2P.PersistentPeers = b.peers(n)
		// Who knows only links must not hear of the addresses behind them.
		c.P2P.PexReactor = !b.cfg.Links
		cmtcfg.WriteConfigFile(filepath.Join(n.Home, "config", "config.toml"), c)
		if err := genutil.ExportGenesisFile(gen, c.GenesisFile()); err != nil {
			return fmt.Errorf("genesis of %s: %w", n.Name, err)
		}
	}
	return nil
}

// links lays one between each two validators; the first of the two dials.
func (b *builder) links() error {
	if !b.cfg.Links {
		return nil
	}
	for i := range b.layout.Nodes {
		for j := i + 1; j < len(b.layout.Nodes); j++ {
			addr, err := b.ports.take()
			if err != nil {
				return err
			}
			b.layout.Links = append(b.layout.Links, Link{From: i, To: j, Listen: addr, Target: b.layout.Nodes[j].P2P})
		}
	}
	return nil
}

// peers are the persistent peers of a node: all others, or those that it dials by links.
func (b *builder) peers(self Node) string {
	var peers []string
	if b.cfg.Links {
		for _, l := range b.layout.Links {
			if b.layout.Nodes[l.From].ID == self.ID {
				peers = append(peers, b.layout.Nodes[l.To].ID+"@"+l.Listen)
			}
		}
		return strings.Join(peers, ",")
	}
	for _, n := range b.layout.Nodes {
		if n.ID != self.ID {
			peers = append(peers, n.ID+"@"+n.P2P)
		}
	}
	return strings.Join(peers, ",")
}

// save keeps the layout, so that other commands find the network, and the settings with which the command line talks to it.
func (b *builder) save() error {
	settings := fmt.Sprintf("chain-id = %q\nkeyring-backend = \"test\"\noutput = \"text\"\nnode = %q\nbroadcast-mode = \"sync\"\ngas = \"auto\"\n"+
		"gas-adjustment = 1.5\ngas-prices = \"%s%s\"\n", b.cfg.ChainID, "tcp://"+b.layout.Nodes[0].RPC, params.MinGasPrice, Denom)
	file := filepath.Join(b.layout.Client, "config", "client.toml")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		return err
	}
	bz, err := json.MarshalIndent(b.layout, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.cfg.Home, LayoutFile), bz, 0o600)
}

// Load reads the layout of a network that Build made.
func Load(home string) (*Layout, error) {
	home, err := filepath.Abs(home)
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	f, err := os.Open(filepath.Join(home, LayoutFile))
	if err != nil {
		return nil, fmt.Errorf("home: no local network there: %w", err)
	}
	defer f.Close()
	bz, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("home: %w", err)
	}
	l := new(Layout)
	if err := json.Unmarshal(bz, l); err != nil {
		return nil, fmt.Errorf("home: %s: %w", LayoutFile, err)
	}
	if l.Config.Home != home {
		return nil, fmt.Errorf("home: the network in %s was laid out in %s and cannot be moved", home, l.Config.Home)
	}
	return l, nil
}
