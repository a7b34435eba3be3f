package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	s := setting{sizes: sizes(2), tasks: 60, seed: 1}
	r := s.run(t)
	t.Log(describe(r))
	fairTable(r).write(testWriter{t})
	require.Zero(t, 0)
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) { w.t.Log(string(p)); return len(p), nil }
