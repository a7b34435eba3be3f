package demo

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func sample() *Report {
	return &Report{
		Tasks: []TaskReport{{
			ID: 7, Model: "digits", State: "FINAL", Output: "3", Units: 113, Fee: "1000", Worker: "poai1w", Committee: []string{"poai1a", "poai1b"},
			input: "picture of a 3",
		}},
		Scores:   []ScoreReport{{Participant: "poai1w", Epoch: 2, Score: "90.4"}},
		Rewards:  []RewardReport{{Participant: "poai1w", Claimed: "1234567", Capacity: 4321}},
		Supply:   SupplyReport{Genesis: "1000000", Minted: "5", Burnt: "2", Supply: "1000003"},
		Labels:   LabelReport{Right: 1, Known: 1},
		Failures: []string{},
	}
}

func TestJSONIsTheContract(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, sample().JSON(&out))
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	task := got["tasks"].([]any)[0].(map[string]any)
	for _, field := range []string{"id", "model", "state", "output", "units", "worker", "committee"} {
		require.Contains(t, task, field)
	}
	require.Equal(t, map[string]any{"participant": "poai1w", "epoch": 2.0, "score": "90.4"}, got["scores"].([]any)[0])
	require.Equal(t, map[string]any{"participant": "poai1w", "claimed": "1234567", "capacity": 4321.0}, got["rewards"].([]any)[0])
}

func TestTablesUseNamesAndPoai(t *testing.T) {
	var out bytes.Buffer
	sample().Tables(&out, names{"poai1w": "op0", "poai1a": "op1", "poai1b": "op2"})
	for _, want := range []string{"op1 op2", "0.001000 poai", "1.234567 poai", "picture of a 3", "1 of 1 right", "4321"} {
		require.Contains(t, out.String(), want)
	}
	require.NotContains(t, out.String(), "poai1w")
}

func TestPoai(t *testing.T) {
	for amount, want := range map[string]string{
		"0": "0.000000 poai", "1": "0.000001 poai", "12345678": "12.345678 poai", "-1": "-0.000001 poai", "what": "what",
	} {
		require.Equal(t, want, poai(amount))
	}
}
