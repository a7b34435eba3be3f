// Package keeper keeps the books of tasks: their life from submission to payment, their escrow and their due-queue.
//
// # Reading the source
//
// Start with submit (submit.go), EndBlock and transition (abci.go), assign and auditDraw (draw.go), seal (seal.go),
// reveal (reveal.go), settleReveals and finalise (settle.go), resolve (dispute.go).
package keeper
