// Package tasks is the market: tasks are submitted, drawn, sealed, audited, revealed and paid. See README.md.
package tasks
