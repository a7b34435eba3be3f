// Package localnet lays out and runs a local network: validators, participants and the accounts that use them, each
// validator and each participant as a process of the poaid binary, all under one home folder.
//
// Build writes every file that the processes need and nothing else runs; Network starts, watches and stops the
// processes. The localnet and demo commands and the end-to-end tests are built on it.
package localnet
