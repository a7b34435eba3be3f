package localnet

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// linkChunk is how much of a connection a link holds at a time.
const linkChunk = 32 << 10

// Link is the cable between two validators: a TCP proxy that can be cut, healed and slowed down. From dials To through it.
type Link struct {
	// From and To are validators, by index.
	From, To int
	// Listen is where From finds To; Target is where To really listens. Addresses without scheme: host:port.
	Listen, Target string
}

// Joins reports whether the link connects a validator of one group with one of the other.
func (l Link) Joins(a, b []int) bool {
	return slices.Contains(a, l.From) && slices.Contains(b, l.To) || slices.Contains(b, l.From) && slices.Contains(a, l.To)
}

// Cut says what becomes of the connections of a link that is cut.
type Cut int

const (
	// Stall keeps connections open and carries no bytes; when the link heals what was sent meanwhile arrives, as after lost packets.
	Stall Cut = iota
	// Reset closes connections and refuses new ones; after the link healed validators have to find each other again.
	Reset
)

// proxy is a running link.
type proxy struct {
	link     Link
	listener net.Listener
	wg       sync.WaitGroup

	mu     sync.Mutex
	open   chan struct{} // closed while bytes may pass
	reset  bool
	delay  time.Duration
	conns  map[net.Conn]struct{}
	closed bool
}

// startLink begins to listen.
func startLink(l Link) (*proxy, error) {
	listener, err := net.Listen("tcp", l.Listen)
	if err != nil {
		return nil, fmt.Errorf("link %d-%d: %w", l.From, l.To, err)
	}
	open := make(chan struct{})
	close(open)
	p := &proxy{link: l, listener: listener, open: open, conns: map[net.Conn]struct{}{}}
	p.wg.Go(p.accept)
	return p, nil
}

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return // closed
		}
		if !p.keep(in) {
			continue
		}
		p.wg.Go(func() { p.serve(in) })
	}
}

// keep remembers a connection, or closes it where none may be.
func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.reset {
		_ = c.Close()
		return false
	}
	p.conns[c] = struct{}{}
	return true
}

func (p *proxy) drop(c net.Conn) {
	_ = c.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// serve carries bytes both ways until either end closes.
func (p *proxy) serve(in net.Conn) {
	defer p.drop(in)
	out, err := net.DialTimeout("tcp", p.link.Target, 5*time.Second)
	if err != nil || !p.keep(out) {
		return
	}
	defer p.drop(out)
	var both sync.WaitGroup
	both.Go(func() { p.carry(in, out); _ = out.Close() })
	both.Go(func() { p.carry(out, in); _ = in.Close() })
	both.Wait()
}

// carry copies from one connection to the other. What is read while the link is cut waits until it heals.
func (p *proxy) carry(from io.Reader, to io.Writer) {
	buf := make([]byte, linkChunk)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			open, delay := p.gate()
			if delay > 0 {
				time.Sleep(delay)
			}
			<-open
			if _, werr := to.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *proxy) gate() (open <-chan struct{}, delay time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open, p.delay
}

// cut stops the bytes. Cutting again changes what becomes of connections.
func (p *proxy) cut(how Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut()
	if how == Reset {
		p.reset = true
		p.closeAll()
	}
}

// shut makes bytes wait.
func (p *proxy) shut() {
	select {
	case <-p.open:
		p.open = make(chan struct{})
	default: // shut already
	}
}

func (p *proxy) closeAll() {
	for c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reset = false
	select {
	case <-p.open:
	default:
		close(p.open)
	}
}

func (p *proxy) slow(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
}

// close ends the link and everything on it.
func (p *proxy) close() error {
	err := p.listener.Close()
	p.mu.Lock()
	p.closed = true
	p.closeAll()
	p.mu.Unlock()
	p.heal() // whoever waits finds its connection closed
	p.wg.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
