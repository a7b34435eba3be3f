package main

import (
	"testing"

	"golang.org/x/tools/go/analysis/analysistest"
)

func TestFusion(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), fusionAnalyzer, "fusion", "poaid/engine/num", "poaid/engine/kernel", "poaid/sim/economy")
}

func TestMapRange(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), mapRangeAnalyzer, "poaid/game", "poaid/daemon")
}

func TestConsensus(t *testing.T) {
	analysistest.Run(t, analysistest.TestData(), consensusAnalyzer, "poaid/x/tasks", "poaid/engine", "poaid/daemon")
}
