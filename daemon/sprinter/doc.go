// Package sprinter proves capacity by itself (docs/adr/0008, docs/sprints.md): when a window opens it computes leaves on spare threads until a few blocks before the
// window's last one, commits their root, keeps the values on disk, and opens those that an audit asks for. The audit's task is an ordinary one, which
// the worker's role does.
//
// Serving comes first: between two runs of about a tenth of a second each thread asks whether it is spare, and waits while executions
// need it.
//
// What survives a crash at any point: the values are on disk before the commit is sent, and a window that has a record is never computed
// again, so there is no second, different commit. A window that was cut short before its record is computed anew, if it is still open. Values that
// were lost are computed again from the chain's data when an audit asks for them.
//
// # Reading the source
//
// Sprinter.Tick (sprinter.go), window.compute (compute.go), Book.Put (book.go), Sprinter.answer (audit.go).
package sprinter
