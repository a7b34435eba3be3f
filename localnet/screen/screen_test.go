package screen

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBar(t *testing.T) {
	require.Equal(t, "[························]", Bar(0, 0))
	require.Equal(t, "[████████████████████████]", Bar(12, 12))
	require.Equal(t, "[████████████············]", Bar(6, 12))
}

func TestTableIsRewrittenInPlace(t *testing.T) {
	var out bytes.Buffer
	s := New(&out)
	s.live = true
	s.Table("one\ntwo\nthree\n", "")
	out.Reset()
	s.Step("done")
	require.Contains(t, out.String(), "\x1b[3A\r\x1b[J", "the three lines are taken away first")
	require.Contains(t, out.String(), "done\n")
	out.Reset()
	s.Step("and more")
	require.NotContains(t, out.String(), "\x1b", "lines that stay are not rewritten")
}

func TestNoTerminalHearsSummariesThatChanged(t *testing.T) {
	var out bytes.Buffer
	s := New(&out)
	s.Table("a table", "height 1")
	s.Table("a table", "height 1")
	s.told = s.told.Add(-2 * quiet)
	s.Table("a table", "height 1")
	s.Table("a table", "height 2")
	s.Table("a table", "height 3")
	require.Regexp(t, `^ +\d+\.\ds  height 1\n +\d+\.\ds  height 2\n$`, out.String())
}

func TestLinesAreCutAtTheWidth(t *testing.T) {
	require.Equal(t, "häl\nab", fit("hällo\nab", 3))
	require.Equal(t, "hällo", fit("hällo", 0))
}
