// Package keeper holds the state of x/sprints: the seasons' models, windows, commits and audits.
package keeper
