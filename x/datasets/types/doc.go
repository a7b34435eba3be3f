// Package types holds the types of x/datasets: datasets, terms, allowlists, grants, usage.
package types
