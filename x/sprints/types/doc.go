// Package types holds the types of x/sprints: windows, commits, audits, params.
package types
