package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// errEnded is the cause when a process ends without an error of its own.
var errEnded = errors.New("exit status 0")

// stopGrace is how long a process has to end after an interrupt before it is killed.
const stopGrace = 10 * time.Second

// Process is one running process of the network.
type Process struct {
	Name string
	Log  string

	cmd  *exec.Cmd
	done chan struct{}
	// expected is set before we end the process ourselves.
	expected atomic.Bool

	mu  sync.Mutex
	err error
}

// startProcess runs binary with args, its output appended to the log file.
func startProcess(name, binary, log string, args ...string) (*Process, error) {
	if err := os.MkdirAll(filepath.Dir(log), 0o755); err != nil {
		return nil, err
	}
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = out, out
	// A group of its own: Ctrl-C reaches us alone, and we stop our processes in order.
	cmd.SysProcAttr = processGroup()
	if err := cmd.Start(); err != nil {
		_ = out.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, Log: log, cmd: cmd, done: make(chan struct{})}
	go func() {
		err := cmd.Wait()
		_ = out.Close()
		p.mu.Lock()
		p.err = err
		p.mu.Unlock()
		close(p.done)
	}()
	return p, nil
}

// PID of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err tells how the process ended; nil while it runs or when it ended well.
func (p *Process) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// Kill ends the process at once, as a power cut would.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.Name, err)
	}
	<-p.done
	return nil
}

// Stop interrupts the process and waits for its end; after a grace time it is killed.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("interrupt %s: %w", p.Name, err)
	}
	select {
	case <-p.done:
		return nil
	case <-time.After(stopGrace):
		return p.Kill()
	}
}

// Tail returns the last n lines of the process' log.
func (p *Process) Tail(n int) string {
	bz, err := os.ReadFile(p.Log)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimRight(string(bz), "\n"), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return strings.Join(lines, "\n")
}

// Network is a layout with its running processes.
type Network struct {
	Layout *Layout

	mu        sync.Mutex
	processes []*Process
	restarts  map[string][]string // arguments by process name
	ended     chan *Process       // processes that ended by themselves
}

// maxEnded is far more processes than a network starts.
const maxEnded = 4 * (MaxValidators + MaxParticipants)

// NewNetwork prepares to run a layout; nothing is started yet.
func NewNetwork(l *Layout) *Network {
	return &Network{Layout: l, restarts: map[string][]string{}, ended: make(chan *Process, maxEnded)}
}

// StartNode starts validator i.
func (n *Network) StartNode(i int) (*Process, error) {
	node := n.Layout.Nodes[i]
	return n.start(node.Name, nodeArgs(node)...)
}

// StartParticipant starts the daemon of participant i; extra arguments follow the standard ones.
func (n *Network) StartParticipant(i int, extra ...string) (*Process, error) {
	p := n.Layout.Participants[i]
	return n.start(p.Name, append(participantArgs(n.Layout, i), extra...)...)
}

func (n *Network) start(name string, args ...string) (*Process, error) {
	p, err := startProcess(name, n.Layout.Config.Binary, n.Layout.LogFile(name), args...)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.processes = append(n.processes, p)
	n.restarts[name] = args
	go func() {
		<-p.Done()
		if !p.expected.Load() {
			select {
			case n.ended <- p:
			default: // nobody has listened to the hundreds before
			}
		}
	}()
	return p, nil
}

// KillAndRestart ends a process with SIGKILL and starts it again with the same arguments after a pause. A concurrent
// Watch does not report the killed process.
func (n *Network) KillAndRestart(name string, pause time.Duration) error {
	n.mu.Lock()
	var victim *Process
	for i, p := range n.processes {
		if p.Name == name {
			victim = p
			n.processes = append(n.processes[:i], n.processes[i+1:]...)
			break
		}
	}
	args := n.restarts[name]
	n.mu.Unlock()
	if victim == nil {
		return fmt.Errorf("no process %q runs in this network", name)
	}
	victim.expected.Store(true)
	if err := victim.Kill(); err != nil {
		return err
	}
	time.Sleep(pause)
	_, err := n.start(name, args...)
	return err
}

// Watch returns the first process that ends by itself before ctx does, as an error with the end of its log.
func (n *Network) Watch(ctx context.Context) error {
	select {
	case p := <-n.ended:
		cause := p.Err()
		if cause == nil {
			cause = errEnded
		}
		return fmt.Errorf("%s ended; end of %s:\n%s\n%w", p.Name, p.Log, p.Tail(15), cause)
	case <-ctx.Done():
		return nil
	}
}

// Stop ends all processes, the last started first, so that daemons go before nodes.
func (n *Network) Stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs []error
	for i := len(n.processes) - 1; i >= 0; i-- {
		n.processes[i].expected.Store(true)
		if err := n.processes[i].Stop(); err != nil {
			errs = append(errs, err)
		}
	}
	n.processes = nil
	return errors.Join(errs...)
}
