package runner

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// Bar draws the progress of a long run on one line of a terminal: nothing in the first second, then at most ten times a second.
type Bar struct {
	w     io.Writer
	now   func() time.Time
	start time.Time
	last  time.Time
	shown bool
}

// NewBar makes a bar that writes to a terminal.
func NewBar(w io.Writer) *Bar {
	b := &Bar{w: w, now: time.Now}
	b.start = b.now()
	return b
}

const (
	barDelay = time.Second
	barEvery = 100 * time.Millisecond
	barWidth = 24
)

// Step shows that so many of total steps are done.
func (b *Bar) Step(done, total uint64) {
	now := b.now()
	spent := now.Sub(b.start)
	if done == 0 || total == 0 || done > total || spent < barDelay || now.Sub(b.last) < barEvery {
		return
	}
	b.last, b.shown = now, true
	share := float64(done) / float64(total)
	full := int(barWidth * share)
	left := time.Duration(float64(spent) * (1 - share) / share).Round(time.Second)
	fmt.Fprintf(b.w, "\r\x1b[2K[%s%s] step %d of %d, %.1f steps/s, %s left", strings.Repeat("█", full), strings.Repeat("·", barWidth-full),
		done, total, float64(done)/spent.Seconds(), left)
}

// Done removes the bar.
func (b *Bar) Done() {
	if b.shown {
		b.shown = false
		fmt.Fprint(b.w, "\r\x1b[2K")
	}
}
