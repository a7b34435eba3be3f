package localnet

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// echoServer answers what it is sent.
func echoServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			}()
		}
	}()
	return l.Addr().String()
}

// linked is a network of one link to an echo server.
func linked(t *testing.T) (*Network, string) {
	t.Helper()
	p := ports{}
	addr, err := p.take()
	require.NoError(t, err)
	p.release()
	n := NewNetwork(&Layout{Links: []Link{{From: 0, To: 1, Listen: addr, Target: echoServer(t)}}})
	require.NoError(t, n.StartLinks())
	t.Cleanup(func() { require.NoError(t, n.Stop()) })
	return n, addr
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(time.Minute)))
	return c
}

func send(t *testing.T, c net.Conn, s string) {
	t.Helper()
	_, err := c.Write([]byte(s))
	require.NoError(t, err)
}

func receive(t *testing.T, c net.Conn, want string) {
	t.Helper()
	got := make([]byte, len(want))
	_, err := io.ReadFull(c, got)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

func TestStalledLinkDeliversWhenItHeals(t *testing.T) {
	n, addr := linked(t)
	c := dial(t, addr)
	send(t, c, "before")
	receive(t, c, "before")
	require.NoError(t, n.Partition([]int{1}, []int{0}, Stall))
	send(t, c, "meanwhile")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(50*time.Millisecond)))
	_, err := c.Read(make([]byte, 1))
	require.ErrorContains(t, err, "timeout", "nothing passes a link that is cut")
	require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Minute)))
	require.NoError(t, n.Heal())
	receive(t, c, "meanwhile")
}

func TestResetLinkClosesAndRefuses(t *testing.T) {
	n, addr := linked(t)
	c := dial(t, addr)
	send(t, c, "before")
	receive(t, c, "before")
	require.NoError(t, n.Partition([]int{0}, []int{1}, Reset))
	_, err := c.Read(make([]byte, 1))
	require.Error(t, err, "the connection is closed")
	_, err = dial(t, addr).Read(make([]byte, 1))
	require.Error(t, err, "and so is a new one")
	require.NoError(t, n.Heal())
	again := dial(t, addr)
	send(t, again, "after")
	receive(t, again, "after")
}

func TestPartitionCutsOnlyBetweenTheGroups(t *testing.T) {
	n, addr := linked(t)
	require.NoError(t, n.Partition([]int{0, 1}, []int{2, 3}, Stall))
	c := dial(t, addr)
	send(t, c, "inside")
	receive(t, c, "inside")
	require.True(t, Link{From: 1, To: 3}.Joins([]int{0, 1}, []int{2, 3}))
	require.True(t, Link{From: 1, To: 3}.Joins([]int{2, 3}, []int{0, 1}))
	require.False(t, Link{From: 2, To: 3}.Joins([]int{2, 3}, []int{0, 1}))
	require.ErrorIs(t, NewNetwork(&Layout{}).Heal(), errNoLinks)
}

func TestDelayedLinkTakesItsTime(t *testing.T) {
	const each = 20 * time.Millisecond
	n, addr := linked(t)
	require.NoError(t, n.Delay(each))
	c := dial(t, addr)
	start := time.Now()
	send(t, c, "slow")
	receive(t, c, "slow")
	require.GreaterOrEqual(t, time.Since(start), 2*each, "there and back")
}

func TestPortsAreKeptApart(t *testing.T) {
	home := t.TempDir()
	first, err := Lock(home)
	require.NoError(t, err)
	_, err = Lock(home)
	require.ErrorContains(t, err, "another process runs the network")
	require.NoError(t, first.Close())
	again, err := Lock(home)
	require.NoError(t, err)
	require.NoError(t, again.Close())

	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	layout := &Layout{OwnerArtifacts: "127.0.0.1:0", Nodes: []Node{{Name: "node0", RPC: l.Addr().String(), P2P: "127.0.0.1:0", GRPC: "127.0.0.1:0", API: "127.0.0.1:0"}}}
	require.ErrorContains(t, layout.CheckPorts(), "node0 RPC is taken")
	require.NoError(t, l.Close())
	require.NoError(t, layout.CheckPorts())
}
