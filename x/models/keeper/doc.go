// Package keeper registers models and prices their runs.
package keeper
