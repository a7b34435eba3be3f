// Package types holds the types of x/training: jobs, checkpoints, recipes, params.
package types
