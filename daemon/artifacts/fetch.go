package artifacts

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"poaid/model"
)

// Peers lists base URLs of artifact servers to ask, best first.
type Peers func(ctx context.Context) ([]string, error)

// FetchOptions configure a Fetcher.
type FetchOptions struct {
	// Timeout bounds one attempt at one peer, on top of the time its bytes take at 64 KiB/s. 0: 30 s.
	Timeout time.Duration
	// Rounds is how often the whole list of peers is tried. 0: 3.
	Rounds int
	// Backoff is the pause after a round; it doubles. 0: 500 ms.
	Backoff time.Duration
	// PublicOnly refuses peers in private and loopback networks. Endpoints on the chain are chosen by strangers; link-local
	// addresses (where clouds keep their metadata) are refused in any case.
	PublicOnly bool
	// Observe, if set, is told of every attempt.
	Observe func(peer string, bytes int64, err error)
}

// Fetcher brings artifacts into a store from whoever has them. Concurrent requests for one artifact share one download.
type Fetcher struct {
	store  *Store
	peers  Peers
	opt    FetchOptions
	client *http.Client

	mu      sync.Mutex
	flights map[string]*flight
	rest    map[string]rest // peers that failed lately
}

type flight struct {
	done chan struct{}
	err  error
}

// rest is how long a failing peer is asked only after all others.
type rest struct {
	until time.Time
	pause time.Duration
}

const maxRest = 10 * time.Minute

// NewFetcher returns a fetcher into store. peers may be nil: then only the store is looked at.
func NewFetcher(store *Store, peers Peers, opt FetchOptions) *Fetcher {
	if opt.Timeout <= 0 {
		opt.Timeout = 30 * time.Second
	}
	if opt.Rounds <= 0 {
		opt.Rounds = 3
	}
	if opt.Backoff <= 0 {
		opt.Backoff = 500 * time.Millisecond
	}
	if peers == nil {
		peers = func(context.Context) ([]string, error) { return nil, nil }
	}
	f := &Fetcher{store: store, peers: peers, opt: opt, flights: map[string]*flight{}, rest: map[string]rest{}}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: f.checkAddress}
	f.client = &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, ResponseHeaderTimeout: 15 * time.Second, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute},
		// A redirect would let a stranger's endpoint send us anywhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return f
}

// checkAddress runs on resolved addresses, so names that resolve to refused networks are refused too.
func (f *Fetcher) checkAddress(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return err
	}
	ip := net.ParseIP(host)
	switch {
	case ip == nil, ip.IsLinkLocalUnicast(), ip.IsLinkLocalMulticast(), ip.IsMulticast(), ip.IsUnspecified():
		return fmt.Errorf("peer address %s: refused", host)
	case f.opt.PublicOnly && (ip.IsPrivate() || ip.IsLoopback()):
		return fmt.Errorf("peer address %s: refused, only public peers are allowed", host)
	}
	return nil
}

// Ensure makes sure that the store has an artifact of at most limit bytes.
func (f *Fetcher) Ensure(ctx context.Context, cid string, limit int64) error {
	if _, err := model.ParseCID(cid); err != nil {
		return err
	}
	size, err := f.store.Size(ctx, cid)
	if err == nil {
		if size > limit {
			return fmt.Errorf("%w: %s has %d bytes, limit %d", ErrTooLarge, cid, size, limit)
		}
		return nil
	}
	if !errors.Is(err, ErrNotFound) {
		return err
	}
	return f.shared(ctx, cid, limit)
}

// GetBytes ensures and reads an artifact. What turns out damaged in the store is fetched once more.
func (f *Fetcher) GetBytes(ctx context.Context, cid string, limit int64) ([]byte, error) {
	if err := f.Ensure(ctx, cid, limit); err != nil {
		return nil, err
	}
	data, err := f.store.GetBytes(ctx, cid, limit)
	if !errors.Is(err, ErrCorrupt) {
		return data, err
	}
	if err := f.shared(ctx, cid, limit); err != nil {
		return nil, fmt.Errorf("repair: %w", err)
	}
	return f.store.GetBytes(ctx, cid, limit)
}

