// Package challenger argues about results: it computes revealed results again, claims the right root where a wrong one stands, and
// plays the games of disputes, its own as a worker or committee member included.
//
// Rooms, in the order in which news passes through them:
//
//	monitor     looks at every block, and picks results to compute again
//	scheduler   one affair a task: what is known of it, when it is looked at, which comes first (challenger.go, affair.go)
//	player      what to do, as a function of the chain's state and the right root (Decide)
//	solver      moves, by re-execution; traces are kept between the moves of a case, within a bound of memory
//	responder   hands messages to the sender, each once
//
// It keeps no plan. What to do follows from the chain's state alone, so a process that was killed anywhere begins again; the book only
// saves it work. Nothing is hashed or kept while nobody disputes: a trace begins when a game asks for the first move.
//
// # Reading the source
//
// Decide (player.go), Tick (challenger.go), attend (affair.go), solver.move (solver.go), send (responder.go); then TestLyingWorker
// (games_test.go) for a dispute from beginning to end.
package challenger
