// Package keeper holds the state machine of x/auctions.
package keeper