// shared joins a download under way or starts one. A download lives as long as its starter's context.
func (f *Fetcher) shared(ctx context.Context, cid string, limit int64) error {
	for {
		f.mu.Lock()
		fl, running := f.flights[cid]
		if !running {
			fl = &flight{done: make(chan struct{})}
			f.flights[cid] = fl
		}
		f.mu.Unlock()
		if !running {
			fl.err = f.rounds(ctx, cid, limit)
			f.mu.Lock()
			delete(f.flights, cid)
			f.mu.Unlock()
			close(fl.done)
			return fl.err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-fl.done:
		}
		// Someone else's cancelled context is no reason for us to give up.
		if !errors.Is(fl.err, context.Canceled) && !errors.Is(fl.err, context.DeadlineExceeded) {
			return fl.err
		}
	}
}

func (f *Fetcher) rounds(ctx context.Context, cid string, limit int64) error {
	pause := f.opt.Backoff
	var last error
	for round := range f.opt.Rounds {
		if round > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(pause/2 + rand.N(pause)):
			}
			pause *= 2
		}
		peers, err := f.peers(ctx)
		if err != nil {
			last = fmt.Errorf("list peers: %w", err)
			continue
		}
		for _, peer := range f.order(peers) {
			n, err := f.fromPeer(ctx, peer, cid, limit)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			f.remember(peer, err)
			if f.opt.Observe != nil {
				f.opt.Observe(peer, n, err)
			}
			if err == nil {
				return nil
			}
			last = fmt.Errorf("%s: %w", peer, err)
		}
	}
	if last == nil {
		return fmt.Errorf("%w: %s: no peers to ask", ErrNotFound, cid)
	}
	return fmt.Errorf("%w: %s: last answer: %w", ErrNotFound, cid, last)
}

// order puts peers that failed lately last and otherwise keeps the given order; duplicates are dropped.
func (f *Fetcher) order(peers []string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	seen := make(map[string]bool, len(peers))
	var good, tired []string
	for _, p := range peers {
		p = strings.TrimRight(strings.TrimSpace(p), "/")
		if p == "" || seen[p] {
			continue
		}
		seen[p] = true
		if f.rest[p].until.After(now) {
			tired = append(tired, p)
		} else {
			good = append(good, p)
		}
	}
	return append(good, tired...)
}

func (f *Fetcher) remember(peer string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	// Not having one artifact is no fault.
	if err == nil || errors.Is(err, ErrNotFound) {
		delete(f.rest, peer)
		return
	}
	r := f.rest[peer]
	r.pause = min(max(2*r.pause, time.Second), maxRest)
	r.until = time.Now().Add(r.pause)
	f.rest[peer] = r
}

// fromPeer downloads from one peer into the store; size and hash are checked on arrival.
func (f *Fetcher) fromPeer(ctx context.Context, peer, cid string, limit int64) (int64, error) {
	u, err := url.Parse(peer)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return 0, fmt.Errorf("endpoint %.100q: want http(s)://host[:port]", peer)
	}
	attempt, cancel := context.WithTimeout(ctx, f.opt.Timeout+time.Duration(limit/minRate)*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(attempt, http.MethodGet, u.JoinPath("artifacts", cid).String(), nil)
	if err != nil {
		return 0, err
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return 0, ErrNotFound
	case resp.StatusCode != http.StatusOK:
		return 0, fmt.Errorf("status %d", resp.StatusCode)
	case resp.ContentLength > limit:
		return 0, fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, resp.ContentLength, limit)
	}
	// A server that trickles must not hold us for the whole time the limit would take: every chunk has to come in time.
	body := newStallGuard(resp.Body, f.opt.Timeout, cancel)
	defer body.stop()
	return f.store.PutAs(attempt, cid, body, limit)
}

// stallGuard cancels a download in which nothing arrives for a while.
type stallGuard struct {
	r     interface{ Read([]byte) (int, error) }
	pause time.Duration
	timer *time.Timer
}

func newStallGuard(r interface{ Read([]byte) (int, error) }, pause time.Duration, cancel func()) *stallGuard {
	return &stallGuard{r: r, pause: pause, timer: time.AfterFunc(pause, cancel)}
}

func (g *stallGuard) Read(p []byte) (int, error) {
	n, err := g.r.Read(p)
	if n > 0 {
		g.timer.Reset(g.pause)
	}
	return n, err
}

func (g *stallGuard) stop() { g.timer.Stop() }

// Static is a constant list of peers.
func Static(urls []string) Peers {
	return func(context.Context) ([]string, error) { return urls, nil }
}
