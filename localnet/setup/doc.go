// Package setup puts a local network to work: participants join and start their daemons, models are registered, made eligible and
// served, and tasks are submitted.
//
// Every step asks the chain first and does only what is not done yet, so that a network which was stopped goes on where it was.
package setup
