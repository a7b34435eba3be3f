// Package live runs a local network for people: it starts or continues it, puts it to work, and shows how it does until it is stopped.
package live
