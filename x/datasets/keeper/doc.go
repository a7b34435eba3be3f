// Package keeper holds the state of x/datasets. Open dataset.go (register), access.go (check, Use) and grant.go (buy) first.
package keeper
