// Package game is the refereed bisection game: two parties stand by different result roots of the same run, and argue down
// to one element of one op's output, or at most 64 steps of its fold, which the referee computes itself. It is pure: no
// chain, no clock of its own, no randomness. The chain, the challenger and the tests call the same functions.
//
// # A game
//
// D stands for a root, C for another. D posts, C names the first thing that it does not have; whoever is contradicted, or
// silent past its clock, loses.
//
//	phase            D posts                                C answers
//	result           Open: state and output root            Reject: states, or outputs (states accepted)
//	steps            Split: ≤ K−1 state roots               Reject: first segment with a wrong end
//	descent nodes    Split: children in the step tree       Reject: first wrong child;
//	                 or Stopped: the step is the identity   RejectUpdates: nodes right, states not; or Stopped
//	descent outputs, Split: children in D's own tree        Reject: first wrong child
//	  states, tensor Chunk: one chunk of the tensor         Reject: an element
//	fold             Accumulators: ≤ 64                     Reject: first segment with a wrong end
//	judge                                                   Judge: inputs, proven against agreed roots
//
// A wrong output is judged against the agreed states; a wrong state after a step (all nodes of which C accepts) against the
// agreed node that updates it, or against the state before, if nothing does; everything else by engine.Judge. Steps after a
// stop have no nodes: whoever shows that the stop state is set ends the game by comparing the state roots.
//
// # Segments
//
// A game may be about steps [Start, Steps) only, of a run whose states before Start are agreed by their root: a segment of a training, whose
// predecessor nobody argues about any more. Bisection begins at (Start, StartRoot), and what is read of the states before the first
// step is proven against StartRoot. With Start = 0 the program says what they are.
//
// # Why the honest side wins
//
// Before each of C's choices an invariant holds: what is left of the rejected place C has not rejected, the rejected place
// itself differs. An honest C therefore always finds a first difference, and what comes before it is its own, so it can
// prove any input of what is judged. An honest D is never asked for anything that it has not computed: all that it posts
// hashes to what it posted before. A root that somebody made up has no children to post: its owner falls silent. With the
// inputs agreed and the op the referee's own, the judgement is on the side of whoever computed it.
//
// A verdict says nothing about third parties: a C that agrees with the D it plays loses, and its D has won nothing but
// that game. Every other root must be argued down by a game of its own.
//
// # Values
//
// Game is a value: Setup (agreed, from task, program and params) and Position (plain fields, to be stored). Apply gives the
// next game, Legal says which Rule forbids a move, Advance lets blocks pass, Payout settles the bonds. Rounds are at most
// ⌈log_K T⌉ + ⌈log_K nodes⌉ + ⌈log_K leaves⌉ + ⌈log_64 terms⌉ + 3, a move at most MaxMessage bytes.
//
// # Reading the source
//
// Game.Apply (game.go), rejectChild (descent.go), Judge.play (judge.go), checkMember (evidence.go), Solver.attack
// (solver.go), Rule (rules.go); then TestFlippedLetter (game_test.go) for a game from beginning to end.
package game
