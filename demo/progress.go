package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// screen shows steps as lines and, on a terminal, one live line that is rewritten in place.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	live  bool
	shown bool
	start time.Time
	last  string
}

// newScreen writes to w; the live line is used when w is a terminal.
func newScreen(w io.Writer) *screen {
	s := &screen{w: w, start: time.Now()}
	if f, ok := w.(*os.File); ok {
		s.live = term.IsTerminal(int(f.Fd()))
	}
	return s
}

// step writes a line that stays.
func (s *screen) step(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintf(s.w, "%6.1fs  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...))
}

// status shows how things stand: in place on a terminal, otherwise as a line whenever it changed.
func (s *screen) status(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live {
		s.clear()
		fmt.Fprintf(s.w, "%6.1fs  %s", time.Since(s.start).Seconds(), line)
		s.shown = true
		return
	}
	if line != s.last {
		s.last = line
		fmt.Fprintf(s.w, "%6.1fs  %s\n", time.Since(s.start).Seconds(), line)
	}
}

func (s *screen) clear() {
	if s.shown {
		fmt.Fprint(s.w, "\r\x1b[2K")
		s.shown = false
	}
}

// bar draws done of total.
func bar(done, total int) string {
	const width = 24
	full := 0
	if total > 0 {
		full = done * width / total
	}
	return "[" + strings.Repeat("█", full) + strings.Repeat("·", width-full) + "]"
}
