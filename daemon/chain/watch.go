package chain

import (
	"context"
	"time"

	rpchttp "github.com/cometbft/cometbft/rpc/client/http"
	cmttypes "github.com/cometbft/cometbft/types"
)

// Heights reports committed heights, strictly growing, until ctx ends; then the channel is closed. Heights come from a
// subscription to block headers and, so that a lost subscription costs no more than a poll, from polling. A reader that is
// busy misses heights in between, never the newest.
func (c *Client) Heights(ctx context.Context) <-chan int64 {
	news := make(chan int64, 1)
	go c.subscribe(ctx, news)
	go c.poll(ctx, news)
	out := make(chan int64)
	go func() {
		defer close(out)
		var newest, sent int64
		for {
			var send chan<- int64
			if newest > sent {
				send = out
			}
			select {
			case <-ctx.Done():
				return
			case h := <-news:
				newest = max(newest, h)
			case send <- newest:
				sent = newest
			}
		}
	}()
	return out
}

func (c *Client) poll(ctx context.Context, news chan<- int64) {
	tick := time.NewTicker(c.cfg.PollInterval)
	defer tick.Stop()
	for {
		if h, err := c.Height(ctx); err == nil && !push(ctx, news, h) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// subscribe follows one node after the other; each connection gets its own client, because a stopped one cannot be restarted.
func (c *Client) subscribe(ctx context.Context, news chan<- int64) {
	pause := time.Second
	for i := 0; ctx.Err() == nil; i++ {
		start := time.Now()
		c.follow(ctx, c.nodes[i%len(c.nodes)].addr, news)
		if time.Since(start) > time.Minute {
			pause = time.Second
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, 30*time.Second)
	}
}

// follow subscribes to one node and returns when that ends or goes silent.
func (c *Client) follow(ctx context.Context, addr string, news chan<- int64) {
	ws, err := rpchttp.NewWithTimeout(addr, "/websocket", uint(max(1, c.cfg.Timeout/time.Second)))
	if err != nil {
		return
	}
	if err := ws.Start(); err != nil {
		return
	}
	defer func() {
		if err := ws.Stop(); err == nil {
			ws.Wait()
		}
	}()
	events, err := ws.Subscribe(ctx, "poaid", cmttypes.EventQueryNewBlockHeader.String(), 16)
	if err != nil {
		return
	}
	const silence = time.Minute
	timer := time.NewTimer(silence)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			return
		case ev, ok := <-events:
			if !ok {
				return
			}
			timer.Reset(silence)
			if data, ok := ev.Data.(cmttypes.EventDataNewBlockHeader); ok && !push(ctx, news, data.Header.Height) {
				return
			}
		}
	}
}

func push(ctx context.Context, news chan<- int64, h int64) bool {
	select {
	case <-ctx.Done():
		return false
	case news <- h:
		return true
	}
}
