// Package screen shows progress to people: lines that stay, and on a terminal a part below them that is rewritten in place.
package screen

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// quiet is how long a writer that is no terminal hears nothing of a table.
const quiet = 10 * time.Second

// Screen shows steps as lines and, on a terminal, a live part that is rewritten in place.
type Screen struct {
	mu    sync.Mutex
	w     io.Writer
	live  bool
	shown int // lines of the live part
	start time.Time
	last  string
	told  time.Time
}

// New writes to w; the live line is used when w is a terminal.
func New(w io.Writer) *Screen {
	s := &Screen{w: w, start: time.Now()}
	if f, ok := w.(*os.File); ok {
		s.live = term.IsTerminal(int(f.Fd()))
	}
	return s
}

// Step writes a line that stays.
func (s *Screen) Step(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clear()
	fmt.Fprintf(s.w, "%6.1fs  %s\n", time.Since(s.start).Seconds(), fmt.Sprintf(format, args...))
}

// Status shows how things stand: in place on a terminal, otherwise as a line whenever it changed.
func (s *Screen) Status(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live {
		s.clear()
		fmt.Fprintf(s.w, "%6.1fs  %s\n", time.Since(s.start).Seconds(), line)
		s.shown = 1
		return
	}
	if line != s.last {
		s.last = line
		fmt.Fprintf(s.w, "%6.1fs  %s\n", time.Since(s.start).Seconds(), line)
	}
}

// Table shows a text of several lines: in place on a terminal, otherwise only summary, when it changed and not too often.
func (s *Screen) Table(text, summary string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.live {
		s.clear()
		text = fit(strings.TrimRight(text, "\n"), s.width())
		fmt.Fprintln(s.w, text)
		s.shown = strings.Count(text, "\n") + 1
		return
	}
	if summary == s.last || time.Since(s.told) < quiet {
		return
	}
	s.last, s.told = summary, time.Now()
	fmt.Fprintf(s.w, "%6.1fs  %s\n", time.Since(s.start).Seconds(), summary)
}

// width of the terminal, 0 where it is not known.
func (s *Screen) width() int {
	if f, ok := s.w.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return w
		}
	}
	return 0
}

// fit cuts lines at so many characters: a line that the terminal breaks in two could not be taken away again.
func fit(text string, width int) string {
	if width <= 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if r := []rune(l); len(r) > width {
			lines[i] = string(r[:width])
		}
	}
	return strings.Join(lines, "\n")
}

// clear takes the live part away: up to its first line, and everything from there on.
func (s *Screen) clear() {
	if s.shown > 0 {
		fmt.Fprintf(s.w, "\x1b[%dA\r\x1b[J", s.shown)
		s.shown = 0
	}
}

// Bar draws done of total.
func Bar(done, total int) string {
	const width = 24
	full := 0
	if total > 0 {
		full = done * width / total
	}
	return "[" + strings.Repeat("█", full) + strings.Repeat("·", width-full) + "]"
}
