// Package keeper holds the state of x/lineage. Open edge.go (what a model descends from), account.go (Royalty, settle, claim) and pending.go
// first.
package keeper
