package localnet

import (
	"errors"
	"time"
)

// errNoLinks is returned where a network was laid out without Config.Links.
var errNoLinks = errors.New("links: this network was laid out without them")

// StartLinks starts the links between validators, before the validators themselves. It does nothing where there are none.
func (n *Network) StartLinks() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.Layout.Links {
		p, err := startLink(l)
		if err != nil {
			return err
		}
		n.links = append(n.links, p)
	}
	return nil
}

// Partition cuts every link between the two groups of validators.
func (n *Network) Partition(a, b []int, how Cut) error {
	return n.overLinks(func(p *proxy) {
		if p.link.Joins(a, b) {
			p.cut(how)
		}
	})
}

// Heal mends all links.
func (n *Network) Heal() error { return n.overLinks((*proxy).heal) }

// Delay makes whatever passes a link wait so long, each way; 0 ends that.
func (n *Network) Delay(d time.Duration) error {
	return n.overLinks(func(p *proxy) { p.slow(d) })
}

func (n *Network) overLinks(f func(*proxy)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.links) == 0 {
		return errNoLinks
	}
	for _, p := range n.links {
		f(p)
	}
	return nil
}

func (n *Network) stopLinks() error {
	var errs []error
	for _, p := range n.links {
		errs = append(errs, p.close())
	}
	n.links = nil
	return errors.Join(errs...)
}
