package localnet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

// Cause is Err, and never nil: of a process that was to go on an exit status of 0 is one, too.
func (p *Process) Cause() error {
	if err := p.Err(); err != nil {
		return err
	}
	return errEnded
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

// Pause stops the process as SIGSTOP does: it keeps everything and does nothing.
func (p *Process) Pause() error {
	if err := pause(p.cmd.Process); err != nil {
		return fmt.Errorf("pause %s: %w", p.Name, err)
	}
	return nil
}

// Resume lets a paused process go on.
func (p *Process) Resume() error {
	if err := resume(p.cmd.Process); err != nil {
		return fmt.Errorf("resume %s: %w", p.Name, err)
	}
	return nil
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
	links     []*proxy
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

// Running returns the process of that name.
func (n *Network) Running(name string) (*Process, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.processes {
		if p.Name == name {
			return p, nil
		}
	}
	return nil, fmt.Errorf("no process %q runs in this network", name)
}

// Nodes counts the validators that run.
func (n *Network) Nodes() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for _, p := range n.processes {
		select {
		case <-p.done:
			continue
		default:
		}
		if slices.ContainsFunc(n.Layout.Nodes, func(v Node) bool { return v.Name == p.Name }) {
			count++
		}
	}
	return count
}

// KillAndRestart ends a process with SIGKILL and starts it again with the same arguments after a pause. A concurrent
// Watch does not report the killed process.
func (n *Network) KillAndRestart(name string, pause time.Duration) error {
	if err := n.Kill(name); err != nil {
		return err
	}
	time.Sleep(pause)
	return n.Restart(name)
}

// Kill ends a process with SIGKILL, as a power cut would. A concurrent Watch does not report it.
func (n *Network) Kill(name string) error {
	victim, err := n.Running(name)
	if err != nil {
		return err
	}
	victim.expected.Store(true)
	n.mu.Lock()
	n.processes = slices.DeleteFunc(n.processes, func(p *Process) bool { return p == victim })
	n.mu.Unlock()
	return victim.Kill()
}

// Restart starts a process that was killed again, with the arguments it had.
func (n *Network) Restart(name string) error {
	n.mu.Lock()
	args, known := n.restarts[name]
	n.mu.Unlock()
	if !known {
		return fmt.Errorf("process %q never ran in this network", name)
	}
	_, err := n.start(name, args...)
	return err
}

// Ended delivers processes that end by themselves. Watch takes from it, too.
func (n *Network) Ended() <-chan *Process { return n.ended }

// Watch returns the first process that ends by itself before ctx does, as an error with the end of its log.
func (n *Network) Watch(ctx context.Context) error {
	select {
	case p := <-n.ended:
		return fmt.Errorf("%s ended; end of %s:\n%s\n%w", p.Name, p.Log, p.Tail(15), p.Cause())
	case <-ctx.Done():
		return nil
	}
}

// Stop ends all processes, daemons before nodes, and then the links.
func (n *Network) Stop() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	var daemons, nodes []*Process
	for _, p := range n.processes {
		p.expected.Store(true)
		if slices.ContainsFunc(n.Layout.Nodes, func(v Node) bool { return v.Name == p.Name }) {
			nodes = append(nodes, p)
		} else {
			daemons = append(daemons, p)
		}
	}
	n.processes = nil
	return errors.Join(stopAll(daemons), stopAll(nodes), n.stopLinks())
}

// stopAll stops processes at the same time.
func stopAll(processes []*Process) error {
	errs := make([]error, len(processes))
	var wg sync.WaitGroup
	for i, p := range processes {
		wg.Go(func() { errs[i] = p.Stop() })
	}
	wg.Wait()
	return errors.Join(errs...)
}
