// Package types holds the types of x/auctions: terms, standings, bids, params.
package types
