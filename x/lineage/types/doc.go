// Package types holds the types of x/lineage: nodes, edges, accounts.
package types
