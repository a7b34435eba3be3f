// Package agent is the loop of every daemon. At each new height it lists what is due to its participant, asks what each item needs
// next, and does that. It keeps no plan: what to do follows from the state of the chain and the journal alone, so a process that was
// killed anywhere simply begins again.
//
//	state of the item on the chain   journal has a record        journal has none
//	------------------------------   ------------------------    ------------------------------------------
//	seal wanted                      seal from the record        execute, write the record, then seal
//	sealed, reveal not open          check that seals agree      execute again, so that the reveal will be ready
//	reveal wanted                    reveal from the record      execute again, write the record, then reveal
//	anything else                    nothing                     nothing
//
// Records never change and salts are derived from the key, so executing again gives the same seal. A seal on the chain that is not
// ours (another machine with other software under the same key) is never answered with a second one: it is reported as a conflict.
//
// # Reading the source
//
// role.go (Role, Item), agent.go (Run, reconcile, decide), jobs.go (which execution comes first), worker and verifier (the roles).
package agent
